"""P4, P5: the sweeper sends due checks and unsent events, and gives up expired payments."""

import pytest

from payresult.domain.payment import CheckMessage
from payresult.services import sweeper
from tests.support.factories import DAY, HOUR, MINUTE, NOW, PAY_ID, SECOND, reply
from tests.support.tables import Table
from tests.support.world import World


def sweep(world: World) -> sweeper.SweepResult:
    """Sweep once and return the result."""
    world.sweep()
    return world.swept[-1]


def bodies(world: World) -> list[str]:
    """Return the bodies of the messages in the queue."""
    return [message.body for message in world.queue.waiting]


def test_a_due_check_is_claimed_and_sent(table: Table) -> None:
    """The next step, without a delay; the claim holds for ten minutes."""
    world = World(table)
    world.follow(CheckMessage(PAY_ID))
    world.queue.waiting.clear()
    world.now = NOW + 15 * MINUTE
    swept = sweep(world)
    assert swept.checks_sent == [PAY_ID]
    assert bodies(world) == [f'{{"payId":"{PAY_ID}","step":2}}']
    assert world.queue.waiting[0].visible_at == world.now
    assert table.item()["workAt"] == world.now + 10 * MINUTE
    assert sweep(world).checks_sent == []


def test_what_is_not_due_is_not_touched(table: Table) -> None:
    """A millisecond before ``workAt``."""
    world = World(table)
    world.register()
    world.queue.waiting.clear()
    world.now = NOW + 15 * MINUTE - 1
    before = table.item()
    swept = sweep(world)
    assert (swept.checks_sent, swept.given_up, swept.published.sent) == ([], [], 0)
    assert (table.item(), world.queue.waiting) == (before, [])


def test_a_check_is_claimed_before_its_message_is_sent(table: Table) -> None:
    """Otherwise two sweepers at the same time would send it twice."""
    world = World(table)
    world.register()
    world.now = NOW + HOUR
    calls: list[str] = []
    world.before = calls.append
    sweep(world)
    assert calls.index("update_item") < calls.index("send_message_batch")


def test_two_sweepers_at_the_same_time_send_one_message(table: Table) -> None:
    """The other finds the check claimed."""
    world, other = World(table), World(table)
    world.register()
    world.queue.waiting.clear()
    world.now = other.now = NOW + HOUR

    world.once("update_item", other.sweep)
    assert sweep(world).checks_sent == []
    assert other.swept[-1].checks_sent == [PAY_ID]
    assert (world.queue.waiting, len(other.queue.waiting)) == ([], 1)


def test_a_check_that_sqs_refuses_is_due_again_in_ten_minutes(table: Table) -> None:
    """It is reported, and the others are sent."""
    world = World(table)
    world.register("a")
    world.register("b")
    world.queue.waiting.clear()
    world.now = NOW + HOUR
    world.queue.rejects = lambda entry: '"a"' in entry["MessageBody"]
    swept = sweep(world)
    assert (swept.checks_sent, swept.checks_refused) == (["b"], ["a"])
    assert table.item("a")["workAt"] == world.now + 10 * MINUTE


def test_the_item_decides_not_the_index(table: Table) -> None:
    """The index lags: what was checked, paid or deleted meanwhile is not sent."""
    world, other = World(table), World(table)
    for pay_id in ("checked", "paid", "gone"):
        world.register(pay_id)
    world.queue.waiting.clear()
    world.now = NOW + HOUR
    other.now = NOW + HOUR - 2 * MINUTE  # so that the event of "paid" is due now
    other.says = lambda pay_id: reply("success" if pay_id == "paid" else "wait", payId=pay_id)

    def meanwhile() -> None:
        other.follow(CheckMessage("checked", step=1), CheckMessage("paid", step=1))
        table.delete("gone")

    world.once("batch_get_item", meanwhile)
    swept = sweep(world)
    assert (swept.checks_sent, swept.given_up, world.queue.waiting) == ([], [], [])


def test_an_unreadable_item_is_reported_and_does_not_stop_the_others(table: Table) -> None:
    """It stays as it is for the version that can read it."""
    world = World(table)
    world.register("a")
    world.register("b")
    world.queue.waiting.clear()
    table.change("a", schemaVersion=2)
    before = table.item("a")
    world.now = NOW + HOUR
    swept = sweep(world)
    assert (swept.checks_sent, swept.unreadable) == (["b"], ["a"])
    assert table.item("a") == before


