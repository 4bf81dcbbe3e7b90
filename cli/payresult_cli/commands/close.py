"""`payresult close`: ends a case that an operator has dealt with outside of payresult."""

import click

from payresult.aws import operator_updates
from payresult.domain.payment import Payment, to_iso8601
from payresult.domain.schedule import expiry
from payresult_cli.context import Context
from payresult_cli.errors import CommandError
from payresult_cli.formatting import attention_reason, format_time_and_age
from payresult_cli.one_payment import read_payment, write_if_unchanged
from payresult_cli.options import PAY_ID, confirm_options, reason_option, stack_options


@click.command("close")
@click.argument("pay_id", metavar="PAYID", type=PAY_ID)
@reason_option
@confirm_options
@stack_options
def command(context: Context, pay_id: str, *, reason: str, dry_run: bool, yes: bool) -> int:
    """End a REVIEW, UNRESOLVED or DUPLICATE that was dealt with.

    For a case that was dealt with outside of payresult, such as by a refund. The payment keeps its
    status and its planned checks; only `list` and the alarms no longer include it.
    """
    repository = context.stack.repository()
    payment = read_payment(repository, pay_id)
    if payment.attention is None:
        raise CommandError(f"{pay_id} is {payment.status} and waits for nobody: nothing to close")
    _show(context, payment, reason)
    if not context.confirm("Close it?", dry_run=dry_run, yes=yes):
        return 0 if dry_run else 1
    now = context.now()
    # Nothing expires while a check is planned or an event is unsent.
    at_rest = payment.work_at is None
    expires_at = expiry(now, context.stack.retention_days) if at_rest else None
    update = operator_updates.close(payment, reason, now, expires_at)
    write_if_unchanged(pay_id, lambda: repository.orders.expire(repository.write(pay_id, update)))
    context.info("closed: it does not wait for a person any more")
    return 0


def _show(context: Context, payment: Payment, reason: str) -> None:
    waits_for, since = attention_reason(payment), payment.attention_since
    record = {
        "payId": payment.pay_id,
        "attention": waits_for,
        "since": since and to_iso8601(since),
        "reason": reason,
    }
    at = format_time_and_age(since, context.now()) if since else "an unknown time"
    context.output(record, f"{payment.pay_id}: {waits_for} since {at}")
