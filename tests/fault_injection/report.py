"""The report of the campaigns: Markdown, JSON, and what it shows of each guarantee."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.fault_injection.results import CampaignResult

REPORT = Path(__file__).with_name("report.json")
CRASHES = ("C1 ", "C2 ", "C3 ", "C4 ", "C5 ", "C23 ", "C25 ")

FIGURES = {
    "P1": ((*CRASHES, "C26 ", "C27 "), "{lost:,} of {tries:,} payments lost, {faults:,} faults"),
    "P2": ((*CRASHES, "C6 ", "C7 ", "C8 fuzzed"), "{false:,} false in {tries:,} runs and replies"),
    "P3": (CRASHES, "{duplicates:,} events sent again, each the same to the byte"),
    "P5": (("C13 a payment", "C13 trouble"), "none of {tries:,} unpaid payments left open"),
    "P6": (("C13 ",), "never more, in {tries:,} payments"),
    "P7": (("C13 outage", "C13 storm", "C13 trouble"), "no dead letter, in {tries:,} payments"),
    "P8": (("C18 ",), "no hit of a canary in {tries:,} invocations"),
}
"""By guarantee: the campaigns that test it (the starts of their names), and the text."""

BROKEN = "**broken**"


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


def figures(results: Sequence[CampaignResult]) -> dict[str, str]:
    """Return the text for each guarantee that campaigns test."""
    return {
        guarantee: _text([each for each in results if each.name.startswith(names)], text)
        for guarantee, (names, text) in FIGURES.items()
    }


def _text(results: Sequence[CampaignResult], text: str) -> str:
    if not results or not all(result.ok for result in results):
        return BROKEN
    counted = ("tries", "faults", "lost", "false", "duplicates")
    return text.format(**{name: sum(getattr(each, name) for each in results) for name in counted})
