"""make bench: build, measure in alternation, print the table, write the results."""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import batching, cold_start, readme, report, warm_calls
from tests.benchmarks.build import BuiltCases
from tests.benchmarks.experiment import ExperimentSetup, PairsByName
from tests.benchmarks.figures import BenchmarkResult, summarize
from tests.benchmarks.stub_processes import running_stubs
from tests.benchmarks.targets import COMPARISONS
from tests.support.progress import progress


class Experiment(NamedTuple):
    """The names of the comparisons that it can measure; ``run`` gets those to be measured."""

    names: Collection[str]
    run: Callable[[ExperimentSetup, Collection[str]], PairsByName]


EXPERIMENTS = (
    Experiment(cold_start.ROWS, cold_start.starts),
    Experiment(cold_start.BATCH_SIZES, cold_start.memory),
    Experiment(["query_overhead_vs_hand_signed"], lambda setup, _: warm_calls.overhead(setup)),
    Experiment(["new_tls_connection_cpu"], lambda setup, _: warm_calls.connection(setup)),
    Experiment(["puts_in_tens_cpu"], lambda setup, _: warm_calls.put_events(setup)),
    Experiment(batching.BATCHES, batching.efficiency),
    Experiment(["batch_100_vs_sequential"], lambda setup, _: batching.speed_up(setup)),
)


def main() -> int:
    """Measure, print and write the results; with ``--readme`` only write README and the plot."""
    if platform.system() != "Linux":
        sys.stderr.write("cold starts are measured in the Lambda runtime, which needs Linux\n")
        return 2
    if sys.argv[1:] != ["--readme"]:
        only = os.environ.get("ONLY", "")
        results = measure(only)
        if not results:
            sys.stderr.write(f"no comparison has {only} in its name\n")
            return 2
        sys.stdout.write(report.table(results))
        if only:  # the results file needs all comparisons
            return 0
        report.save(results)
    readme.write()
    return 0


def measure(only: str) -> list[BenchmarkResult]:
    """Measure the comparisons whose name contains *only*; return them in the order of targets."""
    chosen = [
        (run, wanted)
        for names, run in EXPERIMENTS
        if (wanted := [name for name in names if only in name])
    ]
    found: PairsByName = {}
    with tempfile.TemporaryDirectory(prefix="payresult-bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        if chosen:
            progress(0, len(chosen), "building")
            cases = BuiltCases(folder)
            stubs = stack.enter_context(running_stubs(folder))
        for number, (run, wanted) in enumerate(chosen):
            setup = ExperimentSetup(cases, stubs, folder, partial(progress, number, len(chosen)))
            found |= run(setup, wanted)
            progress(number + 1, len(chosen), "done\n")
    return [summarize(each, found[each.name]) for each in COMPARISONS if each.name in found]
