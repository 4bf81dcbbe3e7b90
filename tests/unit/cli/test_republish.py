"""`payresult republish`: events are sent again with the same ids, and none is put off."""

from dataclasses import replace

import pytest

from payresult.aws import updates
from payresult.aws.expressions import Update
from payresult.domain.event import Event
from payresult.domain.payment import Payment
from payresult.errors import PaymentChanged
from tests.support.factories import HOUR, MINUTE, NOW, PAY_ID, reply
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

SHARD = 2
"""crc32 of PAY_ID, modulo 8."""


@pytest.fixture
def bench(table: Table) -> CommandLine:
    """A system to run commands on."""
    return CommandLine(table)


@pytest.fixture
def world(table: Table) -> World:
    """What follows payments on the same table."""
    return World(table)


def read(world: World) -> Payment:
    """Return the stored payment."""
    found = world.table.store.get_many([PAY_ID])[PAY_ID]
    assert isinstance(found, Payment)
    return found


def paid(world: World, *pay_ids: str) -> None:
    """Have payments paid, and their events sent, a minute apart."""
    world.says = lambda pay_id: reply(payId=pay_id)
    for pay_id in pay_ids:
        world.order(pay_id)
        world.run(0)
        world.outbox.publish([pay_id])
        world.now += MINUTE


def sent(world: World) -> Event:
    """Bring the payment to SUCCEEDED, and its event onto the bus."""
    world.says = lambda _: reply(payAmount="$18.00")
    world.order()
    world.run(0)
    world.outbox.publish([PAY_ID])
    payment = read(world)
    assert payment.event_state == "SENT"
    return Event(PAY_ID, str(payment.event_id), str(payment.event))


def state(bench: CommandLine, *pay_ids: str) -> list[str]:
    """Return the states of events."""
    return [bench.table.item(pay_id)["eventState"] for pay_id in pay_ids]


def assert_refused(world: World, update: Update) -> None:
    """Say that the write is refused and changes nothing."""
    before = world.table.item()
    with pytest.raises(PaymentChanged):
        world.table.store.write(PAY_ID, update)
    assert world.table.item() == before


def test_named_events_are_sent_again_by_the_system(bench: CommandLine, world: World) -> None:
    """The tool marks them; the publisher sends the same bytes."""
    paid(world, "p-1", "p-2")

    ran = bench.run("republish", "p-1", "p-1", "p-2", "--yes")

    assert (ran.code, ran.out) == (
        0,
        "2 events\n2 marked unsent: the system sends them now\n",
    )
    assert state(bench, "p-1", "p-2") == ["PENDING", "PENDING"]
    world.outbox.publish(["p-1", "p-2"])
    details = [entry["Detail"] for entry in world.bus]
    assert details == [details[0], details[1]] * 2


def test_events_of_a_time_are_sent_again(bench: CommandLine, world: World) -> None:
    """By when they were sent last."""
    paid(world, "p-1", "p-2", "p-3")
    bench.now = world.now

    ran = bench.run(
        "republish",
        "--since",
        "2026-11-22T10:01Z",
        "--until",
        "2026-11-22T10:02Z",
        "--yes",
        "--json",
    )

    assert ran.records == [{"events": 1}, {"marked": 1}]
    assert state(bench, "p-1", "p-2", "p-3") == ["SENT", "PENDING", "SENT"]
    assert bench.run("republish", "--since", "2026-11-22T10:01Z", "--dry-run").out.startswith(
        "1 events, sent from 2026-11-22 10:01:00Z to 2026-11-22 10:03:00Z"
    )


def test_a_time_without_events_is_no_question(bench: CommandLine) -> None:
    """There is nothing to agree to."""
    ran = bench.run("republish", "--since", "2026-11-22")
    assert (ran.code, ran.err) == (0, "")


