"""`payresult list`: payments by status and age."""

from typing import Any

import click

from payresult.domain.payment import Status, to_iso8601
from payresult_cli.context import Context
from payresult_cli.formatting import format_count, format_duration
from payresult_cli.options import AGE, stack_options
from payresult_cli.table_scan import SCAN_COST, scan_payments

_ATTRIBUTES = ("payId", "status", "createdAt", "checks", "lastCheckedAt", "nextCheckAt", "orderId")
_TIMES = ("createdAt", "lastCheckedAt", "nextCheckAt")


@click.command("list", epilog=f"Reads {SCAN_COST}")
@click.option(
    "--status",
    "statuses",
    type=click.Choice([each.value for each in Status]),
    multiple=True,
    help="Only this status; may be repeated.",
)
@click.option(
    "--older-than", type=AGE, metavar="AGE", help="Registered longer ago than 90s, 15m, 2h or 7d."
)
@stack_options
def command(context: Context, statuses: tuple[str, ...], older_than: int | None) -> int:
    """List payments by status and age.

    In no particular order; --json shows more of each payment.
    """
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
    context.info(format_count(count, "payment"))
    return 0


def _record(payment: dict[str, Any]) -> dict[str, Any]:
    times = {name: to_iso8601(int(payment[name])) for name in _TIMES if name in payment}
    return payment | times | {"checks": int(payment.get("checks", 0))}


def _line(payment: dict[str, Any], now: int) -> str:
    created_at = payment.get("createdAt")
    age = "age unknown" if created_at is None else f"{format_duration(now - int(created_at))} old"
    checked = f"checked {format_count(int(payment.get('checks', 0)), 'time')}"
    status = payment.get("status", "?")
    return f"{payment.get('payId', '?'):<24}  {status:<10}  {age:>12}  {checked}"
