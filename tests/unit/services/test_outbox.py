"""P1, P3: events are sent at least once, with the same bytes, and marked only when accepted."""

import json
from unittest.mock import Mock

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from payresult.aws import operator_updates
from payresult.aws.eventbridge import EventPublisher
from payresult.errors import UnreadableItem
from payresult.services.outbox import Outbox
from tests.support.factories import DAY, HOUR, MINUTE, NOW, PAY_ID
from tests.support.fake_aws import Crash
from tests.support.functions import InlineExecutor
from tests.support.tables import Table
from tests.support.world import World


def states(table: Table, *pay_ids: str) -> list[str]:
    """Return the state of each event."""
    return [table.item(pay_id)["eventState"] for pay_id in pay_ids]


def test_an_event_is_sent_as_it_is_stored_and_marked(world: World, table: Table) -> None:
    """With bus, source and detail type, byte for byte (P3)."""
    world.pay(PAY_ID)
    event = table.item()["event"]
    world.now += 250
    published = world.outbox.publish([PAY_ID])
    assert (published.sent, published.refused, published.ages) == (1, {}, [250])
    assert world.bus.entries == [
        {
            "EventBusName": "bus",
            "Source": "payresult",
            "DetailType": "PaymentSucceeded",
            "Detail": event,
        }
    ]
    item = table.item()
    assert (item["eventState"], item["eventSentAt"]) == ("SENT", NOW + 250)
    assert item["event"] == event
    assert not {"workShard", "workAt"} & set(item)


def test_an_event_is_sent_once(world: World) -> None:
    """Two records of a batch, a repeated one, and where the sweeper was faster."""
    world.pay(PAY_ID)
    assert world.outbox.publish([PAY_ID, PAY_ID]).sent == 1
    assert world.outbox.publish([PAY_ID]).sent == 0
    assert len(world.bus.entries) == 1


def test_unpaid_and_unknown_payments_are_not_sent(world: World) -> None:
    """The table decides what is unsent, not the caller (P2)."""
    world.register()
    assert world.outbox.publish([PAY_ID, "unknown"]).sent == 0
    assert world.outbox.publish([]).sent == 0
    assert world.bus.calls == []


@pytest.mark.parametrize("missing", ["event", "eventId"])
def test_half_an_event_is_not_sent(world: World, table: Table, missing: str) -> None:
    """Somebody changed the item by hand."""
    world.pay(PAY_ID)
    table.change(**{missing: None})
    assert world.outbox.publish([PAY_ID]).sent == 0


def test_events_are_sent_in_batches_of_ten(world: World, table: Table) -> None:
    """PutEvents accepts no more."""
    names = [str(number) for number in range(11)]
    world.pay(*names)
    assert world.outbox.publish(names).sent == 11
    assert [len(put) for put in world.bus.calls] == [10, 1]
    assert states(table, *names) == ["SENT"] * 11


def test_only_the_refused_entry_is_not_marked(world: World, table: Table) -> None:
    """Entries are matched by position; HTTP 200 says nothing about each of them."""
    names = list("abcde")
    world.pay(*names)
    world.bus.entry_error = lambda detail: "InternalFailure" if '"payId":"b"' in detail else None
    published = world.outbox.publish(names)
    assert (published.sent, published.refused) == (4, {"b": "InternalFailure"})
    assert states(table, *names) == ["SENT", "PENDING", "SENT", "SENT", "SENT"]
    assert len(world.bus.entries) == 4


def test_an_entry_that_fails_the_call_stops_no_other(world: World, table: Table) -> None:
    """Each entry is sent again alone."""
    names = list("abc")
    world.pay(*names)
    world.bus.entry_error = lambda detail: "poison" if '"payId":"b"' in detail else None
    published = world.outbox.publish(names)
    assert (published.sent, published.refused) == (2, {"b": "ValidationException"})
    assert states(table, *names) == ["SENT", "PENDING", "SENT"]
    sent = [json.loads(entry["Detail"])["data"]["payId"] for entry in world.bus.entries]
    assert sorted(set(sent)) == ["a", "c"]


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "InternalFailure", "ThrottlingException"]
)
def test_errors_of_the_whole_call_are_not_retried_one_by_one(world: World, code: str) -> None:
    """Ten more calls would help nothing."""
    names = list("abc")
    world.pay(*names)
    world.bus.call_error = lambda: code
    published = world.outbox.publish(names)
    assert (published.sent, published.refused) == (0, dict.fromkeys(names, code))
    assert len(world.bus.calls) == 1


def answered(table: Table, *entries: dict[str, str]) -> Outbox:
    """Return an outbox whose bus answers *entries*."""
    bus = Mock(put_events=Mock(return_value={"Entries": entries}))
    return Outbox(
        table.payments, EventPublisher(bus, "bus"), pool=InlineExecutor(), clock=lambda: NOW / 1000
    )


def test_an_entry_without_an_event_id_is_refused(world: World, table: Table) -> None:
    """Also where the bus gives no error code (P1)."""
    world.pay("a", "b")
    published = answered(table, {"EventId": "x"}, {}).publish(["a", "b"])
    assert (published.sent, published.refused) == (1, {"b": "Unknown"})
    assert states(table, "a", "b") == ["SENT", "PENDING"]


def test_an_answer_with_too_few_entries_is_an_error(world: World, table: Table) -> None:
    """Nothing is marked, so all events are sent again."""
    world.pay("a", "b")
    with pytest.raises(ValueError, match="shorter"):
        answered(table, {"EventId": "x"}).publish(["a", "b"])
    assert states(table, "a", "b") == ["PENDING", "PENDING"]


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url="bus"), ReadTimeoutError(endpoint_url="bus")]
)
def test_no_answer_marks_nothing(world: World, table: Table, error: Exception) -> None:
    """An event may be on the bus or not: it is sent again, with the same id."""
    world.pay("a", "b")
    world.fail("put_events", error=error)
    published = world.outbox.publish(["a", "b"])
    assert published.sent == 0
    assert published.refused == dict.fromkeys("ab", type(error).__name__)
    assert states(table, "a", "b") == ["PENDING", "PENDING"]


