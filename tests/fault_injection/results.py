"""What a campaign is, and how it is run and summarised."""

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from tests.support.oracle import Verdict, merged
from tests.support.simulation import Simulation, unwrapped

OnProgress = Callable[[float], None]
"""Called with the fraction of a campaign that is done, from 0 to 1."""


@dataclass
class Run:
    """A run of a campaign: what it gets, then what it counts and finds.

    ``design`` is a broken design to use in place of payresult's, None for payresult's own.
    ``problems`` describe errors that the oracle has no kind for.
    """

    size: int
    rng: Random
    design: Any = None
    on_progress: OnProgress = lambda _: None
    tries: int = 0
    faults: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tries = self.size

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of all tries."""
        for number in range(self.size):
            yield number
            self.on_progress(number / self.size)

    def simulate(self, script: Any, **settings: Any) -> Simulation:
        """Return a simulation of the design."""
        return Simulation(script, self.rng, wrap=self.design or unwrapped, **settings)

    def judge(self, simulation: Simulation, paid: set[str] | frozenset[str] = frozenset()) -> None:
        """Add the faults of *simulation*, and the errors that the oracle finds in it."""
        self.add(simulation.faults, simulation.verdict(paid))

    def add(self, faults: int, verdict: Verdict) -> None:
        """Add faults and errors."""
        self.faults += faults
        self.verdict = merged([self.verdict, verdict])

    @property
    def clean(self) -> bool:
        """Whether no error was found."""
        return self.verdict.clean and not self.problems


Play = Callable[[Run], None]
"""Plays a run, and notes in it what it counts and finds."""


def in_groups(play: Play, group: int) -> Play:
    """Return a campaign that plays at most *group* tries at a time, each from the start.

    Many tries at once fill each batch, so that nearly every invocation has a fault, and the same
    few messages are delivered again and again.
    """

    def grouped(run: Run) -> None:
        for start in range(0, run.size, group):
            part = Run(min(group, run.size - start), run.rng, run.design)
            play(part)
            run.add(part.faults, part.verdict)
            run.problems += part.problems
            run.on_progress(start / run.size)

    return grouped


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign, and its tries in a small and in a full run; with a design it is a control."""

    name: str
    play: Play
    small: int
    full: int
    design: Any = None


@dataclass(frozen=True, slots=True)
class CampaignResult:
    """The summary of a run. ``ok`` of a control: the error of its design was detected."""

    name: str
    tries: int
    faults: int
    lost: int
    false: int
    duplicates: int
    seconds: float
    ok: bool
    control: bool


class _Discard(io.TextIOBase):
    """Discards the logs of the functions."""

    def write(self, text: str, /) -> int:
        return len(text)


def run_campaign(
    campaign: Campaign, size: int, seed: str, on_progress: OnProgress = lambda _: None
) -> CampaignResult:
    """Run a campaign; errors are written to standard error."""
    # A seed repeats a run, whatever ran before.
    rng = Random(f"{seed} {campaign.name}")  # noqa: S311 - repeatable, not secret
    run, start = Run(size, rng, campaign.design, on_progress), time.monotonic()
    with redirect_stdout(_Discard()):
        campaign.play(run)
    control = campaign.design is not None
    ok = run.clean is not control
    if not ok:
        sys.stderr.write(f"\n{campaign.name}: {_describe_failure(run)}\n")
    lost, false = len(run.verdict.lost), len(run.verdict.false)
    seconds = round(time.monotonic() - start, 1)
    counted = run.tries, run.faults, lost, false, run.verdict.duplicates
    return CampaignResult(campaign.name, *counted, seconds, ok=ok, control=control)


def _describe_failure(run: Run) -> str:
    if run.clean:
        return "the broken design was not detected"
    verdict = asdict(run.verdict)
    errors = [f"{kind} {ids[:5]}" for kind, ids in verdict.items() if isinstance(ids, list) and ids]
    return "; ".join([*errors, *run.problems[:5]])
