"""make bench: build, measure by turns, print the table, write the results."""

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
from tests.benchmarks.build import Workshop
from tests.benchmarks.experiment import Lab, Results
from tests.benchmarks.figures import Row, row
from tests.benchmarks.stubs import world
from tests.benchmarks.targets import AIMS
from tests.fault_injection.report import progress


class Experiment(NamedTuple):
    """The rows it can measure, and how: it is told which of them are wanted."""

    names: Collection[str]
    run: Callable[[Lab, Collection[str]], Results]


EXPERIMENTS = (
    Experiment(cold_start.ROWS, cold_start.starts),
    Experiment(cold_start.AT_A_TIME, cold_start.memory),
    Experiment(["query_overhead_vs_hand_signed"], lambda lab, _: warm_calls.overhead(lab)),
    Experiment(["new_tls_connection_cpu"], lambda lab, _: warm_calls.connection(lab)),
    Experiment(["puts_in_tens_cpu"], lambda lab, _: warm_calls.puts(lab)),
    Experiment(batching.BATCHES, batching.efficiency),
    Experiment(["batch_100_vs_sequential"], lambda lab, _: batching.speed_up(lab)),
)


def main() -> int:
    """Measure, print, and write what was measured; with ``--readme`` only write what is shown."""
    if platform.system() != "Linux":
        sys.stderr.write("the Lambda runtime, in which cold starts are measured, needs Linux\n")
        return 2
    if sys.argv[1:] != ["--readme"]:
        only = os.environ.get("ONLY", "")
        rows = measure(only)
        if not rows:
            sys.stderr.write(f"no row has {only} in its name\n")
            return 2
        sys.stdout.write(report.table(rows))
        if only:  # a part is no result
            return 0
        report.save(rows)
    readme.write()
    return 0


def measure(only: str) -> list[Row]:
    """Return the rows whose name holds *only*, in the order of the aims."""
    chosen = [
        (run, wanted)
        for names, run in EXPERIMENTS
        if (wanted := [name for name in names if only in name])
    ]
    results: Results = {}
    with tempfile.TemporaryDirectory(prefix="payresult-bench-") as scratch, ExitStack() as ending:
        place = Path(scratch)
        if chosen:
            progress(0, len(chosen), "building")
            workshop = Workshop(place)
            around = ending.enter_context(world(place))
        for number, (run, wanted) in enumerate(chosen):
            lab = Lab(workshop, around, place, partial(progress, number, len(chosen)))
            results |= run(lab, wanted)
            progress(number + 1, len(chosen), "done\n")
    return [row(aim, results[aim.name]) for aim in AIMS if aim.name in results]
