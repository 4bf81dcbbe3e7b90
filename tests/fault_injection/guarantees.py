"""What a run of the campaigns says of each promise: the last column of the README's table."""

from collections.abc import Sequence

from tests.fault_injection.results import Row

CRASHES = ("C1 ", "C2 ", "C3 ", "C4 ", "C5 ", "C23 ")

FIGURES = {
    "P1": (CRASHES, "{lost:,} of {tries:,} payments lost, {faults:,} faults"),
    "P2": ((*CRASHES, "C6 ", "C7 ", "C8 fuzzed"), "{false:,} false in {tries:,} runs and replies"),
    "P3": (CRASHES, "{duplicates:,} events sent again, each the same to the byte"),
    "P5": (("C13 a payment",), "none of {tries:,} unpaid payments left open"),
    "P6": (("C13 ",), "never more, in {tries:,} payments"),
    "P7": (("C13 outage", "C13 storm"), "no dead letter, in {tries:,} payments"),
    "P8": (("C18 ",), "no hit of a canary in {tries:,} invocations"),
}
"""By promise: which campaigns show it, by the start of their names, and what they say of it."""

BROKEN = "**broken**"


def figures(rows: Sequence[Row]) -> dict[str, str]:
    """Return what *rows* say of each promise that campaigns show."""
    return {
        promise: _told([row for row in rows if row.name.startswith(names)], text)
        for promise, (names, text) in FIGURES.items()
    }


def _told(rows: Sequence[Row], text: str) -> str:
    if not rows or not all(row.ok for row in rows):
        return BROKEN
    counted = ("tries", "faults", "lost", "false", "duplicates")
    return text.format(**{name: sum(getattr(row, name) for row in rows) for name in counted})
