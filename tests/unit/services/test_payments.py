"""P1, P2, P6, P7: looking payments up, and registering them."""

import pytest

from payresult.domain.outcome import Outcome
from payresult.domain.payment import Payment, Registration, Status
from payresult.errors import (
    GatewayUnavailable,
    InvalidReply,
    QueueSendError,
    RegistrationConflict,
    UnreadableItem,
    WriteConflict,
)
from tests.support.factories import DAY, HOUR, MINUTE, NOW, PAY_ID, SECOND, reply
from tests.support.tables import Table
from tests.support.world import World

DOWN = GatewayUnavailable("down", pay_id=PAY_ID)
INVALID = InvalidReply("no meaning", pay_id=PAY_ID)


def says(world: World, pay_rst: str, **fields: str) -> None:
    """Let the gateway give this answer about every payment."""
    world.says = lambda pay_id: reply(pay_rst, payId=pay_id, **fields)


def looked_up(world: World) -> tuple[Outcome, Payment]:
    """Look PAY_ID up, and return the outcome and its payment."""
    [outcome] = world.get()
    assert outcome.payment is not None
    return outcome, outcome.payment


# Looking up


def test_a_settled_payment_comes_from_the_table(world: World) -> None:
    """One read, and the gateway is not asked."""
    says(world, "success")
    world.order()
    world.run(0)
    calls = world.recorded()
    outcome, payment = looked_up(world)
    assert (payment.status, outcome.result) == (Status.SUCCEEDED, None)
    assert calls == ["batch_get_item"]


def test_an_open_payment_is_checked_and_the_reply_is_stored(world: World, table: Table) -> None:
    """``attempt`` and ``step`` do not change. FAILED plans late checks."""
    world.order()
    world.run(10 * SECOND)
    before = table.item()
    says(world, "fail", payAmount="5")
    _, payment = looked_up(world)
    after = table.item()
    assert payment.status is Status.FAILED
    assert (after["status"], after["reply"]["payAmount"]) == ("FAILED", "5")
    assert after["checks"] == before["checks"] + 1
    assert after["history"][-1]["way"] == "api"
    for name in ("attempt", "step"):
        assert after[name] == before[name]
    assert after["nextCheckAt"] == after["workAt"] == world.now + HOUR


def test_a_registered_payment_is_checked_at_most_every_two_seconds(world: World) -> None:
    """By the queue and all callers together; the others get what is stored (P6)."""
    world.order()
    world.run(0)
    for at in (0, 100, 1999, 2000, 3999, 4000):
        world.now = NOW + at
        _, payment = looked_up(world)
        assert not payment.stale
    assert [at - NOW for _, at in world.asked] == [0, 2000, 4000]


def test_two_callers_at_the_same_time_make_one_check(world: World, other: World) -> None:
    """The other gets what is stored."""
    world.register()
    world.once("update_item", other.get)
    outcome, payment = looked_up(world)
    assert (len(world.asked), len(other.asked)) == (0, 1)
    assert (payment.pay_id, outcome.result, payment.stale) == (PAY_ID, None, False)


@pytest.mark.parametrize("error", [DOWN, INVALID])
def test_without_a_reply_a_caller_gets_what_is_stored(
    world: World, table: Table, error: GatewayUnavailable | InvalidReply
) -> None:
    """Marked stale; nothing changes but the times of the check (P7)."""
    world.order(expectedAmount="5")
    world.run(30 * SECOND)
    before = table.item()
    world.says = lambda _: error
    outcome, payment = looked_up(world)
    assert outcome.error is None
    assert payment.stale
    assert payment.reply["payRst"] == "wait"
    times = {"lastCheckedAt": world.now, "lastUnansweredAt": world.now}
    assert table.item() == before | times


def test_stale_is_the_same_for_all_callers_and_does_not_flap(world: World) -> None:
    """Eight callers within the seconds of an outage, and after it."""
    world.order()
    world.run(30 * SECOND)
    says(world, "wait")
    assert [looked_up(world)[1].stale] == [False]
    world.says = lambda _: DOWN
    world.now += 2 * SECOND
    seen = []
    for _ in range(8):
        seen += [looked_up(world)[1].stale]
        world.now += 700
    assert seen == [True] * 8
    says(world, "wait")
    world.now += 2 * SECOND
    assert [looked_up(world)[1].stale] == [False]


