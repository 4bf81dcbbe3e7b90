"""README's table and plot, made from the newest results that are committed."""

import re
from collections.abc import Mapping

from tests.benchmarks.figures import Row
from tests.benchmarks.plot import svg
from tests.benchmarks.report import RESULTS, aim, figure, latest
from tests.support.template import ROOT

README = ROOT / "README.md"
PLOT = RESULTS / "plot.svg"
SECTION, NEXT = "\n## Performance\n", "\n## "
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)

GROUPS = {
    "INIT against the floor": {
        "`checks`": "init_checks_vs_floor",
        "`api`": "init_api_vs_floor",
        "`publisher`": "init_publisher_vs_floor",
        "`sweeper`": "init_sweeper_vs_floor",
        "(the typical handler)": "typical_vs_floor",
    },
    "`checks` against the typical handler, INIT and first invocation": {
        "byte-code for both": "first_checks_vs_typical",
        "as each ships": "first_checks_vs_typical_as_shipped",
    },
    "Warm": {
        "a check without its waits, against hand-signed": "query_overhead_vs_hand_signed",
        "CPU of a new TLS connection, against `ca_certs=`": "new_tls_connection_cpu",
        "CPU of `PutEvents` in tens, against one by one": "puts_in_tens_cpu",
    },
    "Batches: the least wait, 32 at a time, over the time taken": {
        "`checks`, 10": "batch_10_efficiency",
        "look-up, 100": "batch_100_efficiency",
        "look-up, 1,000": "batch_1000_efficiency",
        "`checks`, 100": "batch_100_checks_efficiency",
        "`checks`, 1,000": "batch_1000_checks_efficiency",
        "look-up, 100, against the sequential script": "batch_100_vs_sequential",
    },
    "Peak of `checks` against 60 MiB + 1 for each payId at a time": {
        "1": "memory_checks_1",
        "10": "memory_checks_10",
        "32": "memory_checks_32",
    },
}
"""Rows of a benchmark share a line of the table, so that README stays short."""


def write() -> None:
    """Put the table into README.md, and write the plot."""
    results = latest()
    PLOT.write_text(svg(results["rows"], results["date"]), encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    made = table({row.name: row for row in results["rows"]})
    README.write_text(with_table(text, made), encoding="utf-8")


def with_table(text: str, made: str) -> str:
    """Return README's *text* with *made* in the place of the section's table."""
    before, heading, rest = text.partition(SECTION)
    section, next_heading, after = rest.partition(NEXT)
    replaced, count = TABLE.subn(lambda _: made, section)
    if count != 1:
        raise ValueError("README.md has no table, or several, in its section Performance")
    return f"{before}{heading}{replaced}{next_heading}{after}"


def table(rows: Mapping[str, Row]) -> str:
    """Return the table."""
    lines = ["| | A | B | A/B (p10 to p90) | target, stretch | |", "|---|---:|---:|---:|---|---|"]
    for title, names in GROUPS.items():
        cells = zip(*(_cells(rows[name]) for name in names.values()), strict=True)
        told = ["<br>".join(["", *column]) for column in cells]
        lines.append(f"| {' | '.join(['<br>'.join([title, *names]), *told])} |")
    return "\n".join(lines) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    aims = ", ".join(filter(None, (aim(row, row.target), aim(row, row.stretch))))
    return (
        f"{figure(row.a)} {row.unit}",
        f"{figure(row.b)} {row.unit}",
        f"{row.ratio:.3g} ({row.p10:.3g} to {row.p90:.3g})",
        aims,
        row.reached,
    )
