"""`payresult list`: what waits for a person (an index); payments by status and age (a scan)."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from typing import Any

import click

from payresult.aws.indexes import ATTENTION
from payresult.domain.payment import Status, to_iso8601
from payresult_cli.context import Context
from payresult_cli.formatting import (
    format_count,
    format_duration,
    format_row,
    format_time_and_age,
)
from payresult_cli.options import AGE, stack_options
from payresult_cli.table_scan import SCAN_COST, scan_payments

_ATTRIBUTES = ("payId", "status", "createdAt", "checks", "lastCheckedAt", "nextCheckAt", "orderId")
DEFAULT_LIMIT = 1000
"""Keeps what is sorted small, however many payments a table has."""

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
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="Show at most this many, the newest.",
)
@stack_options
def command(
    context: Context,
    *,
    attention: str,
    statuses: tuple[str, ...],
    older_than: int | None,
    limit: int,
) -> int:
    """List what waits for a person, or payments by status and age.

    The newest come first. What waits for a person comes from an index. It waits until it is
    accepted, closed, followed again, or paid after all. --json shows more of each payment.
    """
    if not statuses and older_than is None:
        count = _list_waiting(context, ATTENTION if attention == "all" else [attention], limit)
    elif attention == "all":
        count = _list_by_status(context, statuses, older_than, limit)
    else:
        raise click.UsageError("Give either --attention, or --status and --older-than.")
    cut = f"; --limit {limit}: the newest are shown" if count > limit else ""
    context.info(format_count(count, "payment") + cut)
    return 0


class _Counted:
    """Iterates over *elements* and counts them."""

    def __init__(self, elements: Iterable[Any]) -> None:
        self._elements = elements
        self.count = 0

    def __iter__(self) -> Iterator[Any]:
        for element in self._elements:
            self.count += 1
            yield element


def _list_waiting(context: Context, reasons: Sequence[str], limit: int) -> int:
    repository, now = context.stack.repository(), context.now()
    waiting = _Counted(
        (since, pay_id, reason)
        for reason in reasons
        for pay_id, since in repository.indexes.waiting(reason)
    )
    newest = nlargest(limit, waiting)
    if newest:
        context.heading(format_row("payId", "reason", "waits since"))
    for since, pay_id, reason in newest:
        record = {"payId": pay_id, "attention": reason, "since": to_iso8601(since)}
        context.output(record, format_row(pay_id, reason, format_time_and_age(since, now)))
    return waiting.count


def _list_by_status(
    context: Context, statuses: tuple[str, ...], older_than: int | None, limit: int
) -> int:
    now = context.now()
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if statuses:
        values |= {f"status{number}": status for number, status in enumerate(statuses)}
        conditions.append(f"#status IN ({', '.join(f':{name}' for name in values)})")
    if older_than is not None:
        conditions.append("#createdAt < :before")
        values["before"] = now - older_than
    payments = _Counted(
        scan_payments(context.stack, _ATTRIBUTES, " AND ".join(conditions), **values)
    )
    with context.reading(payments, "reading the table") as read:
        newest = nlargest(limit, read, key=_age_order)
    if newest:
        context.heading(format_row("payId", "status", f"{'registered':<14}", "checks"))
    for payment in newest:
        context.output(_record(payment), _line(payment, now))
    return payments.count


def _age_order(payment: dict[str, Any]) -> tuple[int, str]:
    return int(payment.get("createdAt", 0)), str(payment.get("payId", ""))


def _record(payment: dict[str, Any]) -> dict[str, Any]:
    times = {name: to_iso8601(int(payment[name])) for name in _TIMES if name in payment}
    return payment | times | {"checks": int(payment.get("checks", 0))}


def _line(payment: dict[str, Any], now: int) -> str:
    created_at = payment.get("createdAt")
    age = "?" if created_at is None else f"{format_duration(now - int(created_at))} ago"
    checks = str(int(payment.get("checks", 0)))
    return format_row(
        payment.get("payId", "?"), payment.get("status", "?"), f"{age:<14}", f"{checks:>6}"
    )