def test_a_query_in_vain_that_meets_a_success_tells_the_success(world: World, other: World) -> None:
    """The queue found it at the same moment."""
    world.order()
    world.run(30 * SECOND)
    says(other, "success")
    other.now = world.now + MINUTE

    def answer(_: str) -> object:
        other.get()
        return DOWN

    world.says = answer  # type: ignore[assignment]  # mypy does not see that it is one
    _, payment = looked_up(world)
    assert (payment.status, payment.stale) == (Status.SUCCEEDED, False)


@pytest.mark.parametrize("error", [DOWN, INVALID])
def test_without_a_reply_and_a_stored_payment_there_is_an_error(
    world: World, table: Table, error: GatewayUnavailable | InvalidReply
) -> None:
    """Its type decides the HTTP status."""
    world.says = lambda _: error
    [outcome] = world.get()
    assert (outcome.error, outcome.payment, outcome.stored) == (error, None, False)
    assert table.scan() == []


@pytest.mark.parametrize(("pay_rst", "status"), [("wait", "PENDING"), ("fail", "FAILED")])
def test_only_what_is_paid_is_stored(world: World, table: Table, pay_rst: str, status: str) -> None:
    """Otherwise the reply is returned, truncated as if it were stored, and not stored."""
    says(world, pay_rst, payAmount="5", servicePlanShowName="x" * 60_000)
    outcome, payment = looked_up(world)
    assert (payment.status, outcome.stored) == (status, False)
    assert (payment.checks, payment.reply["payAmount"]) == (1, "5")
    assert payment.reply["servicePlanShowName"] == "x" * 1024 + "…[cut]"
    assert payment.last_checked_at == NOW
    assert (table.scan(), world.queue.waiting) == ([], [])


def test_an_unregistered_payment_that_is_paid_has_its_event(world: World, table: Table) -> None:
    """The item is complete, and the event is sent (P1)."""
    says(world, "success", payAmount="$5")
    outcome, payment = looked_up(world)
    assert payment.settled
    assert outcome.stored
    world.run(2 * MINUTE)
    assert len(world.bus.entries) == 1
    change = {"at": NOW, "from": "PENDING", "to": "SUCCEEDED", "way": "api", "payRst": "success"}
    assert table.item()["history"] == [change]


def test_an_amount_registered_meanwhile_is_verified(world: World, table: Table) -> None:
    """A GET read no registration, a PUT came in between: it is decided again (P2)."""

    def answer(pay_id: str) -> object:
        world.says = lambda _: DOWN
        world.register(expected_amount="19.99")
        return reply(payId=pay_id, payAmount="5")

    world.says = answer  # type: ignore[assignment]  # mypy does not see that it is a Reply
    _, payment = looked_up(world)
    assert payment.status is Status.REVIEW
    item = table.item()
    assert (item["status"], item["expectedAmount"]) == ("REVIEW", "19.99")
    assert "eventId" not in item


def test_where_registration_is_required_a_registered_payment_is_checked(table: Table) -> None:
    """As without the requirement."""
    world = World(table, require_registration=True)
    world.register()
    says(world, "success")
    _, payment = looked_up(world)
    assert payment.settled


def test_payments_are_returned_once_in_the_order_asked(world: World, table: Table) -> None:
    """Each with a payment or with its own error."""
    world.register("b")
    world.register("c")
    table.change("c", schemaVersion=2)
    world.says = lambda pay_id: reply(payId=pay_id) if pay_id != "d" else DOWN
    outcomes = world.get("d", "b", "c", "a", "b", "d")
    assert [outcome.pay_id for outcome in outcomes] == ["d", "b", "c", "a"]
    assert [type(outcome.error) for outcome in outcomes] == [
        *(GatewayUnavailable, type(None), UnreadableItem, type(None))
    ]
    assert sorted(pay_id for pay_id, _ in world.asked) == ["a", "b", "d"]


# Registering


def test_a_registered_payment_is_stored_and_followed(world: World, table: Table) -> None:
    """Its first check is queued, without a delay."""
    payment = world.service.register(PAY_ID, Registration("A-17", "19.99", "USD"))
    assert (payment.status, payment.registration.order_id) == (Status.PENDING, "A-17")
    assert table.item()["expectedAmount"] == "19.99"
    says(world, "success", payAmount="$19.99")
    world.run(2 * MINUTE)
    assert (len(world.asked), len(world.bus.entries)) == (1, 1)


