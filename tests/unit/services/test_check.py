"""One check, while others write to the same item: decide again on what is there now."""

from collections.abc import Callable

import pytest

from payresult.domain.outcome import Outcome
from payresult.domain.payment import CheckMessage, Status
from payresult.errors import GatewayUnavailable, WriteConflict
from tests.support.factories import HOUR, NOW, PAY_ID, SECOND, reply
from tests.support.tables import MemoryTable, Table
from tests.support.world import Said, World


@pytest.fixture
def table() -> Table:
    """A table in memory: what is tested here is what is done with it."""
    return MemoryTable()


FOLLOW = CheckMessage(PAY_ID)


def answering(world: World, said: Said, meanwhile: Callable[[], object]) -> None:
    """Have something happen while the gateway answers, once."""

    def answer(_: str) -> Said:
        world.says = lambda _: said
        meanwhile()
        return said

    world.says = answer


def check(world: World, step: int = 1) -> Outcome:
    """Do one check of the chain."""
    [outcome] = world.follow(CheckMessage(PAY_ID, step=step))
    return outcome


@pytest.mark.parametrize(
    ("registered", "status", "events"), [("5", "SUCCEEDED", 1), ("19.99", "REVIEW", 0)]
)
def test_an_amount_registered_in_between_decides(
    table: Table, registered: str, status: str, events: int
) -> None:
    """The reply was judged by the registration as it was read; now it is another one (P2)."""
    world = World(table)
    world.register()
    answering(
        world,
        reply(payAmount="$5"),
        lambda: table.change(expectedAmount=registered, orderId="A-17"),
    )
    outcome = check(world)
    assert outcome.new_status == status
    item = table.item()
    assert (item["status"], item["step"] if status == "REVIEW" else 1) == (status, 1)
    assert ("event" in item) == bool(events)
    if events:
        assert '"orderId":"A-17"' in item["event"]


def test_a_wrong_amount_that_is_put_right_in_between_succeeds(table: Table) -> None:
    """The operator accepted the amount while the gateway answered."""
    world = World(table)
    world.register(expected_amount="19.99")
    answering(world, reply(payAmount="$5"), lambda: table.change(expectedAmount="5"))
    assert check(world).new_status is Status.SUCCEEDED


@pytest.mark.parametrize("pay_rst", ["wait", "fail", "success"])
def test_a_success_in_between_stays_as_it_is(table: Table, pay_rst: str) -> None:
    """One event, one history; the slower check changes nothing and says so."""
    world, other = World(table), World(table)
    world.register()
    other.says = lambda _: reply(payAmount="5")
    answering(world, reply(pay_rst), lambda: check(other))
    outcome = check(world)
    assert (outcome.new_status, outcome.error) == (None, None)
    assert outcome.payment is not None
    assert outcome.payment.settled
    item = table.item()
    assert item["reply"]["payAmount"] == "5"
    assert [change["to"] for change in item["history"]] == ["PENDING", "SUCCEEDED"]


@pytest.mark.parametrize("pay_rst", ["wait", "fail"])
def test_the_slower_of_two_checks_of_a_step_is_fenced(table: Table, pay_rst: str) -> None:
    """A message that was delivered twice: one record, one follow-up that counts."""
    world, other = World(table), World(table)
    world.register()
    other.says = lambda _: reply("wait")
    answering(world, reply(pay_rst), lambda: check(other))
    outcome = check(world)
    assert (outcome.new_status, outcome.error) == (None, None)
    item = table.item()
    assert (item["status"], item["step"], item["attempt"]) == ("PENDING", 1, 1)


@pytest.mark.parametrize("order", [None, "A-17"])
def test_a_success_is_kept_whatever_the_fence_says(table: Table, order: str | None) -> None:
    """The slower of two checks heard that it is paid: that is never dropped (P1)."""
    world, other = World(table), World(table)
    world.register()

    def meanwhile() -> None:
        check(other)
        table.change(orderId=order)  # if so, the first write of the success is refused

    answering(world, reply(), meanwhile)
    assert check(world).new_status is Status.SUCCEEDED
    assert table.item()["status"] == "SUCCEEDED"


