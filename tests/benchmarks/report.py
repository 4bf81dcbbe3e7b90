"""The results of a run: lines for people, committed JSON, and docs/performance.md's table."""

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.benchmarks.comparisons import COMPARISONS, BenchmarkResult
from tests.support.runtime import PYTHON
from tests.support.template import ROOT

RESULTS = Path(__file__).parent / "results"
DOCUMENT = ROOT / "docs" / "performance.md"
SECTION, NEXT = "\n## Results\n", "\n## "
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
MEASURED = (
    *("aws-lambda-powertools", "awslambdaric", "boto3", "botocore", "pydantic", "pydantic-core"),
    *("requests", "urllib3"),
)
"""The packages whose versions are reported."""


def line(result: BenchmarkResult) -> str:
    """Return *result* on one line of a terminal."""
    return f"{result.name:36} {' '.join(f'{cell:>18}' for cell in cells(result))}"


def cells(result: BenchmarkResult) -> tuple[str, ...]:
    """Return A, B, their ratio, the target, and whether it was reached."""
    sign = "≤" if result.better == "lower" else "≥"
    return (
        f"{format_figure(result.a)} {result.unit}",
        f"{format_figure(result.b)} {result.unit}",
        f"{result.ratio:.3g} ({result.p10:.3g} to {result.p90:.3g})",
        f"{sign} {result.target:g}",
        "reached" if result.reached else "missed",
    )


def format_figure(value: float) -> str:
    """Return *value* with three significant digits, or more if its integer part has more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(results: Mapping[str, BenchmarkResult]) -> str:
    """Return the table of *results* by name; a group is a row without figures, then its rows."""
    lines = ["| | A | B | A/B (p10 to p90) | target | |", "|---|---:|---:|---:|---|---|"]
    for group, comparisons in groupby(COMPARISONS, lambda each: each.group):
        lines.append(f"| **{group}** | | | | | |")
        rows = [(each.title, *cells(results[each.name])) for each in comparisons]
        lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def with_table(text: str, new_table: str) -> str:
    """Return the document's *text* with the table of its section Results replaced."""
    before, heading, rest = text.partition(SECTION)
    section, next_heading, after = rest.partition(NEXT)
    replaced, count = TABLE.subn(lambda _: new_table, section)
    if count != 1:
        raise ValueError("docs/performance.md has no table, or several, in its section Results")
    return f"{before}{heading}{replaced}{next_heading}{after}"


def write_table() -> None:
    """Write the table of the newest committed results."""
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(with_table(text, table(latest())), encoding="utf-8")


def save(results: Sequence[BenchmarkResult], folder: Path = RESULTS) -> None:
    """Write today's results."""
    today = datetime.now(UTC).date().isoformat()
    document = {"date": today, "machine": machine(), "rows": [asdict(each) for each in results]}
    text = json.dumps(document, indent=1) + "\n"
    (folder / f"{today}.json").write_text(text, encoding="utf-8")


def latest(folder: Path = RESULTS) -> dict[str, BenchmarkResult]:
    """Return the newest results by name."""
    document: dict[str, Any] = json.loads(max(folder.glob("20*.json")).read_text(encoding="utf-8"))
    return {each["name"]: BenchmarkResult(**each) for each in document["rows"]}


def machine() -> dict[str, Any]:
    """Return a description of this machine, without any paths."""
    script = (
        "import platform, ssl; print(platform.python_version(), ssl.OPENSSL_VERSION, sep='\\n')"
    )
    done = subprocess.run(  # noqa: S603 - a fixed command
        [PYTHON, "-c", script], capture_output=True, text=True, check=True
    )
    python, openssl = done.stdout.splitlines()
    processors = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*: (.*)", processors, re.MULTILINE)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": f"{model[1] if model else 'unknown'} ({platform.machine()})",
        "system": platform.system(),
        "python": python,
        "openssl": openssl,
        "versions": {name: version(name) for name in MEASURED},
    }
