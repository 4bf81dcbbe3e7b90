"""P1, P2: where others write to the payment during a check, it is decided again."""

from collections.abc import Callable

import pytest

from payresult.domain.outcome import Outcome
from payresult.domain.payment import CheckMessage, Status
from payresult.errors import GatewayUnavailable, WriteConflict
from tests.support.factories import DELAYS, HOUR, MINUTE, NOW, PAY_ID, SECOND, reply
from tests.support.tables import Table
from tests.support.world import Said, World


def answering(world: World, said: Said, meanwhile: Callable[[], object]) -> None:
    """Call *meanwhile* once, while the gateway answers *said*."""

    def answer(_: str) -> Said:
        world.says = lambda _: said
        meanwhile()
        return said

    world.says = answer


def check(world: World, step: int = 1) -> Outcome:
    """Make one check from the queue and return its outcome."""
    [outcome] = world.follow(CheckMessage(PAY_ID, step=step))
    return outcome


@pytest.mark.parametrize(
    ("before", "meanwhile", "status"),
    [
        ({}, {"expectedAmount": "5", "orderId": "A-17"}, "SUCCEEDED"),
        ({}, {"expectedAmount": "19.99", "orderId": "A-17"}, "REVIEW"),
        ({"expected_amount": "19.99"}, {"expectedAmount": "5", "orderId": "A-17"}, "SUCCEEDED"),
    ],
)
def test_an_amount_registered_meanwhile_decides(
    world: World, table: Table, before: dict[str, str], meanwhile: dict[str, str], status: str
) -> None:
    """The check is decided again with the registration as it is now (P2)."""
    world.register(**before)
    answering(world, reply(payAmount="$5"), lambda: table.change(**meanwhile))
    assert check(world).new_status == status
    item = table.item()
    assert item["status"] == status
    assert ('"orderId":"A-17"' in item.get("event", "")) == (status == "SUCCEEDED")


@pytest.mark.parametrize(
    ("faster", "slower", "statuses"),
    [
        *(("success", text, ["PENDING", "SUCCEEDED"]) for text in ("wait", "fail", "success")),
        *(("wait", text, ["PENDING"]) for text in ("wait", "fail")),
    ],
)
def test_the_slower_of_two_checks_of_a_step_changes_nothing(
    world: World, other: World, table: Table, faster: str, slower: str, statuses: list[str]
) -> None:
    """A message was delivered twice: one event, one history; ``step`` refuses the second write."""
    world.register()
    other.says = lambda _: reply(faster, payAmount="5")
    answering(world, reply(slower), lambda: check(other))
    outcome = check(world)
    assert (outcome.new_status, outcome.error) == (None, None)
    assert outcome.payment is not None
    assert outcome.payment.status == statuses[-1]
    item = table.item()
    assert (item["reply"]["payAmount"], item["attempt"]) == ("5", 1)
    assert [change["to"] for change in item["history"]] == statuses


@pytest.mark.parametrize("order", [None, "A-17"])
def test_success_is_stored(world: World, other: World, table: Table, order: str | None) -> None:
    """The slower of two checks found it paid: a success is never dropped (P1)."""
    world.register()

    def meanwhile() -> None:
        check(other)
        table.change(orderId=order)  # if it is set, the first write of the success is refused

    answering(world, reply(), meanwhile)
    assert check(world).new_status is Status.SUCCEEDED
    assert table.item()["status"] == "SUCCEEDED"


def test_a_higher_status_meanwhile_is_kept(world: World, other: World, table: Table) -> None:
    """A live check found FAILED, the queued one an unknown value: still FAILED."""
    world.register()
    other.says = lambda _: reply("fail")
    answering(world, reply("wait"), other.get)
    outcome = check(world)
    assert outcome.new_status is None
    item = table.item()
    assert (item["status"], item["step"]) == ("FAILED", 1)
    assert item["workAt"] == NOW + HOUR


