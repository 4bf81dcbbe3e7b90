"""`payresult forget`: erases one payment from the table."""

import click

from payresult.aws.dynamodb import PaymentRepository
from payresult.domain.payment import Payment, to_iso8601
from payresult.errors import PaymentChanged
from payresult_cli.context import Context
from payresult_cli.errors import CommandError
from payresult_cli.formatting import attention_reason, format_time
from payresult_cli.hints import hint
from payresult_cli.one_payment import read_payment
from payresult_cli.options import PAY_ID, confirm_options, stack_options


@click.command("forget")
@click.argument("pay_id", metavar="PAYID", type=PAY_ID)
@confirm_options
@stack_options
def command(context: Context, pay_id: str, *, dry_run: bool, yes: bool) -> int:
    """Erase a payment from the table.

    Refuses while a check is planned, an event is unsent, or the payment waits for a person. A
    message or a PUT with the payId stores it anew. The event stays where it was sent to. If
    this was the first paid payment of its order, the event of the next one has no duplicateOf.
    """
    repository = context.stack.repository()
    payment = read_payment(repository, pay_id)
    _require_at_rest(payment)
    record = {
        "payId": pay_id,
        "status": payment.status,
        "createdAt": to_iso8601(payment.created_at),
    }
    registered = format_time(payment.created_at)
    context.output(record, f"{pay_id}: {payment.status}, registered at {registered}")
    if not context.confirm("Erase it for ever?", dry_run=dry_run, yes=yes):
        return 0 if dry_run else 1
    _forget(repository, payment)
    context.info("erased")
    return 0


def _forget(repository: PaymentRepository, payment: Payment) -> None:
    try:
        repository.forget(payment)
    except PaymentChanged as changed:
        if changed.current is None:
            raise CommandError(f"{payment.pay_id} is not in the table any more") from None
        _require_at_rest(changed.current)
        raise  # the condition of the write and this command would disagree


def _require_at_rest(payment: Payment) -> None:
    if payment.attention is not None:
        waits_for = attention_reason(payment)
        close = hint("close", payment.pay_id, "--reason", "…")
        why = f"it waits for a person ({waits_for}): `{close}` ends that"
    elif payment.work_shard is None:
        return
    elif payment.event_state == "PENDING":
        why = "its event is not sent yet"
    else:
        why = f"it is {payment.status} and a check is planned ({hint('explain', payment.pay_id)})"
    raise CommandError(f"{payment.pay_id} is not erased: {why}")