def test_a_higher_status_in_between_is_the_start_of_the_next_decision(table: Table) -> None:
    """A caller's live check said FAILED, the chain hears something unknown: still FAILED."""
    world, other = World(table), World(table)
    world.register()
    other.says = lambda _: reply("fail")
    answering(world, reply("wait"), other.get)
    outcome = check(world)
    assert outcome.new_status is None
    item = table.item()
    assert (item["status"], item["step"]) == ("FAILED", 1)
    assert item["workAt"] == NOW + HOUR


def test_two_that_hear_of_the_same_failure_tell_it_once(table: Table) -> None:
    """One change in the history, one count, by chain and live check at the same time."""
    world, other = World(table), World(table)
    world.register()
    other.says = lambda _: reply("fail")
    live: list[Outcome] = []
    answering(world, reply("fail"), lambda: live.extend(other.get()))
    outcome = check(world)
    assert [outcome.new_status, live[0].new_status] == [None, Status.FAILED]
    assert [change["to"] for change in table.item()["history"]] == ["PENDING", "FAILED"]


def test_a_live_check_that_is_overtaken_decides_again(table: Table) -> None:
    """The chain gave the payment up while the gateway said FAILED: one from the other."""
    world = World(table)
    world.register()
    answering(
        world,
        reply("fail"),
        lambda: table.change(status="UNRESOLVED", rank=15, workAt=None, workShard=None),
    )
    [outcome] = world.get()
    assert outcome.new_status is Status.FAILED
    item = table.item()
    assert item["history"][-1]["from"] == "UNRESOLVED"
    assert item["workAt"] == NOW + HOUR


def test_a_live_check_overtaken_by_a_success_tells_it(table: Table) -> None:
    """The caller gets the better news."""
    world, other = World(table), World(table)
    world.register()
    other.says = lambda _: reply()
    answering(world, reply("wait"), lambda: check(other))
    [outcome] = world.get()
    assert outcome.new_status is None
    assert outcome.payment is not None
    assert outcome.payment.settled


@pytest.mark.parametrize("way", ["chain", "live"])
def test_a_payment_deleted_in_between_is_not_half_written(table: Table, way: str) -> None:
    """By hand; the message or the caller comes again."""
    world = World(table)
    world.register()
    answering(world, reply("wait"), table.delete)
    outcome = check(world) if way == "chain" else world.get()[0]
    assert isinstance(outcome.error, WriteConflict)
    assert table.scan() == []


@pytest.mark.parametrize("way", ["chain", "live"])
def test_a_payment_that_changes_again_and_again_is_left_to_the_next_try(
    table: Table, way: str
) -> None:
    """After five rounds."""
    world = World(table)
    world.register()

    def always(name: str) -> None:
        if name == "update_item" and world.asked:
            table.change(orderId=None if "orderId" in table.item() else "X")

    world.before = always
    world.says = lambda _: reply()
    outcome = check(world) if way == "chain" else world.get()[0]
    assert isinstance(outcome.error, WriteConflict)
    assert "eventId" not in table.item()


def test_what_was_asked_has_its_time_and_its_latency(table: Table) -> None:
    """In milliseconds; the answer counts from when it was there."""
    world = World(table)

    def slow() -> None:
        world.now += 3 * SECOND

    answering(world, reply("wait"), slow)
    [outcome] = world.follow(FOLLOW)
    assert outcome.result is not None
    assert (outcome.result.at, outcome.result.latency) == (NOW + 3 * SECOND, 3000)
    item = table.item()
    assert item["lastCheckedAt"] == NOW + 3 * SECOND
    assert item["nextCheckAt"] == NOW + 8 * SECOND
    assert world.messages[0].visible_at == NOW + 8 * SECOND


def test_an_error_that_is_not_the_gateway_s_is_no_answer(table: Table) -> None:
    """A bug in a client must not count as an outage: the message comes again."""
    world = World(table)
    world.register()
    before = table.item()

    def broken(name: str) -> None:
        if name == "query":
            raise ZeroDivisionError

    world.before = broken
    assert isinstance(check(world).error, ZeroDivisionError)
    assert table.item() == before


def test_an_outage_that_nobody_writes_over_is_kept(table: Table) -> None:
    """The reply of before stays, and the trouble beside it."""
    world = World(table)
    world.follow(FOLLOW)
    world.says = lambda _: GatewayUnavailable("down", pay_id=PAY_ID)
    check(world, step=2)
    item = table.item()
    assert item["reply"]["payRst"] == "wait"
    assert item["lastError"] == {"kind": "unavailable", "at": NOW, "tries": 1}
