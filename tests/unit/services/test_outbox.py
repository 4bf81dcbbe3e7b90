"""From the outbox to the bus: at least once, the same bytes, and marked only when it is there."""

import json
from unittest.mock import Mock

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from payresult.aws import updates
from payresult.aws.eventbridge import EventPublisher
from payresult.domain.event import Event
from payresult.domain.payment import CheckMessage
from payresult.services.outbox import Outbox
from tests.support.factories import HOUR, MINUTE, NOW, PAY_ID, reply
from tests.support.tables import MemoryTable, Table
from tests.support.world import Crash, Inline, World


@pytest.fixture
def table() -> Table:
    """A table in memory: what is tested here is what is done with it."""
    return MemoryTable()


def paid(table: Table, *pay_ids: str) -> World:
    """Return a world in which *pay_ids* are paid and their events unsent."""
    world = World(table)
    world.says = lambda pay_id: reply(payId=pay_id)
    world.follow(*(CheckMessage(pay_id) for pay_id in pay_ids))
    return world


def states(table: Table, *pay_ids: str) -> list[str]:
    """Return the state of each event."""
    return [table.item(pay_id)["eventState"] for pay_id in pay_ids]


def test_an_event_goes_out_as_it_was_frozen_and_is_marked(table: Table) -> None:
    """To our bus, from our source, under its name, byte for byte (P3)."""
    world = paid(table, PAY_ID)
    event = table.item()["event"]
    world.now += 250
    published = world.outbox.publish([PAY_ID])
    assert (published.sent, published.refused, published.ages) == (1, {}, [250])
    assert world.bus == [
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


def test_what_is_sent_is_not_sent_again(table: Table) -> None:
    """A record that the stream delivers twice, or that the sweeper has sent meanwhile."""
    world = paid(table, PAY_ID)
    world.outbox.publish([PAY_ID])
    assert world.outbox.publish([PAY_ID]).sent == 0
    assert len(world.bus) == 1


def test_a_repeated_pay_id_is_sent_once(table: Table) -> None:
    """Two records of one payment in one batch."""
    world = paid(table, PAY_ID)
    assert world.outbox.publish([PAY_ID, PAY_ID]).sent == 1
    assert len(world.bus) == 1


def test_what_is_not_paid_or_not_there_is_not_sent(table: Table) -> None:
    """The table says what is unsent, not the caller (P2)."""
    world = World(table)
    world.register()
    assert world.outbox.publish([PAY_ID, "unknown"]).sent == 0
    assert world.outbox.publish([]).sent == 0
    assert world.puts == []


@pytest.mark.parametrize("missing", ["event", "eventId"])
def test_half_an_outbox_is_not_sent(table: Table, missing: str) -> None:
    """A hand that left an item so must mend it."""
    world = paid(table, PAY_ID)
    table.change(**{missing: None})
    assert world.outbox.publish([PAY_ID]).sent == 0


def test_events_go_out_in_tens(table: Table) -> None:
    """PutEvents takes no more."""
    names = [str(number) for number in range(11)]
    world = paid(table, *names)
    assert world.outbox.publish(names).sent == 11
    assert [len(put) for put in world.puts] == [10, 1]
    assert states(table, *names) == ["SENT"] * 11


def test_one_refused_entry_is_the_only_one_not_marked(table: Table) -> None:
    """By its place in the answer: HTTP 200 says nothing about an entry."""
    names = list("abcde")
    world = paid(table, *names)
    world.refuses_event = lambda detail: "InternalFailure" if '"payId":"b"' in detail else None
    published = world.outbox.publish(names)
    assert (published.sent, published.refused) == (4, {"b": "InternalFailure"})
    assert states(table, *names) == ["SENT", "PENDING", "SENT", "SENT", "SENT"]
    assert len(world.bus) == 4


def test_one_bad_entry_that_fails_the_whole_call_does_not_keep_back_the_others(
    table: Table,
) -> None:
    """The others go alone."""
    names = list("abc")
    world = paid(table, *names)
    invalid = "whole call: ValidationException"
    world.refuses_event = lambda detail: invalid if '"payId":"b"' in detail else None
    published = world.outbox.publish(names)
    assert (published.sent, published.refused) == (2, {"b": "ValidationException"})
    assert states(table, *names) == ["SENT", "PENDING", "SENT"]
    sent = [json.loads(entry["Detail"])["data"]["payId"] for entry in world.bus]
    assert sorted(set(sent)) == ["a", "c"]


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "InternalFailure", "ThrottlingException"]
)
def test_a_call_refused_for_no_entry_s_fault_is_not_followed_by_ten(
    table: Table, code: str
) -> None:
    """All wait: ten calls more would only make it worse."""
    names = list("abc")
    world = paid(table, *names)
    world.refuses_event = lambda _: f"whole call: {code}"
    published = world.outbox.publish(names)
    assert (published.sent, published.refused) == (0, dict.fromkeys(names, code))
    assert len(world.puts) == 1


