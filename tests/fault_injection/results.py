"""What a campaign is, and how it is run and summarised."""

import io
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from tests.support.oracle import Verdict, merged


@dataclass(frozen=True, slots=True)
class CampaignRun:
    """What a campaign returns: the number of tries and injected faults, and what was found.

    ``problems`` describe errors that the oracle has no kind for.
    """

    tries: int
    faults: int
    verdict: Verdict
    problems: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether no error was found."""
        return self.verdict.clean and not self.problems


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


OnProgress = Callable[[float], None]
"""Called with the fraction of a campaign that is done, from 0 to 1."""

Run = Callable[..., CampaignRun]
"""Runs a campaign: (size, random numbers, OnProgress), and perhaps a broken design, see ``of``."""


def of(design: Any, run: Run) -> Run:
    """Return the campaign that runs with a broken *design* in place of payresult's."""
    return lambda size, rng, on_progress: run(size, rng, on_progress, design)


def in_groups(run: Run, group: int) -> Run:
    """Return a campaign that makes *run* with at most *group* tries at a time, each from the start.

    Many tries at once fill each batch, so that nearly every invocation has a fault, and the same
    few messages are delivered again and again.
    """

    def grouped(size: int, rng: Random, on_progress: OnProgress) -> CampaignRun:
        runs = []
        for start in range(0, size, group):
            runs.append(run(min(group, size - start), rng, lambda _: None))
            on_progress(start / size)
        verdict = merged([each.verdict for each in runs])
        problems = tuple(problem for each in runs for problem in each.problems)
        return CampaignRun(size, sum(each.faults for each in runs), verdict, problems)

    return grouped


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign, and its numbers of tries in a small and in a full run."""

    name: str
    run: Run
    small: int
    full: int
    control: bool = False


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
    start = time.monotonic()
    with redirect_stdout(_Discard()):
        run = campaign.run(size, rng, on_progress)
    ok = run.clean is not campaign.control
    if not ok:
        sys.stderr.write(f"\n{campaign.name}: {_describe_failure(run)}\n")
    return CampaignResult(
        name=campaign.name,
        tries=run.tries,
        faults=run.faults,
        lost=len(run.verdict.lost),
        false=len(run.verdict.false),
        duplicates=run.verdict.duplicates,
        seconds=round(time.monotonic() - start, 1),
        ok=ok,
        control=campaign.control,
    )


def _describe_failure(run: CampaignRun) -> str:
    if run.clean:
        return "the broken design was not detected"
    verdict = asdict(run.verdict)
    errors = [f"{kind} {ids[:5]}" for kind, ids in verdict.items() if isinstance(ids, list) and ids]
    return "; ".join([*errors, *run.problems[:5]])
