"""P1: dates and units of the gateway; a value that cannot be read never prevents the event."""
# ruff: noqa: RUF001 - digits that only look like ASCII are tested here

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payresult.domain.reply import package_unit, paid_at, stored_text, truncate

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "zone", "date"),
    [
        *(
            (f"2020-09-17 {hour:02}:11:10", "Asia/Shanghai", f"2020-09-17T{hour:02}:11:10+08:00")
            for hour in range(24)
        ),
        ("2020-09-17 18:11:10", "America/New_York", "2020-09-17T18:11:10-04:00"),
        # summer time counts where the zone has it
        ("2026-01-15 12:00:00", "Europe/Berlin", "2026-01-15T12:00:00+01:00"),
        ("2026-07-15 12:00:00", "Europe/Berlin", "2026-07-15T12:00:00+02:00"),
        # local mean time was +08:05:43, which RFC 3339 cannot write
        ("1900-12-31 12:00:00", "Asia/Shanghai", None),
    ],
)
def test_a_date_gets_the_offset_of_its_zone(text: str, zone: str, date: str | None) -> None:
    """At that time of that day."""
    assert paid_at(text, ZoneInfo(zone)) == date


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "2026-01-01 24:00:00", "2026-02-31 10:00:00", "2025-02-29 10:00:00"),
        *("2026-13-01 10:00:00", "2026-00-10 10:00:00"),
        *("2026-01-01 25:00:00", "2026-01-01 10:61:00"),
        *("2026-01-01 10:00:60", "0000-01-01 10:00:00", "2020-9-7 1:1:1", "2020-09-17"),
        *("2020-09-17T18:11:10", "2020-09-17 18:11:10Z", "2020-09-17 18:11:10+08:00"),
        *("2020-09-17 18:11:10\n", " 2020-09-17 18:11:10", "2020-09-17  18:11:10"),
        *("２０２０-09-17 18:11:10", "٢٠٢٠-09-17 18:11:10", "20200917181110", "1600337470"),
        *("17/09/2020 18:11:10", "2020-09-17 18:11", "2020-09-17 18:11:10.5", "20181031256548"),
    ],
)
def test_other_dates_are_none(text: str | None) -> None:
    """Impossible days and other forms; the value is kept as received. No date without a zone."""
    assert paid_at(text, SHANGHAI) is None
    assert paid_at("2020-09-17 18:11:10", None) is None


@settings(max_examples=25)
@given(st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", fullmatch=True))
def test_no_date_raises(text: str) -> None:
    """Not even in the years 1 and 9999."""
    date = paid_at(text, SHANGHAI)
    assert date is None or date.startswith(text.replace(" ", "T"))


@pytest.mark.parametrize(
    ("package_type", "unit"),
    [
        *(("0", "day"), ("1", "day"), ("2", "month"), ("3", "quarter"), ("4", "half-year")),
        *(("5", "year"), ("6", None), ("", None), (None, None), ("00", None), (" 2", None)),
        *(("２", None), ("2\n", None), ("-1", None)),
    ],
)
def test_the_package_type_names_the_unit(package_type: str | None, unit: str | None) -> None:
    """The six codes of the provider; any other has no unit."""
    assert package_unit(package_type) == unit


@pytest.mark.parametrize(("text", "kept"), [("abc", "abc"), ("abcd", "abc…[cut]"), ("", "")])
def test_a_long_text_is_cut_and_says_so(text: str, kept: str) -> None:
    """At the limit it is whole."""
    assert truncate(text, 3) == kept
    assert stored_text("x" * 1021 + text) == "x" * 1021 + kept