def test_an_unreadable_item_is_reported(world: World, table: Table) -> None:
    """A later version wrote the item."""
    world.pay("a", "b")
    table.change("a", schemaVersion=2)
    published = world.outbox.publish(["a", "b"])
    assert (published.sent, published.refused) == (1, {})
    assert {pay_id: type(error) for pay_id, error in published.unread.items()} == {
        "a": UnreadableItem
    }
    assert states(table, "a", "b") == ["PENDING", "SENT"]


def test_a_crash_before_the_mark_sends_the_same_event_again(world: World, table: Table) -> None:
    """Same id, same bytes, so that subscribers can de-duplicate (P3)."""
    world.pay(PAY_ID)
    world.once("update_item", world.crash)
    with pytest.raises(Crash):
        world.outbox.publish([PAY_ID])
    world.now += MINUTE
    ages = [world.outbox.publish([PAY_ID]).ages for _ in range(2)]
    assert ages == [[MINUTE], []]  # measured once, up to the sending that marks it
    assert len(world.bus.entries) == 2
    assert world.bus.entries[0] == world.bus.entries[1]
    assert table.item()["eventState"] == "SENT"


def test_two_senders_at_the_same_time_mark_once(world: World, other: World, table: Table) -> None:
    """The other finds it marked: no error, and the age is measured once."""
    world.pay(PAY_ID)
    world.once("update_item", lambda: other.outbox.publish([PAY_ID]))
    published = world.outbox.publish([PAY_ID])
    assert (published.sent, published.refused, published.ages) == (1, {}, [])
    assert table.item()["eventState"] == "SENT"


def test_the_publisher_postpones_nothing(world: World, table: Table) -> None:
    """The stream retries by itself; ``workAt`` stays as it is. The age waits for the bus."""
    world.pay(PAY_ID)
    world.bus.entry_error = lambda _: "InternalFailure"
    world.now += HOUR
    before = table.item()
    assert world.outbox.publish([PAY_ID]).ages == []
    assert table.item() == before
    world.bus.entry_error = lambda _: None
    assert world.outbox.publish([PAY_ID]).ages == [HOUR]


def test_the_sweeper_doubles_the_delay_up_to_15_minutes(world: World, table: Table) -> None:
    """And never stops: an event is not given up (P1)."""
    world.pay(PAY_ID)
    world.bus.entry_error = lambda _: "InternalFailure"
    waits = []
    for _ in range(8):
        world.now = table.item()["workAt"]
        world.outbox.publish([PAY_ID], postpone=True)
        waits.append(table.item()["workAt"] - world.now)
    assert waits == [minutes * MINUTE for minutes in (1, 2, 4, 8, 15, 15, 15, 15)]


def test_the_sweeper_postpones_refused_events_only(world: World, table: Table) -> None:
    """A sent event costs one write."""
    world.pay("a", "b")
    world.bus.entry_error = lambda detail: "InternalFailure" if '"payId":"b"' in detail else None
    calls = world.recorded()
    world.outbox.publish(["a", "b"], postpone=True)
    assert calls.count("update_item") == 2
    assert states(table, "a", "b") == ["SENT", "PENDING"]


def test_delay_and_age_count_from_the_republish(world: World, table: Table) -> None:
    """Not from the success."""
    world.pay(PAY_ID)
    world.outbox.publish([PAY_ID])
    world.now += HOUR
    table.payments.write(PAY_ID, operator_updates.republish(table.payment(), world.now))
    world.bus.entry_error = lambda _: "InternalFailure"
    world.now += 2 * MINUTE
    world.outbox.publish([PAY_ID], postpone=True)
    assert table.item()["workAt"] == world.now + 2 * MINUTE
    world.bus.entry_error = lambda _: None
    world.now += 250
    assert world.outbox.publish([PAY_ID]).ages == [2 * MINUTE + 250]


def test_a_refused_event_waits_at_least_a_minute(world: World, table: Table) -> None:
    """Also where it is refused in the second of the success."""
    world.pay(PAY_ID)
    world.bus.entry_error = lambda _: "InternalFailure"
    world.outbox.publish([PAY_ID], postpone=True)
    assert table.item()["workAt"] == NOW + MINUTE


def test_an_event_sent_meanwhile_is_not_postponed(world: World, other: World, table: Table) -> None:
    """The refused one was a second attempt."""
    world.pay(PAY_ID)
    world.bus.entry_error = lambda _: "InternalFailure"
    world.once("update_item", lambda: other.outbox.publish([PAY_ID]))
    world.outbox.publish([PAY_ID], postpone=True)
    item = table.item()
    assert item["eventState"] == "SENT"
    assert "workAt" not in item


@pytest.mark.parametrize(
    ("retention", "expires_at"),
    [({}, None), ({"retention_days": 30}, (NOW + 30 * DAY) // 1000)],
)
def test_a_sent_event_lets_the_payment_be_deleted_later(
    world: World, table: Table, retention: dict[str, int], expires_at: int | None
) -> None:
    """By RetentionDays; without it, never."""
    world.pay(PAY_ID)
    bus = EventPublisher(world.connect("", "bus"), "bus")
    pool = InlineExecutor()
    outbox = Outbox(table.payments, bus, pool=pool, clock=lambda: world.now / 1000, **retention)
    outbox.publish([PAY_ID])
    assert table.item().get("expiresAt") == expires_at