def test_an_event_that_waits_already_is_left_alone(bench: CommandLine, world: World) -> None:
    """To mark it anew would put it off."""
    paid(world, "p-1", "p-2")
    bench.run("republish", "p-1", "--yes")
    before = bench.table.item("p-1")
    world.now += HOUR

    ran = bench.run("republish", "p-1", "p-2", "--yes")

    assert ran.code == 0
    assert "1 marked unsent" in ran.out
    assert "1 were waiting to be sent already" in ran.err
    assert bench.table.item("p-1") == before


def test_one_name_without_an_event_stops_all_of_them(bench: CommandLine, world: World) -> None:
    """Before anything is changed."""
    paid(world, "p-1")
    world.says = lambda _: reply("wait")
    world.order()
    world.run(0)
    for pay_id, said in ((PAY_ID, "is PENDING and has no event"), ("nix", "has no readable item")):
        ran = bench.run("republish", "p-1", pay_id, "--yes")
        assert ran.code == 2
        assert said in ran.err
    assert state(bench, "p-1") == ["SENT"]


def test_an_item_that_turns_unreadable_meanwhile_is_left_alone(
    bench: CommandLine, world: World
) -> None:
    """The scan found it by its state; the write would need all of it."""
    paid(world, "p-1")
    bench.table.change("p-1", schemaVersion=2)
    ran = bench.run(
        "republish", "--since", "2026-11-22", "--until", "2026-11-23", "--yes", "--json"
    )
    assert ran.records == [{"events": 1}, {"marked": 0}]


@pytest.mark.parametrize("more", [["--dry-run"], []])
def test_nothing_is_marked_without_a_yes(bench: CommandLine, world: World, more: list[str]) -> None:
    """Not in a dry run, and not after a no."""
    paid(world, "p-1")
    ran = bench.run("republish", "p-1", *more, answers="n\n")
    assert ran.code == (0 if more else 1)
    assert state(bench, "p-1") == ["SENT"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["p-1", "--since", "2026-11-22"],
        ["--until", "2026-11-22"],
        ["p-1", "--until", "2026-11-22"],
        ["--since", "monday"],
        ["two words"],
    ],
)
def test_republish_wants_either_names_or_a_time(bench: CommandLine, arguments: list[str]) -> None:
    """One line, exit code 2."""
    ran = bench.run("republish", *arguments)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1


def test_a_republished_event_is_sent_again_with_the_same_id_and_bytes(world: World) -> None:
    """The write looks to the publisher like the one that made the event."""
    event = sent(world)
    before = world.table.item()
    now = NOW + HOUR

    world.table.store.write(PAY_ID, updates.republish(event, now))

    entry = {"at": now, "from": "SUCCEEDED", "to": "SUCCEEDED", "way": "operator"}
    assert world.table.item() == before | {
        "eventState": "PENDING",
        "history": [*before["history"], entry],
        "workShard": f"EVENT#{SHARD}",
        "workAt": now + MINUTE,
    }
    world.outbox.publish([PAY_ID])
    assert [entry["Detail"] for entry in world.bus] == [event.detail] * 2
    assert read(world).event_state == "SENT"


def test_the_sweeper_sends_a_republished_event_that_the_stream_lost(world: World) -> None:
    """A minute after it was marked."""
    event = sent(world)
    world.table.store.write(PAY_ID, updates.republish(event, world.now))

    world.run(2 * MINUTE)

    assert len(world.bus) == 2
    assert read(world).event_state == "SENT"


def test_republish_is_refused_while_the_event_waits_to_be_sent(world: World) -> None:
    """It would put off what the sweeper is about to send."""
    event = sent(world)
    again = updates.republish(event, NOW)
    world.table.store.write(PAY_ID, again)

    assert_refused(world, again)


def test_republish_is_refused_for_another_event(world: World) -> None:
    """The id must be the one that is stored."""
    event = sent(world)

    assert_refused(world, updates.republish(replace(event, event_id="another"), NOW))