def test_registering_the_same_again_causes_no_second_check(world: World) -> None:
    """A caller that repeats the request until it is answered."""
    for _ in range(3):
        world.register(order_id="A-17")
    world.run(1 * SECOND)
    assert len(world.asked) == 1
    waiting = list(world.queue.waiting)
    world.register(order_id="A-17")
    assert world.queue.waiting == waiting
    world.run(1 * SECOND)
    assert len(world.asked) == 1


def test_registering_another_value_is_a_conflict(world: World, table: Table) -> None:
    """The error names the field."""
    world.register(order_id="A-17")
    before = table.item()
    with pytest.raises(RegistrationConflict) as conflict:
        world.register(order_id="A-18")
    assert conflict.value.field == "orderId"
    assert table.item() == before


@pytest.mark.parametrize("first", [{}, {"order_id": "A-17"}])
def test_registrations_at_the_same_time(
    world: World, other: World, table: Table, first: dict[str, str]
) -> None:
    """No field is lost, whether the payment is new or not; of two values the first is kept."""
    if first:
        world.register(**first)
    world.once("update_item", lambda: other.register(expected_amount="5"))
    world.register(currency="USD")
    world.once("update_item", lambda: other.register(order_id="A-17"))
    with pytest.raises(RegistrationConflict):
        world.register(order_id="A-18")
    item = table.item()
    assert (item["expectedAmount"], item["currency"], item["orderId"]) == ("5", "USD", "A-17")


def test_where_sqs_refuses_the_check_the_payment_is_stored(world: World) -> None:
    """The caller gets an error; the sweeper sends the check within 16 minutes (P1)."""
    world.queue.rejects = lambda _: True
    with pytest.raises(QueueSendError):
        world.register()
    world.queue.rejects = lambda _: False
    says(world, "success")
    world.run(20 * MINUTE)
    assert len(world.bus.entries) == 1


@pytest.mark.parametrize(("pay_rst", "status"), [("wait", "EXPIRED"), ("fail", "FAILED")])
def test_registering_restarts_a_payment_that_ended(table: Table, pay_rst: str, status: str) -> None:
    """As a message without ``step`` does; also while late checks are planned."""
    world = World(table, delays=(5,))
    says(world, pay_rst)
    world.register()
    world.run(MINUTE)
    assert table.item()["status"] == status
    asked = len(world.asked)
    says(world, "wait")
    world.register(order_id="A-17")
    item = table.item()
    assert (item["status"], item["attempt"], item["orderId"]) == ("PENDING", 0, "A-17")
    assert item["giveUpAt"] == world.now + 9 * DAY
    world.run(MINUTE)
    assert len(world.asked) == asked + 2


def test_registering_a_paid_payment_causes_no_check(world: World, table: Table) -> None:
    """An order may be added at any time."""
    says(world, "success")
    world.register()
    world.run(0)
    payment = world.service.register(PAY_ID, Registration("A-17"))
    assert world.queue.waiting == []
    world.run(1 * MINUTE)
    assert (payment.status, len(world.asked)) == ("SUCCEEDED", 1)
    assert table.item()["orderId"] == "A-17"


def test_registering_a_review_again_causes_one_check(world: World, table: Table) -> None:
    """It keeps its status, and may find the right amount (P1)."""
    says(world, "success", payAmount="$5")
    world.register(expected_amount="19.99")
    world.run(2 * DAY)
    assert table.item()["status"] == "REVIEW"
    says(world, "success", payAmount="$19.99")
    world.register(expected_amount="19.99")
    assert table.item()["status"] == "REVIEW"
    world.run(MINUTE)
    assert table.item()["status"] == "SUCCEEDED"


def test_endless_changes_are_a_conflict(world: World, table: Table) -> None:
    """After five attempts; the message is delivered again, or the caller asks again."""
    world.register()

    def change(name: str) -> None:
        if name == "update_item":
            table.change(orderId=None if "orderId" in table.item() else "X")

    world.before = change
    with pytest.raises(WriteConflict):
        world.register(currency="USD")
