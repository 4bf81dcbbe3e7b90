"""Runs the campaigns, two at a time, each in a process that has nothing else to do."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized

from tests.fault_injection.guarantees import figures
from tests.fault_injection.registry import SIZES, plan
from tests.fault_injection.report import markdown, progress, save
from tests.fault_injection.results import Row, conduct

AT_A_TIME = 2
REDRAW = 0.5

_shares: "list[Synchronized[float]]" = []
"""How much of each campaign is done, in a memory that the processes share."""


def main() -> int:
    """Run all, print the report, and return whether anything is not as it must be."""
    size, seed = os.environ.get("SIZE") or "full", os.environ.get("SEED") or "1"
    if size not in SIZES:
        sys.stderr.write(f"SIZE must be one of {', '.join(SIZES)}\n")
        return 2
    only = os.environ.get("ONLY", "")
    names = [campaign.name for campaign, _ in plan(size)]
    rows = conduct_all([name for name in names if only in name], size, seed)
    if not only:  # a part is no report
        save(rows, size, seed)
    sys.stdout.write(markdown(rows, size, seed))
    if not only:
        told = (f"{promise}: {text}\n" for promise, text in figures(rows).items())
        sys.stdout.write("\nFor the table of promises in README.md:\n" + "".join(told))
    return int(not all(row.ok for row in rows))


def conduct_all(names: Sequence[str], size: str, seed: str) -> list[Row]:
    """Run campaigns; their rows, in the same order."""
    context = get_context("spawn")  # a fork would take the locks of our threads along
    shares = [context.Value("d", 0.0) for _ in names]
    with ProcessPoolExecutor(AT_A_TIME, context, _join, (shares,)) as pool:
        running = [
            pool.submit(conduct_one, number, name, size, seed) for number, name in enumerate(names)
        ]
        _watch(running, shares)
        return [future.result() for future in running]


def conduct_one(number: int, name: str, size: str, seed: str) -> Row:
    """Run one campaign, in a process of the pool."""
    [(campaign, tries)] = [each for each in plan(size) if each[0].name == name]

    def tick(share: float) -> None:
        _shares[number].value = share

    return conduct(campaign, tries, seed, tick)


def _join(shares: "list[Synchronized[float]]") -> None:
    _shares[:] = shares


def _watch(running: "Sequence[Future[Row]]", shares: "Sequence[Synchronized[float]]") -> None:
    left = set(running)
    while left:
        _, left = wait(left, REDRAW)
        parts = [
            1 if future.done() else share.value
            for future, share in zip(running, shares, strict=True)
        ]
        progress(sum(parts), len(parts), f"{len(left)} left")
    progress(len(running), len(running), "done\n")
