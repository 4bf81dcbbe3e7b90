"""`payresult accept`: an operator accepts the paid amount of a payment in REVIEW."""

from decimal import Decimal

import click

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository, require_readable
from payresult.domain.amount import parse_plain_amount
from payresult.domain.payment import Payment, Registration, Status
from payresult.domain.registration import amount_matches
from payresult.errors import PaymentChanged
from payresult_cli.context import Context
from payresult_cli.errors import CommandError
from payresult_cli.formatting import format_registered_amount, printable
from payresult_cli.options import PAY_ID, ParsedParam, confirm_options, stack_options

MAX_REASON_CHARACTERS = 200


def _amount(text: str) -> str | None:
    return text if (parse_plain_amount(text) or Decimal(0)) > 0 else None


def _currency(text: str) -> str | None:
    return text if len(text) == 3 and text.isascii() and text.isupper() else None  # noqa: PLR2004 - ISO 4217


def _reason(text: str) -> str | None:
    return text if 0 < len(text.strip()) <= MAX_REASON_CHARACTERS and text.isprintable() else None


AMOUNT = ParsedParam("amount", _amount, "is not an amount: write it like 19.99")
CURRENCY = ParsedParam(
    "currency", _currency, "is not a currency: write three capital letters, like USD"
)
REASON = ParsedParam(
    "text", _reason, f"is not a reason: write 1 to {MAX_REASON_CHARACTERS} characters on one line"
)


@click.command("accept")
@click.argument("pay_id", metavar="PAYID", type=PAY_ID)
@click.option("--amount", type=AMOUNT, required=True, help="The amount that was paid, like 18.00.")
@click.option(
    "--reason",
    type=REASON,
    required=True,
    help="Why it is accepted; kept in the payment's history.",
)
@click.option("--currency", type=CURRENCY, help="The currency that was paid, if it differs too.")
@confirm_options
@stack_options
def command(  # noqa: PLR0913 - an option each
    context: Context,
    pay_id: str,
    *,
    amount: str,
    reason: str,
    currency: str | None,
    dry_run: bool,
    yes: bool,
) -> int:
    """Accept another amount for a payment in REVIEW.

    Replaces the registered amount by the one that was paid, and plans a check at once: the next
    sweep, within a minute, has the gateway asked again. If the gateway gives the same answer, the
    payment becomes SUCCEEDED.
    """
    repository = context.stack.repository()
    payment = _payment_in_review(repository, pay_id)
    registered = payment.registration
    accepted = Registration(registered.order_id, amount, currency or registered.currency)
    _require_reported_amount(payment, accepted)
    before, after = format_registered_amount(registered), format_registered_amount(accepted)
    record = {"payId": pay_id, "from": before, "to": after, "reason": reason}
    paid = printable(payment.reply.get("payAmount", ""))
    context.output(record, f"{pay_id}: {before} registered, {paid} paid, {after} to accept")
    if not context.confirm("Accept it?", dry_run=dry_run, yes=yes):
        return 0 if dry_run else 1
    try:
        repository.write(pay_id, updates.accept(payment, accepted, reason, context.now()))
    except PaymentChanged:
        raise CommandError(
            f"{pay_id} changed in the meantime, nothing was accepted: look at it again"
        ) from None
    context.info(
        f"accepted: the payment is checked again within a minute (payresult explain {pay_id})"
    )
    return 0


def _payment_in_review(repository: PaymentRepository, pay_id: str) -> Payment:
    payment = require_readable(repository.get_many([pay_id]).get(pay_id))
    if payment is None:
        raise CommandError(f"{pay_id} is not in the table: there is nothing to accept")
    if payment.status is not Status.REVIEW:
        raise CommandError(
            f"{pay_id} is {payment.status}: only a payment in REVIEW can be accepted"
        )
    return payment


def _require_reported_amount(payment: Payment, accepted: Registration) -> None:
    """Reject any other amount: the next check would set the payment to REVIEW again."""
    reported = payment.reply.get("payAmount")
    if amount_matches(reported, accepted):
        return
    raise CommandError(
        f"the gateway reports {reported!r}, not {format_registered_amount(accepted)}:"
        f" {payment.pay_id} would be in REVIEW again; accept what was paid (--amount, --currency)"
    )
