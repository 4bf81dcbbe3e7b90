"""Contract of `payresult list`: what waits for a person, or payments by status; newest first."""

import sys
from io import StringIO
from typing import Any

import pytest

from payresult_cli.context import Context
from payresult_cli.formatting import format_count
from tests.support.factories import DAY, HOUR, NOW, PAY_ID, reply
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine


@pytest.fixture
def world(table: Table) -> World:
    """p-old is PENDING; a day later p-new is PENDING and p-paid SUCCEEDED."""
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


def list_pay_ids(cli: CommandLine, *options: str) -> set[str]:
    """Return the payIds that `list` writes with *options*."""
    result = cli.run("list", "--json", *options)
    assert result.code == 0
    assert result.err == format_count(len(result.records), "payment") + "\n"
    return {record["payId"] for record in result.records}


def test_payments_are_filtered_by_status_and_age(cli: CommandLine, world: World) -> None:
    """A payment is listed if it meets all conditions."""
    cli.now = world.now + HOUR
    assert list_pay_ids(cli, "--older-than", "0s") == {"p-old", "p-new", "p-paid"}
    assert list_pay_ids(cli, "--status", "PENDING") == {"p-old", "p-new"}
    two_statuses = ("--status", "PENDING", "--status", "SUCCEEDED")
    assert list_pay_ids(cli, *two_statuses, "--older-than", "30m") == {"p-old", "p-new", "p-paid"}
    assert list_pay_ids(cli, "--older-than", "2h") == {"p-old"}
    assert list_pay_ids(cli, "--status", "REVIEW") == set()


def test_payments_of_another_partner_are_not_listed(cli: CommandLine, world: World) -> None:
    """Two stacks may share a table; with a condition and without one."""
    world.table.put(world.table.item("p-old") | {"pk": "OTHER#p-old", "payId": "other-1"})
    world.table.change("p-old", attention="P000818#REVIEW", attentionSince=NOW)
    world.table.put(world.table.item("p-old") | {"pk": "OTHER#p-x", "attention": "OTHER#REVIEW"})
    assert list_pay_ids(cli) == {"p-old"}
    by_status, by_age = ("--status", "PENDING"), ("--older-than", "0s")
    assert "other-1" not in list_pay_ids(cli, *by_status) | list_pay_ids(cli, *by_age)


def test_payment_is_one_line(cli: CommandLine, world: World) -> None:
    """--json writes its times too."""
    cli.now = world.now
    result = cli.run("list", "--older-than", "2h")
    assert result.out == (
        "payId                     status      registered      checks\n"
        "p-old                     PENDING     24 h ago             2\n"
    )
    [record] = cli.run("list", "--older-than", "2h", "--json").records
    assert record["createdAt"] == "2026-11-22T10:00:00.123Z"
    assert record["checks"] == 2
    assert "orderId" not in record


def test_incomplete_item_is_listed(cli: CommandLine, table: Table) -> None:
    """An operator has to see an item that was edited by hand."""
    table.put({"pk": f"P000818#{PAY_ID}", "payId": PAY_ID, "status": "PENDING"})
    _, line = cli.run("list", "--status", "PENDING").out.splitlines()
    assert line == f"{PAY_ID}            PENDING     ?                    0"


def test_the_newest_are_shown_where_there_are_more(cli: CommandLine, world: World) -> None:
    """The note has the number of all; of two with the same time the order is fixed."""
    cli.now = world.now + HOUR
    cli.table.put(world.table.item("p-paid") | {"pk": "P000818#p-also", "payId": "p-also"})
    result = cli.run("list", "--older-than", "0s", "--json", "--limit", "3")
    assert [record["payId"] for record in result.records] == ["p-paid", "p-new", "p-also"]
    assert result.err == "4 payments; --limit 3: the newest are shown\n"
    world.table.change("p-old", attention="P000818#REVIEW", attentionSince=NOW)
    world.table.change("p-new", attention="P000818#UNRESOLVED", attentionSince=NOW + 1)
    assert cli.run("list", "--limit", "1", "--json").records[0]["payId"] == "p-new"


def test_status_colour(cli: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a pipe, and not where NO_COLOR is set."""
    cli.now = world.now
    arguments = ("list", "--status", "SUCCEEDED")
    assert "\x1b" not in cli.run(*arguments).out
    assert "\x1b[32mSUCCEEDED " in cli.run(*arguments, color=True).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in cli.run(*arguments, color=True).out


def test_what_waits_is_listed_without_reading_the_table(cli: CommandLine, world: World) -> None:
    """All reasons, the newest first, and since when; no Scan."""
    cli.now = world.now + HOUR
    world.table.change("p-old", attention="P000818#REVIEW", attentionSince=NOW + DAY)
    world.table.change("p-new", attention="P000818#UNRESOLVED", attentionSince=NOW)
    world.table.change("p-paid", attention="P000818#DUPLICATE", attentionSince=NOW + HOUR)

    def refuse(_call: Any, **_arguments: Any) -> Any:
        raise AssertionError

    cli.intercept("get_paginator", refuse)
    result = cli.run("list")
    assert result.out == (
        "payId                     reason      waits since\n"
        "p-old                     REVIEW      2026-11-23 10:00:00Z (60 min ago)\n"
        "p-paid                    DUPLICATE   2026-11-22 11:00:00Z (24 h ago)\n"
        "p-new                     UNRESOLVED  2026-11-22 10:00:00Z (25 h ago)\n"
    )
    assert result.err == "3 payments\n"
    assert list_pay_ids(cli, "--attention", "all") == {"p-old", "p-new", "p-paid"}
    assert cli.run("list", "--attention", "REVIEW", "--json").records == [
        {"payId": "p-old", "attention": "REVIEW", "since": "2026-11-23T10:00:00.123Z"}
    ]


class Terminal(StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_a_terminal_shows_how_many_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where results are written meanwhile, as by `reconcile`, only if they go to a file."""
    context = Context("payresult", sandbox=False, as_json=False)
    for stderr, stdout, while_writing, shown in (
        (Terminal(), Terminal(), False, True),
        (StringIO(), Terminal(), False, False),
        (Terminal(), Terminal(), True, False),
        (Terminal(), StringIO(), True, True),
    ):
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setattr(sys, "stdout", stdout)
        reading = context.reading(iter(range(3)), "reading the table", while_writing=while_writing)
        with reading as read:
            assert list(read) == [0, 1, 2]
        assert ("reading the table" in stderr.getvalue()) is shown
