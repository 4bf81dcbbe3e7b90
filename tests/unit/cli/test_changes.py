"""`payresult accept` and `payresult republish`: what an operator changes in the table."""

import pytest

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository
from payresult.domain.payment import Registration
from tests.support.factories import HOUR, MINUTE, PAY_ID, reply
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

ACCEPT = ("accept", PAY_ID, "--amount", "18.00", "--reason", "coupon 5")


@pytest.fixture
def bench(table: Table) -> CommandLine:
    """A system to run commands on."""
    return CommandLine(table)


@pytest.fixture
def world(table: Table) -> World:
    """What follows payments on the same table."""
    return World(table)


def in_review(world: World, paid: str = "$18.00") -> None:
    """Bring PAY_ID into REVIEW: 19.99 USD were registered."""
    world.says = lambda _: reply(payAmount=paid)
    world.order(expectedAmount="19.99", currency="USD")
    world.run(0)


def paid(world: World, *pay_ids: str) -> None:
    """Have payments paid, and their events sent, a minute apart."""
    world.says = lambda pay_id: reply(payId=pay_id)
    for pay_id in pay_ids:
        world.order(pay_id)
        world.run(0)
        world.outbox.publish([pay_id])
        world.now += MINUTE


def state(bench: CommandLine, *pay_ids: str) -> list[str]:
    """Return the states of events."""
    return [bench.table.item(pay_id)["eventState"] for pay_id in pay_ids]


# accept


def test_accepting_replaces_the_amount_and_has_it_checked(bench: CommandLine, world: World) -> None:
    """What was registered, what was paid and what is accepted are shown first."""
    in_review(world)

    ran = bench.run(*ACCEPT, answers="y\n")

    assert ran.code == 0
    assert ran.out == (
        f"{PAY_ID}: 19.99 USD was registered, $18.00 was paid; 18.00 USD is accepted\n"
    )
    world.run(MINUTE)
    item = bench.table.item()
    assert (item["status"], item["expectedAmount"]) == ("SUCCEEDED", "18.00")
    assert item["history"][-2]["reason"] == "coupon 5"


def test_machines_read_what_was_accepted(bench: CommandLine, world: World) -> None:
    """And nothing else is on stdout."""
    in_review(world)
    assert bench.run(*ACCEPT, "--yes", "--json").records == [
        {"payId": PAY_ID, "from": "19.99 USD", "to": "18.00 USD", "reason": "coupon 5"}
    ]


@pytest.mark.parametrize(
    ("more", "answers", "code"), [(["--dry-run"], None, 0), ([], "n\n", 1), ([], "", 2)]
)
def test_nothing_is_accepted_without_a_yes(
    bench: CommandLine, world: World, more: list[str], answers: str | None, code: int
) -> None:
    """Not in a dry run, not after a no, and not where nobody answers."""
    in_review(world)
    before = bench.table.item()
    ran = bench.run(*ACCEPT, *more, answers=answers)
    assert ran.code == code
    assert "nothing was changed" in ran.err
    assert bench.table.item() == before


def test_another_currency_can_be_accepted_with_the_amount(bench: CommandLine, world: World) -> None:
    """Without it, the payment would be in REVIEW again."""
    in_review(world, "€18.00")
    ran = bench.run(*ACCEPT, "--yes")
    assert ran.code == 2
    assert "reports '€18.00', which is not 18.00 USD" in ran.err

    assert bench.run(*ACCEPT, "--currency", "EUR", "--yes").code == 0

    world.run(MINUTE)
    assert bench.table.item()["status"] == "SUCCEEDED"


@pytest.mark.parametrize("reported", ["$17.99", "about 18", None])
def test_an_amount_that_was_not_paid_is_refused(
    bench: CommandLine, world: World, reported: str | None
) -> None:
    """The gateway would say the same again, and the payment be in REVIEW again."""
    in_review(world)
    bench.table.change(reply={"payAmount": reported} if reported else {})
    before = bench.table.item()
    ran = bench.run(*ACCEPT, "--yes")
    assert ran.code == 2
    assert "would be in REVIEW again" in ran.err
    assert bench.table.item() == before


def test_only_a_payment_in_review_can_be_accepted(bench: CommandLine, world: World) -> None:
    """A pending one is not decided by hand, and an unknown one not at all."""
    assert "is not in the table" in bench.run(*ACCEPT, "--yes").err
    world.order(expectedAmount="19.99")
    world.run(0)
    ran = bench.run(*ACCEPT, "--yes")
    assert ran.code == 2
    assert f"{PAY_ID} is PENDING: only a payment in REVIEW can be accepted" in ran.err


def test_a_payment_that_changes_while_the_operator_thinks_is_not_accepted(
    bench: CommandLine, world: World
) -> None:
    """The condition of the write sees it."""
    in_review(world)
    store = PaymentRepository(bench.table.client, bench.table.name, "P000818")

    class Sneaky:
        """A client behind whose back somebody accepts first."""

        def __getattr__(self, name: str) -> object:
            if name == "update_item":
                current = store.get_many([PAY_ID])[PAY_ID]
                accepted = Registration(None, "18.00", "EUR")
                update = updates.accept(current, accepted, "first", 0)  # type: ignore[arg-type]  # it is readable
                store.write(PAY_ID, update)
            return getattr(bench.table.client, name)

    bench.wrap = lambda service, client: Sneaky() if service == "dynamodb" else client
    ran = bench.run(*ACCEPT, "--yes")
    assert ran.code == 2
    assert "changed at this moment" in ran.err


@pytest.mark.parametrize(
    "option",
    [
        ("--amount", "0"),
        ("--amount", "18,00"),
        ("--amount", "$18"),
        ("--reason", " "),
        ("--reason", "a\nb"),
        ("--reason", "x" * 201),
        ("--currency", "usd"),
        ("--currency", "DOLLAR"),
    ],
)
def test_a_bad_value_is_named_with_its_option(bench: CommandLine, option: tuple[str, str]) -> None:
    """Before anything is read: one line, exit code 2."""
    ran = bench.run(*ACCEPT, *option)
    assert ran.code == 2
    assert ran.err.startswith(f"payresult: Invalid value for '{option[0]}'")
    assert len(ran.err.splitlines()) == 1


# republish


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
