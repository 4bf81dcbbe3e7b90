"""Runs campaigns, two at a time. Not in `__main__`, which a spawned process cannot import."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized

from tests.fault_injection.registry import SIZES, campaigns_for
from tests.fault_injection.report import figures, load, markdown, save
from tests.fault_injection.results import CampaignResult, run_campaign
from tests.support.progress import progress

PROCESSES = 2
REDRAW_SECONDS = 0.5

_fractions: "list[Synchronized[float]]" = []
"""The fraction of each campaign that is done, in memory shared by the processes."""


def main() -> int:
    """Run the campaigns and print the report; return the exit code, 1 if a campaign failed."""
    size, seed = os.environ.get("SIZE") or "full", os.environ.get("SEED") or "1"
    if size not in SIZES:
        sys.stderr.write(f"SIZE must be one of {', '.join(SIZES)}\n")
        return 2
    only = os.environ.get("ONLY", "")
    names = [campaign.name for campaign, _ in campaigns_for(size)]
    results = run_all([name for name in names if only in name], size, seed)
    if not only:  # the report needs all campaigns
        save(results, size, seed)
    sys.stdout.write(markdown(results, size, seed))
    if not only:
        lines = (f"{guarantee}: {text}\n" for guarantee, text in figures(results).items())
        sys.stdout.write("\nFor the table of guarantees in docs/testing.md:\n" + "".join(lines))
    return int(not all(result.ok for result in results))


def run_all(names: Sequence[str], size: str, seed: str) -> list[CampaignResult]:
    """Run campaigns, the longest of the last report first; return their results in order."""
    seconds = {result.name: result.seconds for result in load()[1]}
    longest_first = sorted(names, key=lambda name: -seconds.get(name, 0))
    context = get_context("spawn")  # a forked process would inherit locked locks
    fractions = [context.Value("d", 0.0) for _ in names]

    def run(number: int, name: str) -> CampaignResult:
        # A process for each campaign: the memory of one would count as the next one's.
        with ProcessPoolExecutor(1, context, _initialize, (fractions,)) as process:
            return process.submit(run_in_process, number, name, size, seed).result()

    with ThreadPoolExecutor(PROCESSES) as pool:
        running = {
            name: pool.submit(run, number, name) for number, name in enumerate(longest_first)
        }
        _show_progress(list(running.values()), fractions)
        return [running[name].result() for name in names]


def run_in_process(number: int, name: str, size: str, seed: str) -> CampaignResult:
    """Run one campaign, in a process of its own."""
    [(campaign, tries)] = [each for each in campaigns_for(size) if each[0].name == name]

    def on_progress(fraction: float) -> None:
        _fractions[number].value = fraction

    return run_campaign(campaign, tries, seed, on_progress)


def _initialize(fractions: "list[Synchronized[float]]") -> None:
    _fractions[:] = fractions


def _show_progress(
    running: "Sequence[Future[CampaignResult]]", fractions: "Sequence[Synchronized[float]]"
) -> None:
    left = set(running)
    while left:
        _, left = wait(left, REDRAW_SECONDS)
        parts = [
            1 if future.done() else fraction.value
            for future, fraction in zip(running, fractions, strict=True)
        ]
        progress(sum(parts), len(parts), f"{len(left)} left")
    progress(len(running), len(running), "done\n")
