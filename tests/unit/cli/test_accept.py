"""`payresult accept`: only a payment in REVIEW, and only with the amount that was paid."""

import pytest

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.expressions import Update
from payresult.domain.payment import Payment, Registration, Status
from payresult.errors import PaymentChanged
from tests.support.factories import HOUR, MINUTE, NOW, PAY_ID, reply
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

ACCEPT = ("accept", PAY_ID, "--amount", "18.00", "--reason", "coupon 5")
SHARD = 2
"""crc32 of PAY_ID, modulo 8."""
ACCEPTED = Registration("A-17", "18.00", "USD")


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


def in_review(world: World, paid: str = "$18.00") -> Payment:
    """Bring the payment into REVIEW: 19.99 USD were registered."""
    world.says = lambda _: reply(payAmount=paid)
    world.order(orderId="A-17", expectedAmount="19.99", currency="USD")
    world.run(0)
    payment = read(world)
    assert payment.status is Status.REVIEW
    return payment


def assert_refused(world: World, update: Update) -> None:
    """Say that the write is refused and changes nothing."""
    before = world.table.item()
    with pytest.raises(PaymentChanged):
        world.table.store.write(PAY_ID, update)
    assert world.table.item() == before


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


def test_accept_replaces_the_amount_and_plans_a_check_at_once(world: World) -> None:
    """The reason and both amounts are in the history; all else is as it was."""
    payment = in_review(world)
    before = world.table.item()
    now = NOW + MINUTE

    world.table.store.write(PAY_ID, updates.accept(payment, ACCEPTED, "coupon", now))

    entry = {
        "at": now,
        "from": "REVIEW",
        "to": "REVIEW",
        "way": "operator",
        "reason": "coupon",
        "amountFrom": "19.99 USD",
        "amountTo": "18.00 USD",
    }
    assert world.table.item() == before | {
        "expectedAmount": "18.00",
        "history": [*before["history"], entry],
        "nextCheckAt": now,
        "workShard": f"CHECK#{SHARD}",
        "workAt": now,
    }


def test_an_accepted_payment_succeeds_within_the_minute(world: World) -> None:
    """The sweeper has the gateway asked again, which says the same: now it is what is expected."""
    world.table.store.write(PAY_ID, updates.accept(in_review(world), ACCEPTED, "coupon", NOW))

    world.run(MINUTE)

    payment = read(world)
    assert (payment.status, payment.event_state) == (Status.SUCCEEDED, "PENDING")
    assert len(world.asked) == 2
    assert [change.reason for change in payment.history] == [None, None, "coupon", None]


def test_an_accepted_payment_that_the_gateway_contradicts_stays_in_review(world: World) -> None:
    """An operator's word is no payment: late checks go on, counted from the decision."""
    payment = in_review(world)
    world.table.store.write(PAY_ID, updates.accept(payment, ACCEPTED, "coupon", NOW))
    world.says = lambda _: reply(payAmount="$1.00")

    world.run(MINUTE)

    after = read(world)
    assert after.status is Status.REVIEW
    assert after.next_check_at == NOW + HOUR


def test_accept_is_refused_once_the_payment_is_not_in_review(world: World) -> None:
    """It was paid in full, say, while the operator thought about it."""
    payment = in_review(world)
    world.says = lambda _: reply(payAmount="$19.99")
    world.run(2 * HOUR)
    assert read(world).status is Status.SUCCEEDED

    assert_refused(world, updates.accept(payment, ACCEPTED, "coupon", world.now))


def test_accept_is_refused_where_another_amount_was_registered_meanwhile(world: World) -> None:
    """The operator decided about other figures."""
    payment = in_review(world)
    world.table.change(expectedAmount="18.50")

    assert_refused(world, updates.accept(payment, ACCEPTED, "coupon", NOW))


def test_accept_names_no_amount_where_none_was_registered(world: World) -> None:
    """Only the currency was, and it contradicted."""
    world.says = lambda _: reply(payAmount="EUR 18.00")
    world.order(currency="USD")
    world.run(0)
    accepted = Registration(None, "18.00", "EUR")

    world.table.store.write(PAY_ID, updates.accept(read(world), accepted, "traveller", NOW))

    entry = world.table.item()["history"][-1]
    assert (entry["amountFrom"], entry["amountTo"]) == ("USD", "18.00 EUR")
    assert read(world).registration == accepted


def test_accept_tells_of_no_amount_where_nothing_was_registered(world: World) -> None:
    """A hand took it away; what is accepted now is told."""
    in_review(world)
    world.table.change(expectedAmount=None, currency=None)
    world.table.store.write(PAY_ID, updates.accept(read(world), ACCEPTED, "coupon", NOW))
    entry = world.table.item()["history"][-1]
    assert "amountFrom" not in entry
    assert entry["amountTo"] == "18.00 USD"