def test_the_same_failure_is_reported_once(world: World, other: World, table: Table) -> None:
    """One entry in the history, one count, from a queued and a live check at the same time."""
    world.register()
    other.says = lambda _: reply("fail")
    live: list[Outcome] = []
    answering(world, reply("fail"), lambda: live.extend(other.get()))
    outcome = check(world)
    assert [outcome.new_status, live[0].new_status] == [None, Status.FAILED]
    assert [change["to"] for change in table.item()["history"]] == ["PENDING", "FAILED"]


def test_a_live_check_decides_again_where_the_payment_changed(world: World, table: Table) -> None:
    """Given up while the gateway said FAILED: from UNRESOLVED to FAILED."""
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


def test_a_live_check_returns_a_success_written_meanwhile(world: World, other: World) -> None:
    """The caller gets the stored success."""
    world.register()
    other.says = lambda _: reply()
    answering(world, reply("wait"), lambda: check(other))
    [outcome] = world.get()
    assert outcome.new_status is None
    assert outcome.payment is not None
    assert outcome.payment.settled


@pytest.mark.parametrize("trigger", ["queue", "api"])
def test_a_deleted_payment_is_not_written_in_part(world: World, table: Table, trigger: str) -> None:
    """The message is delivered again, or the caller asks again."""
    world.register()
    answering(world, reply("wait"), table.delete)
    outcome = check(world) if trigger == "queue" else world.get()[0]
    assert isinstance(outcome.error, WriteConflict)
    assert table.scan() == []


@pytest.mark.parametrize("trigger", ["queue", "api"])
def test_endless_changes_are_a_conflict(world: World, table: Table, trigger: str) -> None:
    """After five attempts."""
    world.register()

    def change(name: str) -> None:
        if name == "update_item" and world.asked:
            table.change(currency=None if "currency" in table.item() else "USD")

    world.before = change
    world.says = lambda _: reply()
    outcome = check(world) if trigger == "queue" else world.get()[0]
    assert isinstance(outcome.error, WriteConflict)
    assert "eventId" not in table.item()


def test_a_result_has_the_time_of_the_answer_and_its_latency(world: World, table: Table) -> None:
    """In milliseconds; the next check is planned from that time."""

    def slow() -> None:
        world.now += 3 * SECOND

    answering(world, reply("wait"), slow)
    [outcome] = world.follow(CheckMessage(PAY_ID))
    assert outcome.result is not None
    assert (outcome.result.at, outcome.result.latency) == (NOW + 3 * SECOND, 3000)
    item = table.item()
    assert item["lastCheckedAt"] == NOW + 3 * SECOND
    assert item["nextCheckAt"] == NOW + (3 + DELAYS[0]) * SECOND
    assert world.queue.waiting[0].visible_at == NOW + (3 + DELAYS[0]) * SECOND


def test_an_unexpected_error_is_not_an_outage(world: World, table: Table) -> None:
    """A bug in a client changes nothing: the message is delivered again."""
    world.register()
    before = table.item()
    world.fail("query", error=ZeroDivisionError())
    assert isinstance(check(world).error, ZeroDivisionError)
    assert table.item() == before


def test_a_payment_is_told_once_as_unpaid_by_an_answer_after_half_an_hour(world: World) -> None:
    """An alarm compares their number with that of the paid ones."""
    world.register()
    silent = GatewayUnavailable("", pay_id=PAY_ID)
    world.says = lambda _: silent if world.now == NOW + 31 * MINUTE else reply("wait")
    told = []
    for step, minutes in enumerate((1, 30, 5, 5), start=1):
        world.now += minutes * MINUTE
        told.append(check(world, step).unpaid)
    assert told == [False, False, True, False]


@pytest.mark.parametrize(("amount", "status"), [("$5", "SUCCEEDED"), ("$6", "REVIEW")])
def test_a_payment_paid_after_half_an_hour(world: World, amount: str, status: str) -> None:
    """Nor is one that waits for a person because of its amount."""
    world.register(expected_amount="5.00")
    world.now += 31 * MINUTE
    world.says = lambda _: reply(payAmount=amount)
    outcome = check(world)
    assert (outcome.new_status, outcome.unpaid) == (status, False)
