"""`payresult republish`: has events sent again, with the same ids."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import click

from payresult.aws import operator_updates
from payresult.aws.dynamodb import PaymentRepository, Stored
from payresult.domain.payment import Payment
from payresult.errors import PaymentChanged
from payresult_cli.context import Context
from payresult_cli.errors import CommandError
from payresult_cli.formatting import format_count, format_time
from payresult_cli.options import PAY_ID, TIME, confirm_options, stack_options
from payresult_cli.table_scan import SCAN_COST, scan_payments

SENT_BETWEEN = "#eventState = :sent AND #eventSentAt BETWEEN :since AND :until"


@click.command("republish", epilog=f"--since reads {SCAN_COST}")
@click.argument("pay_ids", metavar="[PAYID]...", type=PAY_ID, nargs=-1)
@click.option(
    "--since", type=TIME, metavar="TIME", help="Events sent from then on: 2026-11-22T10:00Z."
)
@click.option("--until", type=TIME, metavar="TIME", help="Events sent until then.  [default: now]")
@confirm_options
@stack_options
def command(
    context: Context,
    pay_ids: Sequence[str],
    *,
    since: int | None,
    until: int | None,
    dry_run: bool,
    yes: bool,
) -> int:
    """Send events again, with the same ids.

    Either of the payIds given, or of all payments whose event was sent in a period. The command
    marks the events as unsent; payresult then sends them, with the same ids and the same bytes.
    Subscribers that de-duplicate by idempotencyKey act on none of them twice. Exit code 1 if some
    could not be read.
    """
    if bool(pay_ids) == (since is not None) or (until is not None and since is None):
        raise click.UsageError("Give either payIds, or --since (with or without --until).")
    until = context.now() if until is None else until
    selected = list(dict.fromkeys(pay_ids)) or _sent_between(context, since or 0, until)
    repository = context.stack.repository()
    if pay_ids:
        _require_events(selected, repository.get_many(selected))
    period = "" if pay_ids else f", sent from {format_time(since or 0)} to {format_time(until)}"
    context.output({"events": len(selected)}, format_count(len(selected), "event") + period)
    if not selected or not context.confirm("Send them again?", dry_run=dry_run, yes=yes):
        return 0 if dry_run or not selected else 1
    outcomes = Counter(_mark_all(context, repository, selected))
    marked, skipped, unread = (outcomes[each] for each in (True, False, None))
    context.output({"marked": marked}, f"{marked} marked as unsent: payresult sends them now")
    if skipped:
        context.info(f"{skipped} skipped: waiting to be sent already, or erased")
    if unread:
        context.info(f"{unread} not read: try again, or see UnreadableAlarm in docs/operations.md")
    return 1 if unread else 0


def _sent_between(context: Context, since: int, until: int) -> list[str]:
    payments = scan_payments(
        context.stack, ["payId"], SENT_BETWEEN, sent="SENT", since=since, until=until
    )
    return [payment["payId"] for payment in payments]


def _require_events(pay_ids: Sequence[str], stored: Mapping[str, Stored]) -> None:
    for pay_id in pay_ids:
        payment = stored.get(pay_id)
        if not isinstance(payment, Payment):
            raise CommandError(
                f"{pay_id} is not in the table or cannot be read: nothing was changed"
            )
        if payment.event_id is None:
            raise CommandError(
                f"{pay_id} is {payment.status} and has no event: nothing was changed"
            )


def _mark_all(
    context: Context, repository: PaymentRepository, pay_ids: Sequence[str]
) -> Iterator[bool | None]:
    """Mark one event after the other, so as not to flood the publisher; yield as _mark."""
    with context.progress(pay_ids, "marking") as progress:
        for pay_id in progress:
            yield _mark(context, repository, pay_id)


def _mark(context: Context, repository: PaymentRepository, pay_id: str) -> bool | None:
    """Return True if the event is marked, False if it needs no mark, None if nobody knows."""
    payment = repository.get_many([pay_id]).get(pay_id)
    if not isinstance(payment, Payment | None):
        return None
    if payment is None or payment.event_id is None:
        return False
    try:
        repository.write(pay_id, operator_updates.republish(payment, context.now()))
    except PaymentChanged:  # it is unsent already
        return False
    return True
