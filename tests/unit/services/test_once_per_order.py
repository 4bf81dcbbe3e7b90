"""P1, P3, once per order: each success says which payment of its order was first."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from payresult.aws import operator_updates
from payresult.domain.payment import CheckMessage, Registration
from payresult.domain.reply import Reply
from payresult.services.outbox import Outbox
from tests.support.factories import DAY, HOUR, MINUTE, NOW, PARTNER, reply
from tests.support.fake_aws import Crash
from tests.support.functions import Services
from tests.support.tables import Table
from tests.support.world import World

ORDER = Registration("A-17")
DUPLICATE = {"attention": f"{PARTNER}#DUPLICATE", "attentionSince": NOW}

Way = Callable[[World, str], object]


def paid(world: World) -> None:
    """Let the gateway say that all is paid with the same amount."""
    world.says = lambda pay_id: reply(payId=pay_id, payAmount="19,99")


def data(table: Table, pay_id: str) -> dict[str, Any]:
    """Return what the event of a payment says."""
    found: dict[str, Any] = json.loads(table.item(pay_id)["event"])["data"]
    return found


def by_message(world: World, pay_id: str) -> None:
    """A message of an order service."""
    world.follow(CheckMessage(pay_id, ORDER))


def by_get(world: World, pay_id: str) -> None:
    """GET of a registered payment."""
    world.service.ensure_registered(pay_id, None, ORDER, "api")
    world.get(pay_id)


def by_accept(world: World, pay_id: str) -> None:
    """`accept` of a payment in REVIEW, and the check that it plans."""
    world.follow(CheckMessage(pay_id, Registration("A-17", "19.99")))
    payment = world.table.payment(pay_id)
    world.table.payments.write(pay_id, operator_updates.accept(payment, "r", world.now))
    world.sweep()
    world.run(0)


def by_registration_meanwhile(world: World, pay_id: str) -> None:
    """The order is registered between the gateway's answer and the write of the success."""
    world.service.ensure_registered(pay_id, None, Registration(), "api")

    def answer(each: str) -> Reply:
        stored = world.table.payment(pay_id)
        world.service.ensure_registered(pay_id, stored, ORDER, "api")
        return reply(payId=each, payAmount="19,99")

    world.says = answer
    world.get(pay_id)
    paid(world)


WAYS: list[Way] = [by_message, by_get, by_accept, by_registration_meanwhile]


@pytest.mark.parametrize("way", WAYS)
def test_each_way_tells_the_second_payment(world: World, table: Table, way: Way) -> None:
    """The event names the first one, and the payment waits for a person, by the same write."""
    paid(world)
    way(world, "p-1")
    world.now = NOW
    way(world, "p-2")
    first, second = table.item("p-1"), table.item("p-2")
    assert first["status"] == second["status"] == "SUCCEEDED"
    assert "duplicateOf" not in data(table, "p-1")
    assert "attention" not in first
    assert list(data(table, "p-2"))[:4] == ["partnerCode", "payId", "orderId", "duplicateOf"]
    assert data(table, "p-2")["duplicateOf"] == "p-1"
    assert second["attention"] == DUPLICATE["attention"]
    assert table.payments.indexes.count_attention() == 1


def test_payments_of_one_batch_are_told_apart(world: World, table: Table) -> None:
    """One is the first one; a payment of another order, or of none, is no duplicate."""
    paid(world)
    others = [CheckMessage("p-3", Registration("B-4")), CheckMessage("p-4"), CheckMessage("p-5")]
    world.follow(CheckMessage("p-1", ORDER), CheckMessage("p-2", ORDER), *others)
    marked = {each: data(table, each).get("duplicateOf") for each in ("p-1", "p-2", "p-3", "p-4")}
    assert marked == {"p-1": None, "p-2": "p-1", "p-3": None, "p-4": None}


def test_the_marker_comes_before_the_success(world: World, table: Table) -> None:
    """Who crashes in between is asked again, and is the first one still."""
    paid(world)

    def crash(_: str) -> None:
        if table.payments.orders.holder("A-17"):
            world.before = lambda _: None
            raise Crash

    world.before = crash
    with pytest.raises(Crash):
        by_message(world, "p-1")
    assert table.item("p-1")["status"] == "PENDING"
    by_message(world, "p-2")
    by_message(world, "p-1")
    assert "duplicateOf" not in data(table, "p-1")
    assert data(table, "p-2")["duplicateOf"] == "p-1"


