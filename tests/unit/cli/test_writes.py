"""What the operators' tool writes: a decision about a REVIEW, and an event that is sent again."""

from dataclasses import replace

import pytest

from payresult.aws import updates
from payresult.aws.expressions import Update
from payresult.domain.event import Event
from payresult.domain.payment import Payment, Registration, Status
from payresult.errors import PaymentChanged
from tests.support.factories import HOUR, MINUTE, NOW, PAY_ID, reply
from tests.support.tables import Table
from tests.support.world import World

SHARD = 2
"""crc32 of PAY_ID, modulo 8."""

PAID_18 = reply(payAmount="$18.00")
ACCEPTED = Registration("A-17", "18.00", "USD")


@pytest.fixture
def world(table: Table) -> World:
    """Everything that follows a payment."""
    return World(table)


def read(world: World) -> Payment:
    """Return the stored payment."""
    found = world.table.store.get_many([PAY_ID])[PAY_ID]
    assert isinstance(found, Payment)
    return found


def in_review(world: World) -> Payment:
    """Bring the payment into REVIEW: 19.99 USD were registered, and 18.00 paid."""
    world.says = lambda _: PAID_18
    world.order(orderId="A-17", expectedAmount="19.99", currency="USD")
    world.run(0)
    payment = read(world)
    assert payment.status is Status.REVIEW
    return payment


def sent(world: World) -> Event:
    """Bring the payment to SUCCEEDED, and its event onto the bus."""
    world.says = lambda _: PAID_18
    world.order()
    world.run(0)
    world.outbox.publish([PAY_ID])
    payment = read(world)
    assert payment.event_state == "SENT"
    return Event(PAY_ID, str(payment.event_id), str(payment.event))


def assert_refused(world: World, update: Update) -> None:
    """Say that the write is refused and changes nothing."""
    before = world.table.item()
    with pytest.raises(PaymentChanged):
        world.table.store.write(PAY_ID, update)
    assert world.table.item() == before


def test_accept_replaces_the_amount_and_plans_a_check_at_once(world: World) -> None:
    """The reason and both amounts are in the history; all else is as it was."""
    payment = in_review(world)
    before = world.table.item()
    now = NOW + MINUTE

    world.table.store.write(PAY_ID, updates.accept(payment, ACCEPTED, "coupon", now))

    entry = {
        "at": now,
        "from": "REVIEW",
        "to": "REVIEW",
        "way": "operator",
        "reason": "coupon",
        "amountFrom": "19.99 USD",
        "amountTo": "18.00 USD",
    }
    assert world.table.item() == before | {
        "expectedAmount": "18.00",
        "history": [*before["history"], entry],
        "nextCheckAt": now,
        "workShard": f"CHECK#{SHARD}",
        "workAt": now,
    }


def test_an_accepted_payment_succeeds_within_the_minute(world: World) -> None:
    """The sweeper has the gateway asked again, which says the same: now it is what is expected."""
    world.table.store.write(PAY_ID, updates.accept(in_review(world), ACCEPTED, "coupon", NOW))

    world.run(MINUTE)

    payment = read(world)
    assert (payment.status, payment.event_state) == (Status.SUCCEEDED, "PENDING")
    assert len(world.asked) == 2
    assert [change.reason for change in payment.history] == [None, None, "coupon", None]


def test_an_accepted_payment_that_the_gateway_contradicts_stays_in_review(world: World) -> None:
    """An operator's word is no payment: late checks go on, counted from the decision."""
    payment = in_review(world)
    world.table.store.write(PAY_ID, updates.accept(payment, ACCEPTED, "coupon", NOW))
    world.says = lambda _: reply(payAmount="$1.00")

    world.run(MINUTE)

    after = read(world)
    assert after.status is Status.REVIEW
    assert after.next_check_at == NOW + HOUR


def test_accept_is_refused_once_the_payment_is_not_in_review(world: World) -> None:
    """It was paid in full, say, while the operator thought about it."""
    payment = in_review(world)
    world.says = lambda _: reply(payAmount="$19.99")
    world.run(2 * HOUR)
    assert read(world).status is Status.SUCCEEDED

    assert_refused(world, updates.accept(payment, ACCEPTED, "coupon", world.now))


def test_accept_is_refused_where_another_amount_was_registered_meanwhile(world: World) -> None:
    """The operator decided about other figures."""
    payment = in_review(world)
    world.table.change(expectedAmount="18.50")

    assert_refused(world, updates.accept(payment, ACCEPTED, "coupon", NOW))


def test_accept_names_no_amount_where_none_was_registered(world: World) -> None:
    """Only the currency was, and it contradicted."""
    world.says = lambda _: reply(payAmount="EUR 18.00")
    world.order(currency="USD")
    world.run(0)
    accepted = Registration(None, "18.00", "EUR")

    world.table.store.write(PAY_ID, updates.accept(read(world), accepted, "traveller", NOW))

    entry = world.table.item()["history"][-1]
    assert (entry["amountFrom"], entry["amountTo"]) == ("USD", "18.00 EUR")
    assert read(world).registration == accepted


def test_accept_tells_of_no_amount_where_nothing_was_registered(world: World) -> None:
    """A hand took it away; what is accepted now is told."""
    in_review(world)
    world.table.change(expectedAmount=None, currency=None)
    world.table.store.write(PAY_ID, updates.accept(read(world), ACCEPTED, "coupon", NOW))
    entry = world.table.item()["history"][-1]
    assert "amountFrom" not in entry
    assert entry["amountTo"] == "18.00 USD"


def test_a_republished_event_is_sent_again_with_the_same_id_and_bytes(world: World) -> None:
    """The write looks to the publisher like the one that made the event."""
    event = sent(world)
    before = world.table.item()
    now = NOW + HOUR

    world.table.store.write(PAY_ID, updates.republish(event, now))

    entry = {"at": now, "from": "SUCCEEDED", "to": "SUCCEEDED", "way": "operator"}
    assert world.table.item() == before | {
        "eventState": "PENDING",
        "history": [*before["history"], entry],
        "workShard": f"EVENT#{SHARD}",
        "workAt": now + MINUTE,
    }
    world.outbox.publish([PAY_ID])
    assert [entry["Detail"] for entry in world.bus] == [event.detail] * 2
    assert read(world).event_state == "SENT"


def test_the_sweeper_sends_a_republished_event_that_the_stream_lost(world: World) -> None:
    """A minute after it was marked."""
    event = sent(world)
    world.table.store.write(PAY_ID, updates.republish(event, world.now))

    world.run(2 * MINUTE)

    assert len(world.bus) == 2
    assert read(world).event_state == "SENT"


def test_republish_is_refused_while_the_event_waits_to_be_sent(world: World) -> None:
    """It would put off what the sweeper is about to send."""
    event = sent(world)
    again = updates.republish(event, NOW)
    world.table.store.write(PAY_ID, again)

    assert_refused(world, again)


def test_republish_is_refused_for_another_event(world: World) -> None:
    """The id must be the one that is stored."""
    event = sent(world)

    assert_refused(world, updates.republish(replace(event, event_id="another"), NOW))
