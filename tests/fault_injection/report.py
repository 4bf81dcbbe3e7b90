"""The report of the campaigns: Markdown for people, JSON for the table in docs/testing.md."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.fault_injection.results import CampaignResult

REPORT = Path(__file__).with_name("report.json")


def markdown(results: Sequence[CampaignResult], size: str, seed: str) -> str:
    """Return the report as a table."""
    passed = sum(result.ok for result in results)
    lines = [
        f"# Campaigns: {passed} of {len(results)} passed (SIZE={size} SEED={seed})",
        "",
        "| campaign | tries | faults | lost | false | sent again | seconds | |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for result in results:
        figures = (result.tries, result.faults, result.lost, result.false, result.duplicates)
        counted = " | ".join(f"{figure:,}" for figure in figures)
        state = _state(result)
        lines.append(f"| {result.name} | {counted} | {result.seconds:,.1f} | {state} |")
    return "\n".join(lines) + "\n"


def load(path: Path = REPORT) -> tuple[str, list[CampaignResult]]:
    """Return the size of the run that report.json is about, and its results."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return document["size"], [CampaignResult(**result) for result in document["rows"]]


def save(results: Sequence[CampaignResult], size: str, seed: str, path: Path = REPORT) -> None:
    """Write report.json."""
    document = {"size": size, "seed": seed, "rows": [asdict(result) for result in results]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _state(result: CampaignResult) -> str:
    if result.control:
        return "detected" if result.ok else "**NOT DETECTED**"
    return "ok" if result.ok else "**BROKEN**"
