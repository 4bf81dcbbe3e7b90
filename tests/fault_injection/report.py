"""The report: Markdown for people, JSON for whoever writes the README."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.fault_injection.results import Row

REPORT = Path(__file__).with_name("report.json")
WIDTH = 30


def markdown(rows: Sequence[Row], size: str, seed: str) -> str:
    """The report as a table."""
    good = sum(row.ok for row in rows)
    lines = [
        f"# Campaigns: {good} of {len(rows)} as they must be (SIZE={size} SEED={seed})",
        "",
        "| campaign | tries | faults | lost | false | sent again | seconds | |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        figures = (row.tries, row.faults, row.lost, row.false, row.duplicates)
        counted = " | ".join(f"{figure:,}" for figure in figures)
        lines.append(f"| {row.name} | {counted} | {row.seconds:,.1f} | {_word(row)} |")
    return "\n".join(lines) + "\n"


def load(path: Path = REPORT) -> tuple[str, list[Row]]:
    """Return the size of the run that report.json tells of, and its rows."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return document["size"], [Row(**row) for row in document["rows"]]


def save(rows: Sequence[Row], size: str, seed: str, path: Path = REPORT) -> None:
    """Write report.json."""
    document = {"size": size, "seed": seed, "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def progress(done: float, of: int, text: str) -> None:
    """Draw a bar on standard error, where that is a terminal."""
    if sys.stderr.isatty():
        full = round(WIDTH * done / of)
        bar = "#" * full + "." * (WIDTH - full)
        sys.stderr.write(f"\r\x1b[K{bar} {done:.1f}/{of} {text}")
        sys.stderr.flush()


def _word(row: Row) -> str:
    if row.control:
        return "caught" if row.ok else "**NOT CAUGHT**"
    return "ok" if row.ok else "**BROKEN**"
