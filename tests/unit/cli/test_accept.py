"""`payresult accept`: only for a payment in REVIEW, and only with the amount that was paid."""

from typing import Any

import pytest

from payresult.aws import updates
from payresult.aws.expressions import Update
from payresult.domain.payment import Payment, Registration, Status
from payresult.errors import PaymentChanged
from tests.support.factories import HOUR, MINUTE, NOW, PAY_ID, reply
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

ACCEPT = ("accept", PAY_ID, "--amount", "18.00", "--reason", "coupon 5")
ACCEPTED = Registration("A-17", "18.00", "USD")

SHARD = 2
"""crc32 of PAY_ID, modulo 8."""


def stored(world: World) -> Payment:
    """Return the stored payment."""
    payment = world.table.payments.get_many([PAY_ID])[PAY_ID]
    assert isinstance(payment, Payment)
    return payment


def in_review(world: World, paid: str = "$18.00") -> Payment:
    """Bring the payment into REVIEW: 19.99 USD are registered."""
    world.says = lambda _: reply(payAmount=paid)
    world.order(orderId="A-17", expectedAmount="19.99", currency="USD")
    world.run(0)
    payment = stored(world)
    assert payment.status is Status.REVIEW
    return payment


def accept(world: World, payment: Payment, accepted: Registration, reason: str, now: int) -> None:
    """Make the write of the command."""
    world.table.payments.write(PAY_ID, updates.accept(payment, accepted, reason, now))


def assert_rejected(world: World, update: Update) -> None:
    """Assert that the write is rejected and changes nothing."""
    before = world.table.item()
    with pytest.raises(PaymentChanged):
        world.table.payments.write(PAY_ID, update)
    assert world.table.item() == before


def test_accept_replaces_the_amount_and_plans_a_check(cli: CommandLine, world: World) -> None:
    """The registered, the paid and the accepted amount are shown before the question."""
    in_review(world)

    result = cli.run(*ACCEPT, user_input="y\n")

    assert result.code == 0
    assert result.out == (f"{PAY_ID}: 19.99 USD registered, $18.00 paid, 18.00 USD to accept\n")
    world.run(MINUTE)
    item = cli.table.item()
    assert (item["status"], item["expectedAmount"]) == ("SUCCEEDED", "18.00")
    assert item["history"][-2]["reason"] == "coupon 5"


def test_json_is_one_object(cli: CommandLine, world: World) -> None:
    """And nothing else is on stdout."""
    in_review(world)
    assert cli.run(*ACCEPT, "--yes", "--json").records == [
        {"payId": PAY_ID, "from": "19.99 USD", "to": "18.00 USD", "reason": "coupon 5"}
    ]


@pytest.mark.parametrize(
    ("options", "user_input", "code"), [(["--dry-run"], None, 0), ([], "n\n", 1), ([], "", 2)]
)
def test_nothing_is_accepted_without_a_yes(
    cli: CommandLine, world: World, options: list[str], user_input: str | None, code: int
) -> None:
    """In a dry run, after a no, and if nobody answers."""
    in_review(world)
    before = cli.table.item()
    result = cli.run(*ACCEPT, *options, user_input=user_input)
    assert result.code == code
    assert "nothing was changed" in result.err
    assert cli.table.item() == before


def test_currency_can_be_accepted_with_the_amount(cli: CommandLine, world: World) -> None:
    """Without --currency the payment would be in REVIEW again."""
    in_review(world, "€18.00")
    result = cli.run(*ACCEPT, "--yes")
    assert result.code == 2
    assert "reports '€18.00', not 18.00 USD" in result.err

    assert cli.run(*ACCEPT, "--currency", "EUR", "--yes").code == 0

    world.run(MINUTE)
    assert cli.table.item()["status"] == "SUCCEEDED"


@pytest.mark.parametrize("reported", ["$17.99", "about 18", None])
def test_amount_that_was_not_paid_is_rejected(
    cli: CommandLine, world: World, reported: str | None
) -> None:
    """The next check would set the payment to REVIEW again."""
    in_review(world)
    cli.table.change(reply={"payAmount": reported} if reported else {})
    before = cli.table.item()
    result = cli.run(*ACCEPT, "--yes")
    assert result.code == 2
    assert "would be in REVIEW again" in result.err
    assert cli.table.item() == before


