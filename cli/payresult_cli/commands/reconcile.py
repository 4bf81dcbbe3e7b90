"""`payresult reconcile`: compares a billing file with the stored payments."""

import csv
from collections import Counter
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

import click

from payresult_cli.billing_file import (
    BILL_COLUMNS,
    COLUMNS,
    KINDS,
    PAYMENT_ATTRIBUTES,
    find_differences,
    read_billing_file,
)
from payresult_cli.context import Context
from payresult_cli.formatting import format_count, printable
from payresult_cli.options import TIME, stack_options
from payresult_cli.table_scan import SCAN_COST, scan_payments

NO_LIMIT = 2**63


@click.command("reconcile", epilog=f"Reads {SCAN_COST}")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--since", type=TIME, metavar="TIME", help="Report extra payments only from then on.")
@click.option("--until", type=TIME, metavar="TIME", help="Report extra payments only before then.")
@click.option("--no-extra", is_flag=True, help="Report no extra payments.")
@click.option(
    "--columns",
    nargs=2,
    default=BILL_COLUMNS,
    metavar="PAYID AMOUNT",
    help="What the file calls these two columns.",
)
@stack_options
def command(
    context: Context,
    file: Path,
    *,
    since: int | None,
    until: int | None,
    no_extra: bool,
    columns: tuple[str, str],
) -> int:
    """Compare a billing file with the stored payments.

    FILE is CSV whose first line names payId and amount; other columns are ignored. In an amount the
    point is the decimal point, and zeros at the end do not count: 19.990 is 19.99. Writes the
    differences as CSV: "missing" is in the file but not SUCCEEDED here; "extra" is SUCCEEDED here
    but not in the file; "different" has another amount; "repeated" is in the file more than once;
    "duplicate" is SUCCEEDED here and waits for a person, since its order has another paid payment.
    --since and --until are the period that the file covers, by when payresult learnt that a payment
    was paid. Exit code 1 if there are differences.
    """
    billing_file = read_billing_file(file, columns)
    payments = scan_payments(context.stack, PAYMENT_ATTRIBUTES)
    counts = Counter[str]()
    if not context.as_json:
        context.output({}, _csv_line(COLUMNS))
    with context.reading(payments, "reading the table", while_writing=True) as read:
        for difference in find_differences(billing_file, read, since or 0, until or NO_LIMIT):
            if no_extra and difference.kind == "extra":
                continue
            counts[difference.kind] += 1
            record = difference.record()
            context.output(record, _csv_line(_cell(value) for value in record.values()))
    told = [kind for kind in KINDS if not (no_extra and kind == "extra")]
    summary = ", ".join(f"{counts[kind]} {kind}" for kind in told)
    context.info(
        f"{format_count(len(billing_file.amounts), 'payId')} in the billing file: {summary}"
    )
    return 1 if counts else 0


def _csv_line(values: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


def _cell(value: str) -> str:
    """Return *value* so that a spreadsheet does not take it for a formula."""
    text = printable(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text
