"""P6, P7: waiting for the result of a payment, on the virtual clock."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from payresult.domain.payment import Payment, Status
from payresult.errors import GatewayUnavailable, InvalidReply, PayresultError
from tests.support.factories import HOUR, NOW, PAY_ID, SECOND, reply
from tests.support.tables import Table
from tests.support.waiters import Waiters
from tests.support.world import UNREACHABLE, World

DOWN = GatewayUnavailable("down", pay_id=PAY_ID)
BUSY = GatewayUnavailable("busy", pay_id=PAY_ID, retry_after=60)
INVALID = InvalidReply("no meaning", pay_id=PAY_ID)


@pytest.fixture
def world(table: Table) -> World:
    """Nothing but the waiting callers moves."""
    world = World(table)
    world.checks_enabled = world.sweeper_enabled = False
    return world


def wait(world: World, seconds: int = 20) -> tuple[int, Payment]:
    """Wait for PAY_ID; return after how many milliseconds the answer came, and the payment."""
    start = world.now
    last = world.service.wait(PAY_ID, seconds)[-1]
    assert last.payment is not None
    return world.now - start, last.payment


def paid_from(world: World, at: int, pay_rst: str = "success", **fields: str) -> None:
    """Let the gateway know the result from *at* on, in milliseconds after NOW."""
    world.says = lambda pay_id: reply(
        pay_rst if world.now >= NOW + at else "wait", payId=pay_id, **fields
    )


def after_each_pause(world: World, action: Callable[[], object]) -> None:
    """Call *action* whenever a waiting caller has slept."""
    sleep = world.pass_time

    def pass_time(seconds: float) -> None:
        sleep(seconds)
        action()

    world.pass_time = pass_time


def asked(world: World) -> list[int]:
    """Return when the gateway was asked, in milliseconds after NOW."""
    return [at - NOW for _, at in world.asked]


def test_a_pending_payment_is_asked_about_every_2800_ms_until_the_time_is_up(world: World) -> None:
    """At most 8 questions in 20 s, and none later; then what is known is told."""
    world.register()
    after, known = wait(world)
    assert (after, known.status) == (20 * SECOND, Status.PENDING)
    assert asked(world) == [0, 2800, 5600, 8400, 11200, 14000, 16800, 19600]


def test_the_table_is_read_each_second(world: World) -> None:
    """So a waiter sees soon what somebody else found."""
    world.register()
    reads: list[int] = []
    world.before = lambda call: reads.append(world.now - NOW) if call == "batch_get_item" else None
    wait(world, 3)
    assert reads == [0, 1000, 2000, 2800, 3000]


@pytest.mark.parametrize(
    ("pay_rst", "amount", "status"),
    [("success", "5", "SUCCEEDED"), ("success", "6", "REVIEW"), ("fail", "5", "FAILED")],
)
def test_another_status_ends_it(world: World, pay_rst: str, amount: str, status: str) -> None:
    """By the first question after the gateway knows."""
    world.register(expected_amount="5")
    paid_from(world, 4000, pay_rst, payAmount=amount)
    after, known = wait(world)
    assert (after, known.status) == (5600, status)


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.PENDING])
def test_what_is_not_pending_is_told_at_once(world: World, table: Table, status: Status) -> None:
    """After one question, where it is not SUCCEEDED, as by GET."""
    world.register()
    table.change(PAY_ID, status=status.value)
    after, known = wait(world)
    assert (after, known.status) == (0, status)
    assert len(world.asked) == (status is not Status.SUCCEEDED)


@pytest.mark.parametrize(("pay_rst", "status"), [("wait", "PENDING"), ("success", "SUCCEEDED")])
def test_the_unregistered_is_answered_at_once(world: World, pay_rst: str, status: str) -> None:
    """As by GET: one question."""
    paid_from(world, 0, pay_rst)
    after, known = wait(world)
    assert (after, known.status, asked(world)) == (0, status, [0])


@pytest.mark.parametrize("error", [DOWN, INVALID])
def test_where_nothing_is_known_the_error_is_told_at_once(world: World, error: Exception) -> None:
    """As by GET."""
    world.says = lambda _: error  # type: ignore[assignment,return-value]  # it is one of Said
    [outcome] = world.service.wait(PAY_ID, 20)
    assert (outcome.error, outcome.payment, world.now) == (error, None, NOW)


def test_a_waiter_sees_within_a_second_what_somebody_else_found(world: World, other: World) -> None:
    """Without a question of its own."""
    world.register()
    other.says = lambda pay_id: reply(payId=pay_id)

    def get() -> None:
        other.now = world.now
        if world.now == NOW + 2000:
            other.get()

    after_each_pause(world, get)
    after, known = wait(world)
    assert (after, known.status, asked(world)) == (2000, Status.SUCCEEDED, [0])


@pytest.mark.parametrize("paid_at", [7000, 99_000])
def test_fifteen_waiters_ask_no_more_than_one(world: World, paid_at: int) -> None:
    """Each gets its answer within a second of the first, or when its time is up."""
    world.register()
    paid_from(world, paid_at)
    waited: list[int] = []
    ends: list[int] = []

    def caller() -> None:
        waited.append(wait(world)[0])
        ends.append(world.now - NOW)

    Waiters(world).run((NOW + 173 * number, caller) for number in range(15))
    if paid_at < 20 * SECOND:
        assert paid_at <= min(ends) <= paid_at + 2800
        assert max(ends) <= min(ends) + 1000
    else:
        assert waited == [20 * SECOND] * 15
    questions = asked(world)
    assert min(b - a for a, b in pairwise(questions)) >= 2800
    assert len([at for at in questions if at < 20 * SECOND]) <= 8


def test_a_gateway_that_fails_meanwhile_leaves_what_is_stored_marked_stale(world: World) -> None:
    """It is asked on, and no error is told (P7)."""
    world.register()
    world.says = lambda _: DOWN
    after, known = wait(world)
    assert (after, known.status, known.stale) == (20 * SECOND, Status.PENDING, True)
    assert len(world.asked) == 8


def test_a_gateway_that_comes_back_is_heard(world: World) -> None:
    """By the same call."""
    world.register()
    world.says = lambda pay_id: reply(payId=pay_id) if world.now >= NOW + 9000 else DOWN
    after, known = wait(world)
    assert (after, known.status, known.stale) == (11200, Status.SUCCEEDED, False)


def test_silence_of_five_seconds_is_followed_by_a_pause(world: World) -> None:
    """A question takes 5 s then, and the last one ends 5 s after the time is up at most."""
    world.register()

    def silence(_: str) -> GatewayUnavailable:
        world.now += 5 * SECOND
        return DOWN

    world.says = silence
    after, known = wait(world)
    assert known.stale
    assert asked(world) == [0, 6000, 12000, 18000]
    assert after == 23 * SECOND


def test_retry_after_of_the_gateway_is_obeyed(world: World) -> None:
    """Only the table is read from then on."""
    world.register()
    world.says = lambda _: BUSY
    after, known = wait(world)
    assert (after, known.stale, asked(world)) == (20 * SECOND, True, [0])


@pytest.mark.parametrize(
    ("operation", "told"), [("batch_get_item", UNREACHABLE), ("update_item", None)]
)
def test_a_table_that_fails_meanwhile(world: World, operation: str, told: Exception | None) -> None:
    """With the error of the last look, for the log; that one writes nothing."""
    world.register()

    def fail(call: str) -> None:
        if call == operation and world.now > NOW:
            raise UNREACHABLE

    world.before = fail
    start = world.now
    outcomes = world.service.wait(PAY_ID, 20)
    last = outcomes[-1]
    assert world.now - start == 20 * SECOND
    assert last.payment is not None
    assert (last.payment.status, last.error) == (Status.PENDING, told)
    assert asked(world) == [0]
    assert [each.error for each in outcomes[:-1]] == [None] * (len(outcomes) - 1)


def test_a_table_that_fails_for_a_moment_is_forgotten(world: World) -> None:
    """The next look finds the result."""
    world.register()
    paid_from(world, 2800)
    world.fail("batch_get_item", 3, 4)
    after, known = wait(world)
    assert (after, known.status) == (3800, Status.SUCCEEDED)


def test_a_table_that_fails_at_first_is_an_error_at_once(world: World) -> None:
    """Nothing is known: as by GET."""
    world.register()
    world.fail("batch_get_item")
    with pytest.raises(type(UNREACHABLE)):
        world.service.wait(PAY_ID, 20)
    assert world.now == NOW


def test_an_item_that_becomes_unreadable_leaves_what_was_known(world: World, table: Table) -> None:
    """A later version has written it."""
    world.register()
    after_each_pause(world, lambda: table.change(PAY_ID, schemaVersion=2))
    outcome = world.service.wait(PAY_ID, 3)[-1]
    assert outcome.payment is not None
    assert isinstance(outcome.error, PayresultError)


def test_an_erased_payment_is_asked_about_as_by_get(world: World, table: Table) -> None:
    """And that answer is told."""
    world.register()
    after_each_pause(world, table.delete)
    outcome = world.service.wait(PAY_ID, 20)[-1]
    assert (outcome.stored, asked(world)) == (False, [0, 1000])


def test_each_question_is_an_outcome_for_metrics_and_log(world: World) -> None:
    """And so is what is told in the end; looks that only read are not."""
    world.register()
    paid_from(world, 5000)
    outcomes = world.service.wait(PAY_ID, 20)
    assert [each.result is not None for each in outcomes] == [True] * 3
    assert [each.new_status for each in outcomes] == [None, None, Status.SUCCEEDED]
    world.now += HOUR
    outcomes = world.service.wait(PAY_ID, 20)
    assert [each.result for each in outcomes] == [None]


def test_no_question_begins_after_the_time_is_up(world: World) -> None:
    """However long reading the table took."""
    world.register()

    def slow(call: str) -> None:
        if call == "batch_get_item" and world.now >= NOW + 19_000:
            world.now += 9 * SECOND

    world.before = slow
    wait(world)
    assert max(asked(world)) < 20 * SECOND


def test_a_question_that_is_due_when_the_time_is_up_is_not_asked(world: World) -> None:
    """The last look only reads: the answer is not later than asked for."""
    world.register()
    after, _ = wait(world, 14)
    assert (after, max(asked(world))) == (14 * SECOND, 11200)


def test_a_check_of_the_queue_counts_for_who_waits(world: World) -> None:
    """No question within 2.8 s of it: all ask by the same claim."""
    world.register()
    world.checks_enabled = True
    wait(world, 1)
    assert asked(world) == [0, 0]
    world.now += 2799 - SECOND
    wait(world, 1)
    assert asked(world) == [0, 0, 2800]
