"""Contract of a CSV file: what is not valid is rejected in one line of text."""

from pathlib import Path

import pytest

from payresult_cli.csv_files import read_csv
from payresult_cli.errors import CommandError

INVALID = [
    ("", "is empty"),
    ("\n\n", "is empty"),
    ("payId,payId\np-1,p-1\n", "line 1 names a column twice"),
    ('payId\n"p-1\n', "is not valid CSV"),
    ("payId\n" + "p" * 2000 + "\n", "is not valid CSV: field larger than field limit"),
    ("payId\np-1\n".encode("utf-16"), "is not UTF-8 text"),
]


def test_rows_have_the_values_that_are_not_empty(tmp_path: Path) -> None:
    """Empty lines are skipped but counted; a byte order mark is no part of the first name."""
    file = tmp_path / "orders.csv"
    file.write_text("\ufeffpayId,orderId\r\np-1,A-1\r\n\r\np-2,\r\n", encoding="utf-8")
    assert list(read_csv(file, required=["payId"])) == [
        (2, {"payId": "p-1", "orderId": "A-1"}),
        (4, {"payId": "p-2"}),
    ]


@pytest.mark.parametrize(("data", "expected"), INVALID)
def test_invalid_file_is_rejected(tmp_path: Path, data: str | bytes, expected: str) -> None:
    """Also in UTF-16, as some spreadsheets write it."""
    file = tmp_path / "orders.csv"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(CommandError, match=expected) as raised:
        list(read_csv(file, required=["payId"]))
    assert len(str(raised.value).splitlines()) == 1