def test_only_a_payment_in_review_can_be_accepted(cli: CommandLine, world: World) -> None:
    """A PENDING and an unknown one cannot."""
    assert "is not in the table" in cli.run(*ACCEPT, "--yes").err
    world.order(expectedAmount="19.99")
    world.run(0)
    result = cli.run(*ACCEPT, "--yes")
    assert result.code == 2
    assert f"{PAY_ID} is PENDING: only a payment in REVIEW can be accepted" in result.err


def test_payment_that_changed_since_it_was_read_is_not_accepted(
    cli: CommandLine, world: World
) -> None:
    """Another operator accepts it between the read and the write."""
    in_review(world)

    def accept_before(call: Any, **arguments: Any) -> Any:
        accept(world, stored(world), Registration(None, "18.00", "EUR"), "first", 0)
        return call(**arguments)

    cli.intercept("update_item", accept_before)
    result = cli.run(*ACCEPT, "--yes")
    assert result.code == 2
    assert "changed in the meantime" in result.err


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
def test_invalid_value_is_named_with_its_option(cli: CommandLine, option: tuple[str, str]) -> None:
    """One line, exit code 2."""
    result = cli.run(*ACCEPT, *option)
    assert result.code == 2
    assert result.err.startswith(f"payresult: Invalid value for '{option[0]}'")
    assert len(result.err.splitlines()) == 1


# The write of the command


def test_write_changes_the_amount_the_history_and_the_plan(world: World) -> None:
    """The history has the reason and both amounts; everything else is unchanged."""
    payment = in_review(world)
    before = world.table.item()
    now = NOW + MINUTE

    accept(world, payment, ACCEPTED, "coupon", now)

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


def test_accepted_payment_succeeds_within_a_minute(world: World) -> None:
    """The sweeper sends a check, and the gateway gives the same answer."""
    accept(world, in_review(world), ACCEPTED, "coupon", NOW)

    world.run(MINUTE)

    payment = stored(world)
    assert (payment.status, payment.event_state) == (Status.SUCCEEDED, "PENDING")
    assert len(world.asked) == 2
    assert [change.reason for change in payment.history] == [None, None, "coupon", None]


def test_accepted_payment_stays_in_review_if_the_gateway_reports_another_amount(
    world: World,
) -> None:
    """The late checks go on, an hour after the decision."""
    accept(world, in_review(world), ACCEPTED, "coupon", NOW)
    world.says = lambda _: reply(payAmount="$1.00")

    world.run(MINUTE)

    payment = stored(world)
    assert payment.status is Status.REVIEW
    assert payment.next_check_at == NOW + HOUR


def test_write_is_rejected_if_the_payment_is_not_in_review(world: World) -> None:
    """A late check has set it to SUCCEEDED."""
    payment = in_review(world)
    world.says = lambda _: reply(payAmount="$19.99")
    world.run(2 * HOUR)
    assert stored(world).status is Status.SUCCEEDED

    assert_rejected(world, updates.accept(payment, ACCEPTED, "coupon", world.now))


def test_write_is_rejected_if_the_registered_amount_changed(world: World) -> None:
    """The operator has seen another amount."""
    payment = in_review(world)
    world.table.change(expectedAmount="18.50")

    assert_rejected(world, updates.accept(payment, ACCEPTED, "coupon", NOW))


def test_write_without_a_registered_amount(world: World) -> None:
    """The payment is in REVIEW for its currency."""
    world.says = lambda _: reply(payAmount="EUR 18.00")
    world.order(currency="USD")
    world.run(0)
    accepted = Registration(None, "18.00", "EUR")

    accept(world, stored(world), accepted, "traveller", NOW)

    entry = world.table.item()["history"][-1]
    assert (entry["amountFrom"], entry["amountTo"]) == ("USD", "18.00 EUR")
    assert stored(world).registration == accepted


def test_write_without_any_registration(world: World) -> None:
    """It was removed by hand: the history has the accepted amount only."""
    in_review(world)
    world.table.change(expectedAmount=None, currency=None)
    accept(world, stored(world), ACCEPTED, "coupon", NOW)
    entry = world.table.item()["history"][-1]
    assert "amountFrom" not in entry
    assert entry["amountTo"] == "18.00 USD"