def test_a_lost_answer_of_the_marker_is_asked_for_again(world: World, table: Table) -> None:
    """The message comes again; its payment held the marker already."""
    paid(world)
    real = table.client.update_item
    lost: list[str] = []

    def lose(**request: Any) -> Any:
        answer = real(**request)
        if "#order#" in request["Key"]["pk"]["S"] and not lost:
            lost.append("once")
            raise TimeoutError
        return answer

    table.client.update_item = lose  # type: ignore[method-assign] # the answer of one call is lost
    [outcome] = world.follow(CheckMessage("p-1", ORDER))
    assert isinstance(outcome.error, TimeoutError)
    by_message(world, "p-1")
    assert "duplicateOf" not in data(table, "p-1")
    assert table.item("p-1")["status"] == "SUCCEEDED"


@pytest.mark.parametrize("by", ["api", "queue"])
def test_an_order_after_the_success_is_marked_too(world: World, table: Table, by: str) -> None:
    """The event stays as it is, byte for byte; the second payment waits for a person."""
    paid(world)
    for pay_id in ("p-1", "p-2"):
        world.get(pay_id)
    events = {each: table.item(each)["event"] for each in ("p-1", "p-2")}
    for pay_id in ("p-1", "p-2", "p-1", "p-2"):
        if by == "api":
            world.service.register(pay_id, ORDER)
        else:
            by_message(world, pay_id)
    assert {each: table.item(each)["event"] for each in events} == events
    assert "attention" not in table.item("p-1")
    second = table.item("p-2")
    assert second["orderId"] == "A-17"
    assert {name: second[name] for name in DUPLICATE} == DUPLICATE


def test_a_payment_that_is_not_paid_marks_nothing(world: World, table: Table) -> None:
    """Registered, amended, failed, or with another amount."""
    world.says = lambda pay_id: reply("fail", payId=pay_id)
    by_message(world, "p-1")
    world.says = lambda pay_id: reply(payId=pay_id, payAmount="$5")
    world.follow(CheckMessage("p-2", Registration("A-17", "19.99")))
    world.service.register("p-2", Registration("A-17", "19.99", "USD"))
    assert table.payments.orders.holder("A-17") is None


def keeping(world: World, days: int = 30) -> Outbox:
    """Return the outbox of a deployment with RetentionDays."""
    services = Services(
        lambda dependency: world.connect("", dependency),
        lambda: world.now / 1000,
        lambda: 0.5,
        (5,),
        sleep=world.sleep,
        retention_days=days,
    )
    return services.outbox


def test_a_duplicate_is_kept_until_a_person_has_dealt_with_it(world: World, table: Table) -> None:
    """The first one may be deleted after RetentionDays, and the marker with the last one."""
    paid(world)
    outbox = keeping(world)
    by_message(world, "p-1")
    assert outbox.publish(["p-1"]).sent == 1
    expires_at = (NOW + 30 * DAY) // 1000
    marker = {"pk": f"{PARTNER}#order#A-17", "payId": "p-1"}
    assert table.item("p-1")["expiresAt"] == expires_at
    assert marker | {"expiresAt": expires_at} in table.scan()
    by_message(world, "p-2")
    assert outbox.publish(["p-2"]).sent == 1
    second = table.item("p-2")
    assert (second["eventState"], "expiresAt" in second) == ("SENT", False)
    assert marker in table.scan()


def test_a_late_order_keeps_a_payment_from_being_deleted(world: World, table: Table) -> None:
    """One that is a duplicate; the marker of one that is none goes with it."""
    paid(world)
    world.get("p-1", "p-2")
    keeping(world).publish(["p-1", "p-2"])
    world.service.register("p-1", ORDER)
    expires_at = table.item("p-1")["expiresAt"]
    assert table.payments.orders.holder("A-17") == "p-1"
    assert expires_at in [item.get("expiresAt") for item in table.scan() if "status" not in item]
    world.service.register("p-2", ORDER)
    assert "expiresAt" not in table.item("p-2")


def test_an_order_while_the_event_is_sent_keeps_the_payment(world: World, table: Table) -> None:
    """The mark is refused, and the event sent and marked once more: nothing that waits expires."""
    paid(world)
    by_message(world, "p-1")
    world.get("p-2")
    outbox = keeping(world)
    world.once("put_events", lambda: world.service.register("p-2", ORDER))
    outbox.publish(["p-2"])
    assert table.item("p-2")["eventState"] == "PENDING"
    outbox.publish(["p-2"])
    second = table.item("p-2")
    assert (second["eventState"], "expiresAt" in second) == ("SENT", False)
    assert second["attention"] == DUPLICATE["attention"]


def test_the_sweeper_passes_over_markers(world: World, table: Table) -> None:
    """Nothing is due, overdue, unreadable or in attention but the payments."""
    paid(world)
    by_message(world, "p-1")
    by_message(world, "p-2")
    world.run(HOUR)
    world.run(20 * MINUTE)
    assert [each.errors + each.unreadable for each in world.swept] == [[]] * len(world.swept)
    assert sorted(pay_id for pay_id, _ in table.payments.indexes.waiting("DUPLICATE")) == ["p-2"]
    assert len(world.bus.log) == 2
