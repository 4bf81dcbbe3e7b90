"""P1 to P8 on the sandbox's page: each is shown as broken if it is, and only then."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sandbox.gateway import RecordedRequest
from sandbox.page.event_listener import Delivery
from sandbox.page.invariants import Guarantee, Observations, check_guarantees

NOW = 1_790_000_000.0
"""2026-09-21T14:13:20Z."""


def request(answer: str = "paid", at: float = NOW - 10, pay_id: str = "p-1") -> RecordedRequest:
    """A request in the gateway's log."""
    return RecordedRequest(at, pay_id, "ok", answer, "0" * 32)


def item(**changes: Any) -> dict[str, Any]:
    """The item of a paid payment; None removes an attribute."""
    change = {"at": 1, "to": "SUCCEEDED", "way": "queue", "payRst": "success"}
    whole = {
        "payId": "p-1",
        "status": "SUCCEEDED",
        "expectedAmount": "19.99",
        "attempt": 1,
        "lastCheckedAt": int(NOW * 1000),
        "history": [{"at": 0, "to": "PENDING", "way": "api"}, change],
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def delivery(event_id: str = "e-1", seconds: float = 0.1, **data: str) -> Delivery:
    """An event that arrived in the queue after *seconds*."""
    members = {"payId": "p-1", "amount": "19.99", "observedAt": "2026-09-21T14:13:20.000Z"} | data
    detail = {"metadata": {"eventId": event_id}, "data": members}
    return Delivery(round((NOW + seconds) * 1000), {"detail": detail})


def observations(**changes: Any) -> Observations:
    """One payment, paid and with its event: all guarantees are kept."""
    kept = Observations(
        now=NOW,
        requests=[request()],
        items=[item()],
        deliveries=[delivery()],
        dead_letters=[],
        leaks=0,
        lines=7,
        stream_was_stopped=False,
    )
    return replace(kept, **changes)


def broken(found: Sequence[Guarantee]) -> list[str]:
    """The names of those that are not kept."""
    return [each.name for each in found if each.kept is False]


def figures(found: Sequence[Guarantee]) -> dict[str, str]:
    """The figures by name."""
    return {each.name: each.figure for each in found}


def test_one_paid_payment_with_one_event_keeps_all_guarantees() -> None:
    """Each guarantee has a verdict and a figure."""
    found = check_guarantees(observations())
    assert [each.kept for each in found] == [True] * 8
    assert figures(found) == {
        "P1": "0 lost",
        "P2": "0 false",
        "P3": "1 id per payment",
        "P4": "0.10 s to the bus",
        "P5": "0 without a next check",
        "P6": "At most 1 answered check",
        "P7": "0 valid messages in the DLQ",
        "P8": "0 log lines",
    }


RECEIVED = {"at": 1, "to": "SUCCEEDED", "way": "queue", "payRst": "success"}
SENT_AGAIN = {"at": 2, "from": "SUCCEEDED", "to": "SUCCEEDED", "way": "operator"}


def test_nothing_is_judged_without_data() -> None:
    """Zero of zero proves nothing."""
    found = check_guarantees(observations(requests=[], items=[], deliveries=[], lines=0))
    assert [each.kept for each in found] == [None] * 8


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"deliveries": [], "requests": [request(at=NOW - 181)]}, ["P1"]),
        ({"deliveries": [], "requests": [request(at=NOW - 179)]}, []),
        ({"deliveries": [], "requests": [request("wrong", NOW - 999)]}, ["P1"]),
        (
            {
                "deliveries": [],
                "requests": [request("wrong", NOW - 999)],
                "items": [item(status="REVIEW")],
            },
            [],
        ),
        ({"requests": [request("pending")]}, ["P2"]),
        ({"requests": [request("slow")]}, ["P2"]),
        ({"requests": [request("played")]}, []),
        ({"requests": [request("played")], "deliveries": [delivery(amount="1.00")]}, ["P2"]),
        ({"requests": [request("played", pay_id="p-2")]}, ["P2"]),
        ({"deliveries": [delivery(amount="1.00")]}, ["P2"]),
        ({"deliveries": [delivery(amount="much")]}, ["P2"]),
        ({"deliveries": [delivery(amount="1.00")], "items": [item(expectedAmount=None)]}, []),
        ({"deliveries": [delivery(amount="19.990")]}, []),
        ({"deliveries": [delivery(), delivery("e-2")]}, ["P3"]),
        ({"deliveries": [delivery(), delivery(orderId="A-17")]}, ["P3"]),
        ({"deliveries": [delivery(), delivery(seconds=3)]}, []),
        ({"deliveries": [delivery(seconds=179)], "stream_was_stopped": True}, []),
        ({"deliveries": [delivery(seconds=200)]}, ["P4"]),
        ({"deliveries": [delivery(seconds=200)], "stream_was_stopped": True}, ["P4"]),
        ({"items": [item(), item(payId="p-2", status="PENDING")]}, ["P5"]),
        ({"items": [item(), item(payId="p-2", status="PENDING", nextCheckAt=1)]}, []),
        ({"items": [item(), item(payId="p-2", status="UNRESOLVED")]}, []),
        ({"items": [item(attempt=33)]}, ["P6"]),
        ({"items": [item(attempt=32)]}, []),
        ({"dead_letters": [None]}, ["P7"]),
        ({"dead_letters": ["orderId: is not a known field"]}, []),
        ({"items": [item(history=[{"at": 1, "to": "FAILED", "way": "sweeper"}])]}, ["P7"]),
        ({"items": [item(history=[{"at": 1, "to": "UNRESOLVED", "way": "sweeper"}])]}, []),
        ({"items": [item(history=[RECEIVED, SENT_AGAIN])]}, []),
        ({"leaks": 1}, ["P8"]),
    ],
    ids=str,
)
def test_a_violation_breaks_its_guarantee(changes: dict[str, Any], names: list[str]) -> None:
    """That guarantee and no other; at the limit it is kept."""
    assert broken(check_guarantees(observations(**changes))) == names


def test_a_slow_machine_proves_nothing() -> None:
    """A median over a second is not judged: the guarantee is about AWS."""
    found = check_guarantees(observations(deliveries=[delivery(seconds=1.5)]))
    assert [each.name for each in found if each.kept is None] == ["P4"]


def test_two_payments_may_not_share_an_id() -> None:
    """One key means one for each payment."""
    both = [delivery(), delivery(payId="p-2")]
    found = check_guarantees(
        observations(
            deliveries=both,
            requests=[request(), request(pay_id="p-2")],
            items=[item(), item(payId="p-2")],
        )
    )
    assert broken(found) == ["P3"]


def test_without_a_log_of_the_gateway_the_table_has_what_is_paid() -> None:
    """The requests to an external gateway are not recorded."""
    kept = check_guarantees(observations(requests=None))
    lost = check_guarantees(
        observations(
            requests=None, deliveries=[], items=[item(lastCheckedAt=int(NOW * 1000) - 181_000)]
        )
    )
    assert (broken(kept), broken(lost)) == ([], ["P1"])
    assert kept[-1].kept is None


def test_a_foreign_event_on_the_bus_is_false_and_no_more() -> None:
    """An event with none of payresult's members does not stop the evaluation."""
    foreign = Delivery(0, {"detail": {"x": 1}})
    assert broken(check_guarantees(observations(deliveries=[delivery(), foreign]))) == ["P2"]
