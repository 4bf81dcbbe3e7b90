"""make bench: build, measure in alternation, print the results, write them and the document.

ONLY=<part of a name> measures some and writes nothing; ``--document`` only writes the
table and the plot of docs/performance.md.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.benchmarks import experiments, plot, report
from tests.benchmarks.build import BuiltCases
from tests.benchmarks.comparisons import COMPARISONS, BenchmarkResult, summarize
from tests.benchmarks.stubs import running_stubs
from tests.support.progress import progress

Experiment = tuple[
    Collection[str],
    Callable[[experiments.Setup, Collection[str]], experiments.PairsByName],
]
EXPERIMENTS: tuple[Experiment, ...] = (
    (experiments.STARTS, experiments.starts),
    (experiments.SIZES, experiments.memory),
    (["query_overhead_vs_hand_signed"], experiments.overhead),
    (experiments.BATCHES, experiments.efficiency),
)
"""The names of the comparisons that each can measure; it gets those that are to be measured."""


def main() -> int:
    """Return the exit code: 0, or 2 if nothing can be measured."""
    if platform.system() != "Linux":
        sys.stderr.write("cold starts are measured in the Lambda runtime, which needs Linux\n")
        return 2
    if sys.argv[1:] != ["--document"]:
        only = os.environ.get("ONLY", "")
        results = measure(only)
        sys.stdout.writelines(f"{report.line(each)}\n" for each in results)
        if not results:
            sys.stderr.write(f"no comparison has {only} in its name\n")
            return 2
        if only:  # the results file needs all comparisons
            return 0
        report.save(results)
    report.write_table()
    plot.write_plot()
    return 0


def measure(only: str) -> list[BenchmarkResult]:
    """Measure the comparisons whose name contains *only*; return them in the order of the table."""
    chosen = [
        (run, wanted)
        for names, run in EXPERIMENTS
        if (wanted := [name for name in names if only in name])
    ]
    found: experiments.PairsByName = {}
    with tempfile.TemporaryDirectory(prefix="payresult-bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        if chosen:
            progress(0, len(chosen), "building")
            cases = BuiltCases(folder)
            stubs = stack.enter_context(running_stubs(folder))
        for number, (run, wanted) in enumerate(chosen):
            on_progress = partial(progress, number, len(chosen))
            found |= run(experiments.Setup(cases, stubs, folder, on_progress), wanted)
            progress(number + 1, len(chosen), "done\n")
    return [summarize(each, found[each.name]) for each in COMPARISONS if each.name in found]


if __name__ == "__main__":
    sys.exit(main())
