"""Contract of the test oracle: it detects each kind of error in logs written for this test."""

import json
from typing import Any

import pytest

from tests.support.fake_gateway import UNAVAILABLE, Query, json_response
from tests.support.oracle import evaluate

EVENT_ID = "01d4138b-fce2-573e-8e43-9be6a52b88c6"
"""Of the payment `p` of P000818 in `prod`, by the rule in events/README.md."""


def event(at: int = 5, amount: str = "$19.99", **metadata: str) -> tuple[int, str]:
    """Return an entry of the bus's log."""
    known = {"eventId": EVENT_ID} | metadata
    return at, json.dumps({"metadata": known, "data": {"payId": "p", "payAmount": amount}})


def item(status: str = "SUCCEEDED", **attributes: Any) -> dict[str, Any]:
    """Return a consistent item, with *attributes* changed."""
    changes = [("", "PENDING"), ("PENDING", status)][: 2 if status != "PENDING" else 1]
    history = [
        {"M": {"to": {"S": to}} | ({"from": {"S": came_from}} if came_from else {})}
        for came_from, to in changes
    ]
    event = {"event": {"S": "{}"}} if status == "SUCCEEDED" else {}
    return {"status": {"S": status}, "history": {"L": history}} | event | attributes


PAID = [Query(1, "p", json_response("p", "success"))]


def test_a_paid_payment_with_its_event_is_clean() -> None:
    """A duplicate of the event is counted, and is no error."""
    verdict = evaluate(PAID, [event(), event(9)], {"p": item()}, {"p"})
    assert verdict.clean
    assert verdict.duplicates == 1


@pytest.mark.parametrize(
    ("kind", "queries", "bus", "stored"),
    [
        ("lost", PAID, [], item()),
        ("false", [], [event()], item()),
        ("false", [Query(1, "p", json_response("other", "success"))], [event()], item()),
        ("false", [Query(1, "p", json_response("p", "waiting"))], [event()], item()),
        ("false", [Query(1, "p", UNAVAILABLE)], [event()], item()),
        ("false", [Query(9, "p", json_response("p", "success"))], [event(5)], item()),
        ("false", PAID, [event(amount="$1.00")], item()),
        ("false", PAID, [event(eventId="other")], item()),
        ("false", PAID, [event()], item(expectedAmount={"S": "5"})),
        ("differing", PAID, [event(), event(eventId="other")], item()),
        ("stuck", PAID, [event()], item(eventState={"S": "PENDING"})),
        ("stuck", [], [], item("PENDING")),
        ("inconsistent", PAID, [event()], item(history={"L": []})),
        ("inconsistent", PAID, [event()], item(event=None) | {"status": {"S": "FAILED"}}),
    ],
)
def test_the_oracle_detects_an_error(
    kind: str, queries: list[Query], bus: list[tuple[int, str]], stored: dict[str, Any]
) -> None:
    """One error in each example."""
    verdict = evaluate(queries, bus, {"p": stored})
    assert getattr(verdict, kind) == ["p"]


def test_a_paid_payment_that_was_never_queried_is_lost() -> None:
    """Its checks ended too early."""
    assert evaluate([], [], {"p": item("UNRESOLVED")}, {"p"}).lost == ["p"]
