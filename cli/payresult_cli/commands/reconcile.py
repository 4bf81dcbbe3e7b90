"""`payresult reconcile`: a bill against the table."""

import csv
from collections import Counter
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

import click

from payresult_cli import billing_file
from payresult_cli.context import Context
from payresult_cli.formatting import printable
from payresult_cli.options import POINT, stack_options
from payresult_cli.table_scan import COST, scan

NO_LIMIT = 2**63


@click.command("reconcile", epilog=COST)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--since", type=POINT, metavar="TIME", help="Extra is only what was paid since then.")
@click.option("--until", type=POINT, metavar="TIME", help="Extra is only what was paid before.")
@stack_options
def command(desk: Context, file: Path, *, since: int | None, until: int | None) -> int:
    """Compare a bill with the table.

    FILE is CSV whose first line names payId and amount; other columns are left alone. Prints the
    differences as CSV: "missing" is on the bill, and not SUCCEEDED here; "extra" is SUCCEEDED
    here, and not on the bill; "different" has another amount; "repeated" is on the bill twice.
    --since and --until say which time the bill covers, by when payresult learnt of a payment.
    Exit code 1 where there are differences.
    """
    bill = billing_file.read(file)
    payments = scan(desk.system, billing_file.ATTRIBUTES)
    counts = Counter[str]()
    if not desk.as_json:
        desk.tell({}, _csv(billing_file.COLUMNS))
    for difference in billing_file.compare(bill, payments, since or 0, until or NO_LIMIT):
        counts[difference.kind] += 1
        row = difference.row()
        desk.tell(row, _csv(_cell(value) for value in row.values()))
    summary = ", ".join(f"{counts[kind]} {kind}" for kind in billing_file.KINDS)
    desk.note(f"{len(bill.amounts)} payIds on the bill: {summary}")
    return 1 if counts else 0


def _csv(values: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


def _cell(value: str) -> str:
    """Return *value* as a spreadsheet may have it: what looks like a formula stays text."""
    text = printable(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text
