"""Runs campaigns, two at a time. Not in `__main__`, which a spawned process cannot import."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized

from tests.fault_injection.registry import SIZES, campaigns_for
from tests.fault_injection.report import figures, load, markdown, save
from tests.fault_injection.results import CampaignResult, run_campaign
from tests.support.progress import progress

PROCESSES = 2
REDRAW_SECONDS = 0.5

LIMIT_SECONDS = 1800.0
"""The longest campaign takes some ten minutes; thrice that if the machine is busy."""

CONTEXT = get_context("spawn")  # a forked process would inherit locked locks


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
    fractions = [CONTEXT.Value("d", 0.0) for _ in names]
    with ThreadPoolExecutor(PROCESSES) as pool:
        running = {
            name: pool.submit(_run_apart, name, size, seed, fraction)
            for name, fraction in zip(longest_first, fractions, strict=True)
        }
        _show_progress(list(running.values()), fractions)
        return [running[name].result() for name in names]


def _run_apart(name: str, size: str, seed: str, fraction: "Synchronized[float]") -> CampaignResult:
    """Run a campaign in a process of its own: the memory of one would count as the next one's.

    A process that dies or that does not end in time is a failed campaign, and the others go on.
    """
    receiver, sender = CONTEXT.Pipe(duplex=False)
    arguments = (name, size, seed, sender, fraction)
    process = CONTEXT.Process(target=_run_here, args=arguments, daemon=True)
    process.start()
    sender.close()
    failed = CampaignResult(name, 0, 0, 0, 0, 0, 0.0, ok=False, control=False)
    try:
        result: CampaignResult = receiver.recv() if receiver.poll(LIMIT_SECONDS) else failed
    except EOFError:
        result = failed
    process.kill()
    process.join()
    state = "ok" if result.ok else "FAILED" if result.tries else "died or did not end in time"
    sys.stderr.write(f"{name}: {state}, {result.seconds:.0f} s\n")
    return result


def _run_here(
    name: str,
    size: str,
    seed: str,
    sender: "Connection[CampaignResult, None]",
    fraction: "Synchronized[float]",
) -> None:
    [(campaign, tries)] = [each for each in campaigns_for(size) if each[0].name == name]

    def on_progress(done: float) -> None:
        fraction.value = done

    sender.send(run_campaign(campaign, tries, seed, on_progress))


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
