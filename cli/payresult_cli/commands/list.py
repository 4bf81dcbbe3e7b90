"""`payresult list`: what waits for a person (an index); payments by status and age (a scan)."""

from collections.abc import Iterator, Sequence
from heapq import merge
from typing import Any

import click

from payresult.aws.dynamodb import ATTENTION, PaymentRepository
from payresult.domain.payment import Status, to_iso8601
from payresult_cli.context import Context
from payresult_cli.formatting import format_count, format_duration, format_time_and_age
from payresult_cli.options import AGE, stack_options
from payresult_cli.table_scan import SCAN_COST, scan_payments

_ATTRIBUTES = ("payId", "status", "createdAt", "checks", "lastCheckedAt", "nextCheckAt", "orderId")
_TIMES = ("createdAt", "lastCheckedAt", "nextCheckAt")


@click.command("list", epilog=f"--status and --older-than read {SCAN_COST}")
@click.option(
    "--attention",
    type=click.Choice([*ATTENTION, "all"]),
    default="all",
    show_default=True,
    help="What waits for a person.",
)
@click.option(
    "--status",
    "statuses",
    type=click.Choice([each.value for each in Status]),
    multiple=True,
    help="Only this status; may be repeated. Reads the whole table.",
)
@click.option(
    "--older-than",
    type=AGE,
    metavar="AGE",
    help="Registered longer ago than 90s, 15m, 2h or 7d. Reads the whole table.",
)
@stack_options
def command(
    context: Context, *, attention: str, statuses: tuple[str, ...], older_than: int | None
) -> int:
    """List what waits for a person, or payments by status and age.

    What waits for a person comes from an index, the oldest first. It waits until it is accepted,
    closed, followed again, or paid after all. Payments by status and age are in no particular
    order; --json shows more of each.
    """
    if not statuses and older_than is None:
        count = _list_waiting(context, ATTENTION if attention == "all" else [attention])
    elif attention == "all":
        count = _list_by_status(context, statuses, older_than)
    else:
        raise click.UsageError("Give either --attention, or --status and --older-than.")
    context.info(format_count(count, "payment"))
    return 0


def _list_waiting(context: Context, reasons: Sequence[str]) -> int:
    repository, now, count = context.stack.repository(), context.now(), 0
    for since, pay_id, reason in merge(*(_waiting(repository, each) for each in reasons)):
        record = {"payId": pay_id, "attention": reason, "since": to_iso8601(since)}
        context.output(
            record, f"{pay_id:<24}  {reason:<10}  since {format_time_and_age(since, now)}"
        )
        count += 1
    return count


def _waiting(repository: PaymentRepository, reason: str) -> Iterator[tuple[int, str, str]]:
    return ((since, pay_id, reason) for pay_id, since in repository.waiting(reason))


def _list_by_status(context: Context, statuses: tuple[str, ...], older_than: int | None) -> int:
    now = context.now()
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if statuses:
        values |= {f"status{number}": status for number, status in enumerate(statuses)}
        conditions.append(f"#status IN ({', '.join(f':{name}' for name in values)})")
    if older_than is not None:
        conditions.append("#createdAt < :before")
        values["before"] = now - older_than
    count = 0
    for payment in scan_payments(context.stack, _ATTRIBUTES, " AND ".join(conditions), **values):
        context.output(_record(payment), _line(payment, now))
        count += 1
    return count


def _record(payment: dict[str, Any]) -> dict[str, Any]:
    times = {name: to_iso8601(int(payment[name])) for name in _TIMES if name in payment}
    return payment | times | {"checks": int(payment.get("checks", 0))}


def _line(payment: dict[str, Any], now: int) -> str:
    created_at = payment.get("createdAt")
    age = "age unknown" if created_at is None else f"{format_duration(now - int(created_at))} old"
    checked = f"checked {format_count(int(payment.get('checks', 0)), 'time')}"
    status = payment.get("status", "?")
    return f"{payment.get('payId', '?'):<24}  {status:<10}  {age:>12}  {checked}"
