"""`payresult accept`: an operator accepts what the gateway reports of a payment in REVIEW."""

import click

from payresult.aws import operator_updates
from payresult.domain.decision import is_success
from payresult.domain.payment import Payment, Status
from payresult.domain.reply import stored_text
from payresult_cli.context import Context
from payresult_cli.errors import CommandError
from payresult_cli.formatting import format_pay_amount, format_registered_amount, printable
from payresult_cli.hints import hint
from payresult_cli.one_payment import read_payment, write_if_unchanged
from payresult_cli.options import PAY_ID, confirm_options, reason_option, stack_options


@click.command("accept")
@click.argument("pay_id", metavar="PAYID", type=PAY_ID)
@click.option("--reported", metavar="TEXT", help="For a script: the payAmount that it saw.")
@click.option("--reported-absent", is_flag=True, help="For a script: it saw that there is none.")
@reason_option
@confirm_options
@stack_options
def command(  # noqa: PLR0913 - an option each
    context: Context,
    pay_id: str,
    *,
    reported: str | None,
    reported_absent: bool,
    reason: str,
    dry_run: bool,
    yes: bool,
) -> int:
    """Accept what the gateway reports of a payment in REVIEW.

    Shows the registered amount and the reported one, and plans a check: within a minute
    payresult asks the gateway again. If it reports the same text, the payment becomes SUCCEEDED.
    A script says what it saw: --yes needs --reported or --reported-absent, and so does a command
    without a terminal. The registration stays as it is.
    """
    if reported is not None and reported_absent:
        raise click.UsageError("Give either --reported or --reported-absent.")
    said = reported is not None or reported_absent
    if not said and not dry_run and (yes or not context.dependencies.has_terminal()):
        raise CommandError(
            "nothing was changed: say what you saw, with --reported TEXT or --reported-absent"
        )
    repository = context.stack.repository()
    payment = read_payment(repository, pay_id)
    _require_reported_success(payment)
    if said:
        _require_seen(payment, reported)
    _show(context, payment, reason)
    if not context.confirm("Accept it?", dry_run=dry_run, yes=yes):
        return 0 if dry_run else 1
    update = operator_updates.accept(payment, reason, context.now())
    write_if_unchanged(pay_id, lambda: repository.write(pay_id, update))
    explain = hint("explain", pay_id)
    context.info(f"accepted: the payment is checked again within a minute ({explain})")
    return 0


def _require_reported_success(payment: Payment) -> None:
    if payment.status is not Status.REVIEW:
        raise CommandError(
            f"{payment.pay_id} is {payment.status}: only a payment in REVIEW can be accepted"
        )
    pay_rst = payment.reply.get("payRst", "")
    if not is_success(pay_rst):
        raise CommandError(
            f'the gateway\'s last answer about {payment.pay_id} is payRst "{printable(pay_rst)}":'
            " there is no success to accept"
        )


def _require_seen(payment: Payment, seen: str | None) -> None:
    """Require that *seen*, None for no amount, is what is stored: long texts are truncated."""
    stored = payment.reply.get("payAmount")
    if (None if seen is None else stored_text(seen)) != stored:
        said = format_pay_amount({} if seen is None else {"payAmount": seen})
        raise CommandError(
            f"the gateway reports {format_pay_amount(payment.reply)} for {payment.pay_id},"
            f" not {said}: nothing was changed"
        )


def _show(context: Context, payment: Payment, reason: str) -> None:
    registered = format_registered_amount(payment.registration)
    reported = payment.reply.get("payAmount")
    record = {
        "payId": payment.pay_id,
        "registered": registered,
        "reported": reported,
        "reportedAbsent": True if reported is None else None,
        "reason": reason,
    }
    text = f"{payment.pay_id}: {registered} registered, {format_pay_amount(payment.reply)} reported"
    context.output(record, text)
