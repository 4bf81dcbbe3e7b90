"""Contract of the page's table of payments: which rows, in which order, and the totals."""

from typing import Any

import pytest

from sandbox.page.payment_table import MAX_ROWS, View, newest, payment_table, with_current


def item(pay_id: str, created_at: int, status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    """An item; one that succeeded has its event sent."""
    event = {"eventState": "SENT"} if status == "SUCCEEDED" else {}
    return {"payId": pay_id, "createdAt": created_at, "status": status, **event, **more}


ITEMS = [
    item("p-1", 1, "PENDING", nextCheckAt=9, orderId="A-17"),
    item("p-2", 2, "REVIEW", attention="x#REVIEW", checks=1),
    item("p-3", 3),
    item("p-5", 4),
    item("p-4", 4),
    item("p-6", 0, eventState="PENDING"),
    item("p-7", 5, "EXPIRED"),
]


def test_the_row_of_the_payment_that_is_shown_is_as_new_as_the_payment() -> None:
    """The items are read once a second, or less often where the table is large."""
    current = ITEMS[0] | {"nextCheckAt": 12, "checks": 1}

    rows = payment_table(with_current(ITEMS, current), View(find="p-1"))["rows"]

    assert [(row["nextCheckAt"], row["checks"]) for row in rows] == [(12, 1)]
    assert with_current(ITEMS, {}) == ITEMS


def shown(**view: str) -> list[str]:
    """The payIds of the rows."""
    return [row["payId"] for row in payment_table(ITEMS, View(**view))["rows"]]


def test_what_is_unfinished_or_needs_a_person_comes_first() -> None:
    """Then the newest; of two that were registered at the same time always the same one."""
    assert shown() == ["p-2", "p-1", "p-6", "p-7", "p-4", "p-5", "p-3"]
    assert payment_table(ITEMS[::-1], View())["rows"] == payment_table(ITEMS, View())["rows"]


@pytest.mark.parametrize(
    ("view", "pay_ids"),
    [
        ({"show": "unfinished"}, ["p-1", "p-6"]),
        ({"show": "attention"}, ["p-2"]),
        ({"find": "a-17"}, ["p-1"]),
        ({"find": " P-4 "}, ["p-4"]),
        ({"find": "expired"}, ["p-7"]),
        ({"find": "p-1", "show": "attention"}, []),
    ],
    ids=str,
)
def test_rows_are_filtered_and_found(view: dict[str, str], pay_ids: list[str]) -> None:
    """By both at once."""
    assert shown(**view) == pay_ids


def test_the_totals_count_all_payments() -> None:
    """Also those that the view leaves out."""
    found = payment_table(ITEMS, View(find="p-1"))
    assert found["matching"] == 1
    assert found["totals"] == {
        "all": 7,
        "unfinished": 2,
        "attention": 1,
        "unsent": 1,
        "status": {"EXPIRED": 1, "PENDING": 1, "REVIEW": 1, "SUCCEEDED": 4},
    }
    assert found["rows"] == [
        {
            "payId": "p-1",
            "orderId": "A-17",
            "status": "PENDING",
            "nextCheckAt": 9,
            "createdAt": 1,
        }
    ]


def test_a_large_table_is_cut() -> None:
    """The count says that there are more."""
    found = payment_table([item(f"p-{number}", number) for number in range(99)], View())
    assert (len(found["rows"]), found["matching"]) == (MAX_ROWS, 99)


def test_the_newest_payment_is_found() -> None:
    """None in an empty table."""
    assert newest(ITEMS) == "p-7"
    assert newest([item("p-5", 4), item("p-4", 4)]) == "p-5"
    assert newest([]) is None
