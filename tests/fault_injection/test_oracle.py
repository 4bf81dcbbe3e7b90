"""The judge sees what is wrong in logs that were made up for it."""

import json
from typing import Any

import pytest

from tests.fault_injection.fake_gateway import DOWN, Asked, told
from tests.fault_injection.oracle import judge

EVENT_ID = "01d4138b-fce2-573e-8e43-9be6a52b88c6"
"""The one of P000818\'s payment `p` in `prod`, by the rule of events/README.md."""


def event(at: int = 5, amount: str = "$19.99", **metadata: str) -> tuple[int, str]:
    """An event on the bus."""
    known = {"eventId": EVENT_ID} | metadata
    return at, json.dumps({"metadata": known, "data": {"payId": "p", "payAmount": amount}})


def item(status: str = "SUCCEEDED", **attributes: Any) -> dict[str, Any]:
    """An item as it should be."""
    changes = [("", "PENDING"), ("PENDING", status)][: 2 if status != "PENDING" else 1]
    history = [
        {"M": {"to": {"S": to}} | ({"from": {"S": came_from}} if came_from else {})}
        for came_from, to in changes
    ]
    event = {"event": {"S": "{}"}} if status == "SUCCEEDED" else {}
    return {"status": {"S": status}, "history": {"L": history}} | event | attributes


PAID = [Asked(1, "p", told("p", "success"))]


def test_a_paid_payment_with_its_event_is_clean() -> None:
    """Also where the event was sent twice."""
    verdict = judge(PAID, [event(), event(9)], {"p": item()}, {"p"})
    assert verdict.clean
    assert verdict.duplicates == 1


@pytest.mark.parametrize(
    ("wrong", "asked", "bus", "stored"),
    [
        ("lost", PAID, [], item()),
        ("false", [], [event()], item()),
        ("false", [Asked(1, "p", told("other", "success"))], [event()], item()),
        ("false", [Asked(1, "p", told("p", "waiting"))], [event()], item()),
        ("false", [Asked(1, "p", DOWN)], [event()], item()),
        ("false", [Asked(9, "p", told("p", "success"))], [event(5)], item()),
        ("false", PAID, [event(amount="$1.00")], item()),
        ("false", PAID, [event(eventId="other")], item()),
        ("false", PAID, [event()], item(expectedAmount={"S": "5"})),
        ("split", PAID, [event(), event(eventId="other")], item()),
        ("stuck", PAID, [event()], item(eventState={"S": "PENDING"})),
        ("stuck", [], [], item("PENDING")),
        ("crooked", PAID, [event()], item(history={"L": []})),
        ("crooked", PAID, [event()], item(event=None) | {"status": {"S": "FAILED"}}),
    ],
)
def test_the_judge_sees_what_is_wrong(
    wrong: str, asked: list[Asked], bus: list[tuple[int, str]], stored: dict[str, Any]
) -> None:
    """One thing at a time."""
    verdict = judge(asked, bus, {"p": stored})
    assert getattr(verdict, wrong) == ["p"]


def test_the_books_know_of_payments_that_nobody_asked_about() -> None:
    """A chain that broke off loses a payment without a word."""
    assert judge([], [], {"p": item("UNRESOLVED")}, {"p"}).lost == ["p"]
