"""`payresult republish`: have events sent again."""

from collections.abc import Iterator, Sequence

import click

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository, Stored
from payresult.domain.event import Event
from payresult.domain.payment import Payment
from payresult.errors import PaymentChanged
from payresult_cli.context import Context
from payresult_cli.errors import CommandError
from payresult_cli.formatting import format_time
from payresult_cli.options import PAY_ID, POINT, confirm_options, stack_options
from payresult_cli.table_scan import COST, scan

SENT_BETWEEN = "#eventState = :sent AND #eventSentAt BETWEEN :since AND :until"


@click.command("republish", epilog=f"With --since: {COST}")
@click.argument("pay_ids", metavar="[PAYID]...", type=PAY_ID, nargs=-1)
@click.option("--since", type=POINT, metavar="TIME", help="Sent from then on: 2026-11-22T10:00Z.")
@click.option("--until", type=POINT, metavar="TIME", help="Sent until then.  [default: now]")
@confirm_options
@stack_options
def command(
    desk: Context,
    pay_ids: Sequence[str],
    *,
    since: int | None,
    until: int | None,
    dry_run: bool,
    yes: bool,
) -> int:
    """Have events sent again, with the same ids.

    Of the payments named, or of those whose event was sent in a range of time. Marks the events
    unsent; then the system itself sends them, the same ids and the same bytes. Subscribers that
    go by the eventId act on none of them twice.
    """
    if bool(pay_ids) == (since is not None) or (until is not None and since is None):
        raise click.UsageError("Name payIds, or give --since (and --until), but not both.")
    until = desk.now() if until is None else until
    wanted = list(dict.fromkeys(pay_ids)) or _sent_between(desk, since or 0, until)
    store = desk.system.store()
    if pay_ids:
        _refuse_without_event(wanted, store.get_many(wanted))
    range_of_time = (
        "" if pay_ids else f", sent from {format_time(since or 0)} to {format_time(until)}"
    )
    desk.tell({"events": len(wanted)}, f"{len(wanted)} events{range_of_time}")
    if not wanted or not desk.may("Send them again?", dry_run=dry_run, yes=yes):
        return 0 if dry_run or not wanted else 1
    marked = sum(_mark_all(desk, store, wanted))
    desk.tell({"marked": marked}, f"{marked} marked unsent: the system sends them now")
    if marked < len(wanted):
        desk.note(f"{len(wanted) - marked} were waiting to be sent already")
    return 0


def _sent_between(desk: Context, since: int, until: int) -> list[str]:
    values = {"sent": "SENT", "since": since, "until": until}
    return [found["payId"] for found in scan(desk.system, ["payId"], SENT_BETWEEN, **values)]


def _refuse_without_event(wanted: Sequence[str], found: dict[str, Stored]) -> None:
    for pay_id in wanted:
        stored = found.get(pay_id)
        if not isinstance(stored, Payment):
            raise CommandError(f"{pay_id} has no readable item in the table: nothing was changed")
        if stored.event_id is None:
            raise CommandError(f"{pay_id} is {stored.status} and has no event: nothing was changed")


def _mark_all(desk: Context, store: PaymentRepository, wanted: Sequence[str]) -> Iterator[bool]:
    """Mark one after the other, so that the publisher is not flooded; say which it was new for."""
    with desk.progress(wanted, "marking") as bar:
        for pay_id in bar:
            yield _mark(desk, store, pay_id)


def _mark(desk: Context, store: PaymentRepository, pay_id: str) -> bool:
    stored = store.get_many([pay_id]).get(pay_id)
    if not isinstance(stored, Payment) or not stored.event_id or not stored.event:
        return False
    event = Event(pay_id, stored.event_id, stored.event)
    try:
        store.write(pay_id, updates.republish(event, desk.now()))
    except PaymentChanged:  # it is waiting to be sent
        return False
    return True
