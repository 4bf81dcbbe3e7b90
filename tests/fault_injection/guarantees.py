"""What a run of the campaigns shows of each guarantee, for the table in docs/testing.md."""

from collections.abc import Sequence

from tests.fault_injection.results import CampaignResult

CRASHES = ("C1 ", "C2 ", "C3 ", "C4 ", "C5 ", "C23 ", "C25 ")

FIGURES = {
    "P1": ((*CRASHES, "C26 "), "{lost:,} of {tries:,} payments lost, {faults:,} faults"),
    "P2": ((*CRASHES, "C6 ", "C7 ", "C8 fuzzed"), "{false:,} false in {tries:,} runs and replies"),
    "P3": (CRASHES, "{duplicates:,} events sent again, each the same to the byte"),
    "P5": (("C13 a payment", "C13 trouble"), "none of {tries:,} unpaid payments left open"),
    "P6": (("C13 ",), "never more, in {tries:,} payments"),
    "P7": (("C13 outage", "C13 storm", "C13 trouble"), "no dead letter, in {tries:,} payments"),
    "P8": (("C18 ",), "no hit of a canary in {tries:,} invocations"),
}
"""By guarantee: the campaigns that test it (the starts of their names), and the text."""

BROKEN = "**broken**"


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
