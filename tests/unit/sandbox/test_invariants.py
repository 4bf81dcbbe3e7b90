"""The sandbox page's evidence: each promise is called broken when it is, and only then."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sandbox.gateway import Seen
from sandbox.page.event_listener import Delivery
from sandbox.page.invariants import Promise, World, is_sound, promises

NOW = 1_790_000_000.0
"""2026-09-21T14:13:20Z."""


def seen(answer: str = "paid", at: float = NOW - 10, pay_id: str = "p-1") -> Seen:
    """A query in the gateway's log."""
    return Seen(at, pay_id, "ok", answer, "0" * 32)


def item(**changes: Any) -> dict[str, Any]:
    """A paid payment as the table has it; None takes an attribute away."""
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
    """An event that took *seconds* to the queue."""
    told = {"payId": "p-1", "amount": "19.99", "observedAt": "2026-09-21T14:13:20.000Z"} | data
    detail = {"metadata": {"eventId": event_id}, "data": told}
    return Delivery(round((NOW + seconds) * 1000), {"detail": detail})


def world(**changes: Any) -> World:
    """One payment, paid and told, with all promises kept."""
    kept = World(
        now=NOW,
        seen=[seen()],
        items=[item()],
        deliveries=[delivery()],
        letters=[],
        leaks=0,
        lines=7,
        stream_was_stopped=False,
    )
    return replace(kept, **changes)


def broken(found: Sequence[Promise]) -> list[str]:
    """The names of those that are not kept."""
    return [each.name for each in found if each.kept is False]


def figures(found: Sequence[Promise]) -> dict[str, str]:
    """What was counted, by name."""
    return {each.name: each.figure for each in found}


def test_one_payment_told_once_keeps_all_promises() -> None:
    """Each is judged, and what was counted is said."""
    found = promises(world())

    assert [each.kept for each in found] == [True] * 8
    assert figures(found) == {
        "P1": "0 lost",
        "P2": "0 false",
        "P3": "1 id a payment",
        "P4": "0.10 s to the bus",
        "P5": "0 orphans",
        "P6": "At most 1 check",
        "P7": "0 good messages in the DLQ",
        "P8": "0 telling lines",
    }


RECEIVED = {"at": 1, "to": "SUCCEEDED", "way": "queue", "payRst": "success"}
SENT_AGAIN = {"at": 2, "from": "SUCCEEDED", "to": "SUCCEEDED", "way": "operator"}


def test_nothing_is_judged_before_anything_happened() -> None:
    """Nought of nought is no evidence."""
    found = promises(world(seen=[], items=[], deliveries=[], lines=0))

    assert [each.kept for each in found] == [None] * 8


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"deliveries": [], "seen": [seen(at=NOW - 181)]}, ["P1"]),
        ({"deliveries": [], "seen": [seen(at=NOW - 179)]}, []),
        ({"deliveries": [], "seen": [seen("wrong", NOW - 999)]}, ["P1"]),
        (
            {
                "deliveries": [],
                "seen": [seen("wrong", NOW - 999)],
                "items": [item(status="REVIEW")],
            },
            [],
        ),
        ({"seen": [seen("pending")]}, ["P2"]),
        ({"seen": [seen("slow")]}, ["P2"]),
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
        ({"items": [item(attempt=28)]}, ["P6"]),
        ({"items": [item(attempt=27)]}, []),
        ({"letters": ['{"payId": "p-1"}']}, ["P7"]),
        ({"letters": ['{"payId": "two words"}']}, []),
        ({"items": [item(history=[{"at": 1, "to": "FAILED", "way": "sweeper"}])]}, ["P7"]),
        ({"items": [item(history=[{"at": 1, "to": "UNRESOLVED", "way": "sweeper"}])]}, []),
        ({"items": [item(history=[RECEIVED, SENT_AGAIN])]}, []),
        ({"leaks": 1}, ["P8"]),
    ],
    ids=str,
)
def test_what_breaks_a_promise_is_seen(changes: dict[str, Any], names: list[str]) -> None:
    """That promise is broken, and no other; at the edge it still holds."""
    assert broken(promises(world(**changes))) == names


def test_a_slow_machine_is_no_evidence() -> None:
    """A median over a second is neither for nor against the promise, which is about AWS."""
    found = promises(world(deliveries=[delivery(seconds=1.5)]))

    assert [each.name for each in found if each.kept is None] == ["P4"]


def test_two_payments_may_not_share_an_id() -> None:
    """One key means: one for each."""
    both = [delivery(), delivery(payId="p-2")]
    found = promises(
        world(deliveries=both, seen=[seen(), seen(pay_id="p-2")], items=[item(), item(payId="p-2")])
    )

    assert broken(found) == ["P3"]


def test_without_a_log_of_the_gateway_the_table_says_what_is_paid() -> None:
    """Another gateway than the simulated one tells us nothing but its answers."""
    kept = promises(world(seen=None))
    lost = promises(
        world(seen=None, deliveries=[], items=[item(lastCheckedAt=int(NOW * 1000) - 181_000)])
    )

    assert (broken(kept), broken(lost)) == ([], ["P1"])
    assert kept[-1].kept is None


def test_what_others_put_on_the_bus_is_false_and_no_more() -> None:
    """An event that has nothing of ours in it does not stop the count."""
    alien = Delivery(0, {"detail": {"x": 1}})

    assert broken(promises(world(deliveries=[delivery(), alien]))) == ["P2"]


@pytest.mark.parametrize(
    ("letter", "sound"),
    [
        ({"payId": "p-1", "step": 3}, True),
        ({"payIds": ["p-1", "p-2"]}, True),
        ({"payIds": ["p-1", "two words"]}, False),
        ({"payIds": "p-1"}, False),
        ({"payId": 7}, False),
        ({"payId": "p-1", "colour": "red"}, False),
        ({}, False),
        ([], False),
    ],
    ids=str,
)
def test_a_sound_message_is_told_from_a_malformed_one(letter: object, sound: bool) -> None:  # noqa: FBT001  a table's column
    """Only the first has no business in the dead-letter queue."""
    assert is_sound(json.dumps(letter)) is sound


def test_a_message_that_is_no_json_is_malformed() -> None:
    """Whatever it is."""
    assert not is_sound("{")