def answered(table: Table, *entries: dict[str, str]) -> Outbox:
    """Return an outbox whose bus answers just *entries*."""
    bus = Mock(put_events=Mock(return_value={"Entries": entries}))
    return Outbox(
        table.payments, EventPublisher(bus, "bus"), pool=Inline(), clock=lambda: NOW / 1000
    )


def test_an_entry_without_an_id_is_not_on_the_bus(table: Table) -> None:
    """Also where the bus does not say why (P1)."""
    paid(table, "a", "b")
    published = answered(table, {"EventId": "x"}, {}).publish(["a", "b"])
    assert (published.sent, published.refused) == (1, {"b": "Unknown"})
    assert states(table, "a", "b") == ["SENT", "PENDING"]


def test_an_answer_without_a_word_on_each_entry_is_an_error(table: Table) -> None:
    """Nobody guesses which one is missing, and none is marked: all are sent again."""
    paid(table, "a", "b")
    with pytest.raises(ValueError, match="shorter"):
        answered(table, {"EventId": "x"}).publish(["a", "b"])
    assert states(table, "a", "b") == ["PENDING", "PENDING"]


@pytest.mark.parametrize(
    "error",
    [EndpointConnectionError(endpoint_url="bus"), ReadTimeoutError(endpoint_url="bus")],
)
def test_no_answer_marks_nothing(table: Table, error: Exception) -> None:
    """It may be on the bus or not: it is sent again, with the same id."""
    world = paid(table, "a", "b")

    def broken(name: str) -> None:
        if name == "put_events":
            raise error

    world.before = broken
    published = world.outbox.publish(["a", "b"])
    assert published.sent == 0
    assert published.refused == dict.fromkeys("ab", type(error).__name__)
    assert states(table, "a", "b") == ["PENDING", "PENDING"]


def test_an_unreadable_item_is_told_and_does_not_keep_back_its_neighbours(table: Table) -> None:
    """A later version of us wrote it."""
    world = paid(table, "a", "b")
    table.change("a", schemaVersion=2)
    published = world.outbox.publish(["a", "b"])
    assert (published.sent, published.refused) == (1, {"a": "UnreadableItem"})
    assert states(table, "a", "b") == ["PENDING", "SENT"]


def test_a_crash_between_bus_and_mark_sends_the_same_again(table: Table) -> None:
    """Same id, same bytes: subscribers de-duplicate (P3)."""
    world = paid(table, PAY_ID)

    def crash(name: str) -> None:
        if name == "update_item":
            world.before = lambda _: None
            raise Crash

    world.before = crash
    with pytest.raises(Crash):
        world.outbox.publish([PAY_ID])
    world.run(5 * MINUTE)
    assert len(world.bus) == 2
    assert world.bus[0] == world.bus[1]
    assert table.item()["eventState"] == "SENT"


