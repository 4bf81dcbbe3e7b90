"""P1, P5, contract of `payresult forget`: erases one payment at rest, and nothing else."""

from typing import Any

import pytest

from payresult.domain.payment import Status
from tests.support.factories import DAY, NOW, PAY_ID, SECOND, reply
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine
from tests.unit.cli.conftest import checked

FORGET = ("forget", PAY_ID)


def paid(world: World) -> None:
    """Have the payment succeed and its event sent."""
    checked(world, reply())
    world.outbox.publish([PAY_ID])


def expire(table: Table) -> None:
    """Have the payment expire, by a short schedule."""
    world = World(table, delays=(5,))
    world.order()
    world.run(10 * SECOND)
    assert table.payment().status is Status.EXPIRED


def test_payment_is_erased(cli: CommandLine, world: World) -> None:
    """A second time it is not there; a new message registers it anew."""
    paid(world)
    result = cli.run(*FORGET, user_input="y\n")
    assert result.code == 0
    assert result.out == f"{PAY_ID}: SUCCEEDED, registered at 2026-11-22 10:00:00Z\n"
    assert result.err.endswith("erased\n")
    assert cli.table.item() == {}
    result = cli.run(*FORGET, "--yes")
    assert result.code == 2
    assert f"{PAY_ID} is not in the table: nothing was changed" in result.err


def test_the_marker_of_its_order_is_erased_before_it(cli: CommandLine, world: World) -> None:
    """And only its own: the duplicate of another payment leaves that one's marker."""
    world.says = lambda pay_id: reply(payId=pay_id)
    for pay_id in ("first", PAY_ID):
        world.order(pay_id, orderId="A-17")
        world.run(0)
        world.outbox.publish([pay_id])
    orders = cli.table.payments.orders
    assert "waits for a person (DUPLICATE)" in cli.run(*FORGET, "--yes").err
    assert cli.run("close", PAY_ID, "--reason", "refunded", "--yes").code == 0
    assert cli.run(*FORGET, "--yes").code == 0
    assert orders.holder("A-17") == "first"
    assert cli.run("forget", "first", "--yes").code == 0
    assert cli.table.scan() == []


def test_json_is_one_object(cli: CommandLine, world: World) -> None:
    """What is erased, by status and age."""
    expire(world.table)
    record = {"payId": PAY_ID, "status": "EXPIRED", "createdAt": "2026-11-22T10:00:00.123Z"}
    assert cli.run(*FORGET, "--yes", "--json").records == [record]


def assert_kept(cli: CommandLine, reason: str) -> None:
    """Assert that the payment is not erased, and why."""
    before = cli.table.item()
    result = cli.run(*FORGET, "--yes")
    assert (result.code, result.out) == (2, "")
    assert reason in result.err
    assert len(result.err.splitlines()) == 1
    assert cli.table.item() == before


def test_payment_with_a_planned_check_is_kept(cli: CommandLine, world: World) -> None:
    """Of any status: a FAILED one gets late checks."""
    checked(world, reply("fail"))
    assert_kept(cli, f"{PAY_ID} is not erased: it is FAILED and a check is planned")
    world.run(2 * DAY)
    assert cli.run(*FORGET, "--yes").code == 0


def test_what_is_unsent_or_unreadable_is_kept(cli: CommandLine, world: World) -> None:
    """An operator has the event sent again; a later version wrote the item."""
    paid(world)
    cli.run("republish", PAY_ID, "--yes")
    assert_kept(cli, "is not erased: its event is not sent yet")
    cli.table.change(schemaVersion=2)
    assert_kept(cli, "schemaVersion is not 1")


def test_payment_that_waits_for_a_person_is_kept(cli: CommandLine, world: World) -> None:
    """Until it is closed."""
    world.says = lambda _: reply(payAmount="$18.00")
    world.order(expectedAmount="19.99")
    world.run(3 * DAY)
    assert_kept(cli, f"(REVIEW): `cli/payresult close {PAY_ID} --reason …` ends that")
    cli.run("close", PAY_ID, "--reason", "refunded", "--yes")
    assert cli.run(*FORGET, "--yes").code == 0


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        ({"workShard": "CHECK#1", "workAt": NOW}, "and a check is planned"),
        ({"attention": "P000818#DUPLICATE", "attentionSince": NOW}, "waits for a person (DUPLI"),
        (None, "is not in the table any more"),
    ],
)
def test_changed_payment_is_kept(
    cli: CommandLine, world: World, meanwhile: dict[str, Any] | None, reason: str
) -> None:
    """An order service registers it again between the read and the write."""
    expire(world.table)

    def change_before(call: Any, **arguments: Any) -> Any:
        cli.table.change(**meanwhile) if meanwhile else cli.table.delete()
        return call(**arguments)

    cli.intercept("delete_item", change_before)
    result = cli.run(*FORGET, "--yes")
    assert result.code == 2
    assert reason in result.err
    assert bool(cli.table.item()) is bool(meanwhile)
