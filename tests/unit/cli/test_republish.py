"""P3, contract of `payresult republish`: a sent event is sent again, with the same id."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.factories import HOUR, MINUTE, PAY_ID, reply
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine
from tests.unit.cli.conftest import checked


def pay(world: World, *pay_ids: str) -> None:
    """Have payments succeed and their events sent, a minute apart."""
    world.says = lambda pay_id: reply(payId=pay_id)
    for pay_id in pay_ids:
        world.order(pay_id)
        world.run(0)
        world.outbox.publish([pay_id])
        world.now += MINUTE


def event_states(cli: CommandLine, *pay_ids: str) -> list[str]:
    """Return the eventState of each payment."""
    return [cli.table.item(pay_id)["eventState"] for pay_id in pay_ids]


def test_events_are_marked_and_sent_again(cli: CommandLine, world: World) -> None:
    """The command marks them; the publisher sends the same bytes."""
    pay(world, "p-1", "p-2")
    result = cli.run("republish", "p-1", "p-1", "p-2", "--yes")
    assert (result.code, result.out) == (
        0,
        "2 events\n2 marked as unsent: payresult sends them now\n",
    )
    assert event_states(cli, "p-1", "p-2") == ["PENDING", "PENDING"]
    world.outbox.publish(["p-1", "p-2"])
    details = [entry["Detail"] for entry in world.bus.entries]
    assert details == [details[0], details[1]] * 2


def test_events_of_a_period_are_sent_again(cli: CommandLine, world: World) -> None:
    """The period is about when they were sent last."""
    pay(world, "p-1", "p-2", "p-3")
    cli.now = world.now
    period = ("--since", "2026-11-22T10:01Z", "--until", "2026-11-22T10:02Z")
    result = cli.run("republish", *period, "--yes", "--json")
    assert result.records == [{"events": 1}, {"marked": 1}]
    assert event_states(cli, "p-1", "p-2", "p-3") == ["SENT", "PENDING", "SENT"]
    nothing = cli.run("republish", "--since", "2026-11-23")
    assert (nothing.code, nothing.err) == (0, "")  # no question
    assert cli.run("republish", "--since", "2026-11-22T10:01Z", "--dry-run").out.startswith(
        "1 event, sent from 2026-11-22 10:01:00Z to 2026-11-22 10:03:00Z"
    )


def test_pending_event_is_left_alone(cli: CommandLine, world: World) -> None:
    """Marking it again would delay it."""
    pay(world, "p-1", "p-2")
    cli.run("republish", "p-1", "--yes")
    before = cli.table.item("p-1")
    world.now += HOUR
    result = cli.run("republish", "p-1", "p-2", "--yes")
    assert result.code == 0
    assert "1 marked as unsent" in result.out
    assert "1 skipped: waiting to be sent already" in result.err
    assert cli.table.item("p-1") == before


def test_nothing_is_marked_if_one_payment_has_no_event(cli: CommandLine, world: World) -> None:
    """The payment is named; exit code 2."""
    pay(world, "p-1")
    checked(world, reply("wait"))
    for pay_id, expected in (
        (PAY_ID, "is PENDING and has no event"),
        ("nix", "is not in the table or cannot be read"),
    ):
        result = cli.run("republish", "p-1", pay_id, "--yes")
        assert result.code == 2
        assert expected in result.err
    assert event_states(cli, "p-1") == ["SENT"]


def test_unreadable_item_is_left_alone(cli: CommandLine, world: World) -> None:
    """The scan finds it by its eventState; the write needs the whole item."""
    pay(world, "p-1")
    cli.table.change("p-1", schemaVersion=2)
    period = ("--since", "2026-11-22", "--until", "2026-11-23")
    result = cli.run("republish", *period, "--yes", "--json")
    assert result.records == [{"events": 1}, {"marked": 0}]
    assert (result.code, result.err.count("1 not read: ")) == (1, 1)


def test_event_that_dynamodb_did_not_read_is_told(cli: CommandLine, world: World) -> None:
    """It throttles for longer than botocore repeats the call; exit code 1."""
    pay(world, "p-1", "p-2")
    cli.run("republish", "p-1", "--yes")
    calls = 0

    def throttle(call: Any, **arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= 2:  # all that is selected, then p-1
            return call(**arguments)
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "BatchGetItem")

    cli.intercept("batch_get_item", throttle)
    result = cli.run("republish", "p-1", "p-2", "--yes")
    assert result.code == 1
    assert "1 skipped: waiting to be sent already" in result.err
    assert "1 not read: " in result.err
    assert event_states(cli, "p-1", "p-2") == ["PENDING", "SENT"]


@pytest.mark.parametrize("options", [["--dry-run"], []])
def test_nothing_is_marked_without_yes(cli: CommandLine, world: World, options: list[str]) -> None:
    """In a dry run, and after a no."""
    pay(world, "p-1")
    result = cli.run("republish", "p-1", *options, user_input="n\n")
    assert result.code == (0 if options else 1)
    assert event_states(cli, "p-1") == ["SENT"]