def test_of_publisher_and_sweeper_at_the_same_moment_one_marks(table: Table) -> None:
    """The other one finds it marked: no trouble, and its age is told once."""
    world, other = paid(table, PAY_ID), World(table)

    def meanwhile(name: str) -> None:
        if name == "update_item":
            world.before = lambda _: None
            other.outbox.publish([PAY_ID])

    world.before = meanwhile
    published = world.outbox.publish([PAY_ID])
    assert (published.sent, published.refused, published.ages) == (1, {}, [])
    assert table.item()["eventState"] == "SENT"


def test_the_stream_s_way_postpones_nothing(table: Table) -> None:
    """The stream tries by itself, and the sweeper's minute stays the sweeper's minute."""
    world = paid(table, PAY_ID)
    world.refuses_event = lambda _: "InternalFailure"
    world.now += HOUR
    before = table.item()
    world.outbox.publish([PAY_ID])
    assert table.item() == before


def test_the_sweeper_s_way_waits_twice_as_long_each_time_up_to_15_minutes(table: Table) -> None:
    """And never ends: an event is not given up (P1)."""
    world = paid(table, PAY_ID)
    world.refuses_event = lambda _: "InternalFailure"
    waits = []
    for _ in range(8):
        world.now = table.item()["workAt"]
        world.outbox.publish([PAY_ID], postpone=True)
        waits.append(table.item()["workAt"] - world.now)
    assert waits == [minutes * MINUTE for minutes in (1, 2, 4, 8, 15, 15, 15, 15)]


def test_the_sweeper_s_way_postpones_only_what_was_refused(table: Table) -> None:
    """What is on the bus costs one write, and not a second one that is refused."""
    world = paid(table, "a", "b")
    world.refuses_event = lambda detail: "InternalFailure" if '"payId":"b"' in detail else None
    calls: list[str] = []
    world.before = calls.append
    world.outbox.publish(["a", "b"], postpone=True)
    assert calls.count("update_item") == 2
    assert states(table, "a", "b") == ["SENT", "PENDING"]


def test_an_event_that_an_operator_has_sent_again_waits_since_then(table: Table) -> None:
    """Its age, and the time that it waits for another try, count from the wish."""
    world = paid(table, PAY_ID)
    world.outbox.publish([PAY_ID])
    world.now += HOUR
    item = table.item()
    event = Event(PAY_ID, item["eventId"], item["event"])
    table.payments.write(PAY_ID, updates.republish(event, world.now))
    world.refuses_event = lambda _: "InternalFailure"
    world.now += 2 * MINUTE
    world.outbox.publish([PAY_ID], postpone=True)
    assert table.item()["workAt"] == world.now + 2 * MINUTE
    world.refuses_event = lambda _: None
    world.now += 250
    assert world.outbox.publish([PAY_ID]).ages == [2 * MINUTE + 250]


def test_an_event_refused_early_waits_for_a_minute_at_least(table: Table) -> None:
    """A sweep that comes in the same second must not spin."""
    world = paid(table, PAY_ID)
    world.refuses_event = lambda _: "InternalFailure"
    world.outbox.publish([PAY_ID], postpone=True)
    assert table.item()["workAt"] == NOW + MINUTE


def test_an_event_sent_meanwhile_is_not_postponed(table: Table) -> None:
    """The refused one was a second try."""
    world, other = paid(table, PAY_ID), World(table)
    world.refuses_event = lambda _: "InternalFailure"

    def meanwhile(name: str) -> None:
        if name == "update_item":
            world.before = lambda _: None
            other.outbox.publish([PAY_ID])

    world.before = meanwhile
    world.outbox.publish([PAY_ID], postpone=True)
    item = table.item()
    assert item["eventState"] == "SENT"
    assert "workAt" not in item


def test_with_a_dead_bus_the_event_waits_and_then_goes_out(table: Table) -> None:
    """Hours later, and once."""
    world = paid(table, PAY_ID)
    world.refuses_event = lambda _: "InternalFailure"
    world.run(3 * HOUR)
    assert 10 <= len(world.puts) <= 17
    world.refuses_event = lambda _: None
    world.run(20 * MINUTE)
    assert (len(world.bus), table.item()["eventState"]) == (1, "SENT")
