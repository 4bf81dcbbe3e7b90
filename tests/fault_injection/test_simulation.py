"""Contract of the simulation and its oracle: as AWS's pages say, and each error is detected."""

import json
from random import Random
from typing import Any

import pytest

from tests.support.fake_aws import VISIBILITY_TIMEOUT_MS, Call
from tests.support.fake_gateway import SECOND, UNAVAILABLE, Query, json_response
from tests.support.oracle import evaluate
from tests.support.simulation import START, Simulation

EVENT_ID = "01d4138b-fce2-573e-8e43-9be6a52b88c6"
"""Of the payment `p` of P000818 in `prod`, by the rule in events/README.md."""


class _FailingHost:
    """Records the SentTimestamp of each message that it is given, and fails all of them."""

    def __init__(self) -> None:
        self.sent_at: list[str] = []

    def invoke(self, _name: str, event: dict[str, Any]) -> Any:
        """Fail each record."""
        self.sent_at += [record["attributes"]["SentTimestamp"] for record in event["Records"]]
        return {
            "batchItemFailures": [
                {"itemIdentifier": each["messageId"]} for each in event["Records"]
            ]
        }


def test_a_redelivery_keeps_the_time_at_which_the_message_was_sent() -> None:
    """Also of a delayed message; only a redrive from the dead-letter queue makes a new one."""
    simulation = Simulation(lambda *_: UNAVAILABLE, Random(1))  # noqa: S311 - repeatable, not secret
    host = simulation.host = _FailingHost()
    simulation.sweeper_enabled = False
    simulation.queue.put("{}", delay=60)
    simulation.run(60_000 + 5 * VISIBILITY_TIMEOUT_MS)
    assert host.sent_at == [str(START)] * 5
    simulation.queue.redrive()
    simulation.run(0)
    assert host.sent_at[5:] == [str(simulation.now)]


def test_the_clock_never_goes_back_when_a_sweep_crashes() -> None:
    """The next sweep comes a minute later, also where the run ends before that."""
    simulation = Simulation(lambda *_: UNAVAILABLE, Random(1))  # noqa: S311 - repeatable, not secret
    simulation.checks_enabled = False
    simulation.put_payment("pay-1")

    def crash_each_sweep(call: Call) -> None:
        if call.function == "sweeper":
            simulation.crash()

    simulation.on_call = crash_each_sweep
    while not simulation.faults:
        crashed_at = simulation.now
        simulation.run(SECOND)
    assert simulation.now > crashed_at + SECOND


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
