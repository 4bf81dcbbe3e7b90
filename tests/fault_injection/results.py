"""What a campaign brings, and the line of the report that becomes of it."""

import io
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from random import Random

from tests.fault_injection.oracle import Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a campaign brings: how much was tried, what was broken on the way, what came of it.

    ``problems`` say in words what the judge has no word for.
    """

    tries: int
    faults: int
    verdict: Verdict
    problems: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Nothing is wrong."""
        return self.verdict.clean and not self.problems


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the report. ``ok`` of a control: the wrong design was caught."""

    name: str
    tries: int
    faults: int
    lost: int
    false: int
    duplicates: int
    seconds: float
    ok: bool
    control: bool


Tick = Callable[[float], None]
"""Told how much of a campaign is done, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign and its sizes; *run* gets one of them, dice of its own, and whom to tell."""

    name: str
    run: Callable[[int, Random, Tick], Outcome]
    small: int
    full: int
    control: bool = False


class Nowhere(io.TextIOBase):
    """Where the functions log to."""

    def write(self, text: str, /) -> int:
        """Drop it."""
        return len(text)


def conduct(campaign: Campaign, size: int, seed: str, tick: Tick = lambda _: None) -> Row:
    """Run a campaign; what is wrong is told on standard error, in full."""
    # The same seed is the same run, whatever ran before it.
    dice = Random(f"{seed} {campaign.name}")  # noqa: S311 - to be repeated, not to be secret
    start = time.monotonic()
    with redirect_stdout(Nowhere()):
        outcome = campaign.run(size, dice, tick)
    ok = outcome.clean is not campaign.control
    if not ok:
        sys.stderr.write(f"\n{campaign.name}: {_complaint(outcome)}\n")
    return Row(
        name=campaign.name,
        tries=outcome.tries,
        faults=outcome.faults,
        lost=len(outcome.verdict.lost),
        false=len(outcome.verdict.false),
        duplicates=outcome.verdict.duplicates,
        seconds=round(time.monotonic() - start, 1),
        ok=ok,
        control=campaign.control,
    )


def _complaint(outcome: Outcome) -> str:
    if outcome.clean:
        return "a wrong design passed"
    verdict = asdict(outcome.verdict)
    wrong = [f"{kind} {ids[:5]}" for kind, ids in verdict.items() if isinstance(ids, list) and ids]
    return "; ".join([*wrong, *outcome.problems[:5]])
