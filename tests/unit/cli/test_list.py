"""`payresult list`: payments of this partner, by status and age."""

import pytest

from tests.support.factories import DAY, HOUR, PAY_ID, reply
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine


@pytest.fixture
def bench(table: Table) -> CommandLine:
    """A system to run commands on."""
    return CommandLine(table)


@pytest.fixture
def world(table: Table) -> World:
    """What follows payments: p-old and p-new are pending, p-paid is paid, a day later."""
    world = World(table)
    world.order("p-old")
    world.run(0)
    world.now += DAY
    world.order("p-new", orderId="A-1")
    world.run(0)
    world.says = lambda pay_id: reply(payId=pay_id)
    world.order("p-paid")
    world.run(0)
    return world


def listed(bench: CommandLine, *options: str) -> set[str]:
    """Return the payIds that are listed."""
    ran = bench.run("list", "--json", *options)
    assert ran.code == 0
    assert ran.err == f"{len(ran.records)} payments\n"
    return {record["payId"] for record in ran.records}


def test_payments_are_listed_by_status_and_age(bench: CommandLine, world: World) -> None:
    """Each condition narrows it."""
    bench.now = world.now + HOUR
    assert listed(bench) == {"p-old", "p-new", "p-paid"}
    assert listed(bench, "--status", "PENDING") == {"p-old", "p-new"}
    assert listed(bench, "--status", "PENDING", "--status", "SUCCEEDED", "--older-than", "30m") == {
        "p-old",
        "p-new",
        "p-paid",
    }
    assert listed(bench, "--older-than", "2h") == {"p-old"}
    assert listed(bench, "--status", "REVIEW") == set()


def test_payments_of_another_partner_are_not_listed(bench: CommandLine, world: World) -> None:
    """A table that two stacks share, say; with a condition as well as without one."""
    world.table.put(world.table.item("p-old") | {"pk": "OTHER#p-old", "payId": "other-1"})
    assert "other-1" not in listed(bench) | listed(bench, "--status", "PENDING")


def test_a_listed_payment_is_a_line(bench: CommandLine, world: World) -> None:
    """For people; machines get its times too."""
    bench.now = world.now
    ran = bench.run("list", "--older-than", "2h")
    assert ran.out == "p-old                     PENDING         24 h old  checked 2 times\n"
    [record] = bench.run("list", "--older-than", "2h", "--json").records
    assert record["createdAt"] == "2026-11-22T10:00:00.123Z"
    assert record["checks"] == 2
    assert "orderId" not in record


def test_an_item_that_lacks_something_is_listed_nevertheless(
    bench: CommandLine, table: Table
) -> None:
    """A hand was in the table: just this wants to be seen."""
    table.put({"pk": f"P000818#{PAY_ID}", "payId": PAY_ID})
    assert (
        bench.run("list").out == f"{PAY_ID}            ?            unknown old  checked 0 times\n"
    )


@pytest.mark.parametrize("options", [["--status", "PAID"], ["--older-than", "yesterday"], ["x"]])
def test_list_wants_what_it_knows(bench: CommandLine, options: list[str]) -> None:
    """One line, exit code 2."""
    ran = bench.run("list", *options)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1