def test_an_expired_payment_is_given_up_without_a_check(table: Table) -> None:
    """UNRESOLVED, and out of the index; the other one is checked (P5)."""
    world = World(table)
    world.register("a")
    world.register("b")
    world.queue.waiting.clear()
    table.change("a", giveUpAt=NOW + HOUR)
    world.now = NOW + HOUR
    swept = sweep(world)
    assert (swept.given_up, swept.checks_sent) == (["a"], ["b"])
    item = table.item("a")
    assert (item["status"], item["history"][-1]["way"]) == ("UNRESOLVED", "sweeper")
    assert "workAt" not in item


@pytest.mark.parametrize(("status", "rank"), [("FAILED", 20), ("REVIEW", 25)])
def test_failed_and_review_are_never_given_up(table: Table, status: str, rank: int) -> None:
    """Their late check is sent, however late it is."""
    world = World(table)
    world.register()
    world.queue.waiting.clear()
    table.change(status=status, rank=rank, giveUpAt=NOW)
    world.now = NOW + HOUR
    swept = sweep(world)
    assert (swept.given_up, swept.checks_sent) == ([], [PAY_ID])


def test_a_payment_restarted_meanwhile_is_not_given_up(table: Table) -> None:
    """The condition of the write refuses it."""
    world = World(table)
    world.register()
    table.change(giveUpAt=NOW + HOUR)
    world.now = NOW + HOUR

    world.once("update_item", lambda: table.change(giveUpAt=NOW + DAY))
    swept = sweep(world)
    assert swept.given_up == []
    assert table.item()["status"] == "PENDING"


def test_an_unsent_event_is_sent_after_a_minute(table: Table) -> None:
    """Until then it is left to the stream (P4)."""
    world = World(table)
    world.says = lambda pay_id: reply(payId=pay_id)
    world.follow(CheckMessage(PAY_ID))
    world.now = NOW + MINUTE - 1
    assert sweep(world).published.sent == 0
    world.now = NOW + MINUTE
    assert sweep(world).published.sent == 1
    assert len(world.bus.entries) == 1


def test_a_refused_event_is_reported_and_postponed(table: Table) -> None:
    """The checks of the same sweep are sent."""
    world = World(table)
    world.says = lambda pay_id: reply(payId=pay_id)
    world.follow(CheckMessage("paid"))
    world.register("open")
    world.queue.waiting.clear()
    world.bus.entry_error = lambda _: "InternalFailure"
    world.now = NOW + 16 * MINUTE
    swept = sweep(world)
    assert swept.published.refused == {"paid": "InternalFailure"}
    assert swept.checks_sent == ["open"]
    assert table.item("paid")["workAt"] > world.now


def test_only_a_check_whose_message_was_lost_is_overdue(table: Table) -> None:
    """The checks that the sweeper itself sends are on time."""
    world = World(table, delays=(5, 3600))
    world.order("late")
    world.order("lost")
    world.run(10 * SECOND)
    world.queue.waiting.clear()
    table.change("lost", nextCheckAt=NOW + 10 * SECOND, workAt=NOW + HOUR + 10 * SECOND)
    world.now = NOW + HOUR + MINUTE
    swept = sweep(world)
    assert (sorted(swept.checks_sent), swept.overdue) == (["late", "lost"], ["lost"])


def test_followed_payments_are_counted_every_ten_minutes(table: Table) -> None:
    """A count reads the whole index. Settled payments do not count."""
    world = World(table)
    for pay_id in "abc":
        world.register(pay_id)
    table.change("c", workShard="EVENT#1")
    full = NOW - NOW % (10 * MINUTE) + 20 * MINUTE
    counted = []
    for minute in range(10):
        world.now = full + minute * MINUTE
        counted.append(sweep(world).followed)
    assert counted == [2] + [None] * 9


def test_a_sweep_of_an_empty_table_does_nothing(table: Table) -> None:
    """As in most minutes."""
    swept = sweep(World(table))
    assert (swept.published.sent, swept.published.refused) == (0, {})
    assert (swept.checks_sent, swept.given_up, swept.overdue, swept.unreadable) == ([], [], [], [])
