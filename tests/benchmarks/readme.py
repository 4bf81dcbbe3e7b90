"""Writes README's table and the plot from the newest committed results."""

import re
from collections.abc import Mapping

from tests.benchmarks.figures import BenchmarkResult
from tests.benchmarks.plot import svg
from tests.benchmarks.report import RESULTS, format_figure, format_target, latest
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
        "look-up, 100, against the sequential script": "batch_100_vs_sequential",
    },
    "Peak of `checks` against 60 MiB + 1 for each payId at a time": {
        "1": "memory_checks_1",
        "10": "memory_checks_10",
        "32": "memory_checks_32",
    },
}
"""Each group of comparisons has one row of the table, so that README stays short."""


def write() -> None:
    """Replace the table in README.md, and write the plot."""
    newest = latest()
    PLOT.write_text(svg(newest["rows"], newest["date"]), encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    new_table = table({result.name: result for result in newest["rows"]})
    README.write_text(with_table(text, new_table), encoding="utf-8")


def with_table(text: str, new_table: str) -> str:
    """Return README's *text* with the table of its section Performance replaced."""
    before, heading, rest = text.partition(SECTION)
    section, next_heading, after = rest.partition(NEXT)
    replaced, count = TABLE.subn(lambda _: new_table, section)
    if count != 1:
        raise ValueError("README.md has no table, or several, in its section Performance")
    return f"{before}{heading}{replaced}{next_heading}{after}"


def table(results: Mapping[str, BenchmarkResult]) -> str:
    """Return the table of *results*, which are by name."""
    lines = ["| | A | B | A/B (p10 to p90) | target, stretch | |", "|---|---:|---:|---:|---|---|"]
    for title, names in GROUPS.items():
        columns = zip(*(_cells(results[name]) for name in names.values()), strict=True)
        cells = ["<br>".join(["", *column]) for column in columns]
        lines.append(f"| {' | '.join(['<br>'.join([title, *names]), *cells])} |")
    return "\n".join(lines) + "\n"


def _cells(result: BenchmarkResult) -> tuple[str, ...]:
    limits = (format_target(result, limit) for limit in (result.target, result.stretch))
    return (
        f"{format_figure(result.a)} {result.unit}",
        f"{format_figure(result.b)} {result.unit}",
        f"{result.ratio:.3g} ({result.p10:.3g} to {result.p90:.3g})",
        ", ".join(filter(None, limits)),
        result.reached,
    )
