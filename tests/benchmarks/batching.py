"""Experiments with batches: the time taken, against the shortest possible waits."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any

from tests.benchmarks import events
from tests.benchmarks.build import BuiltCases, Case
from tests.benchmarks.experiment import (
    LONG_ROUNDS,
    ROUNDS,
    ExperimentSetup,
    PairsByName,
    alternate,
    expect,
    pairs,
)
from tests.benchmarks.figures import Sample
from tests.benchmarks.warm_process import Worker, worker

DELAYS = (0.080, 0.005)
"""Seconds after which the gateway and AWS respond."""
MAX_CONCURRENCY = 32
CALIBRATIONS = 5


@dataclass(frozen=True, slots=True)
class Batch:
    """A case, its event, and the number of calls: queries, and calls to AWS.

    ``aws`` has the number of calls of each group that can be made concurrently.
    """

    case: Callable[[BuiltCases], Case]
    event: Any
    queries: int
    aws: tuple[int, ...]

    def least(self, gateway: float, aws: float) -> float:
        """Return the shortest wait in seconds, with MAX_CONCURRENCY calls at a time."""
        return _rounds(self.queries) * gateway + sum(map(_rounds, self.aws)) * aws


def _rounds(calls: int) -> int:
    return ceil(calls / MAX_CONCURRENCY)


def _checks(count: int) -> Batch:
    """Return a batch of checks, a fifth of them paid.

    They are read by the hundred, queried, sent in tens, and written one by one.
    """
    paid = count // 5
    event = events.check_messages(count, paid=paid)
    aws = (ceil(count / 100), ceil((count - paid) / 10), count)
    return Batch(lambda cases: cases.function("Checks"), event, count, aws)


_HUNDRED = events.pay_ids(100)

# A look-up by the API reads by the hundred, queries, and writes the paid ones.
BATCHES = {
    "batch_10_efficiency": _checks(10),
    "batch_100_efficiency": Batch(
        lambda cases: cases.function("Api"), events.query_request(_HUNDRED), 100, (1, 20)
    ),
}


def efficiency(setup: ExperimentSetup, names: Collection[str]) -> PairsByName:
    """Measure each batch and the shortest wait for it, by the stubs' clocks."""
    found: PairsByName = {}
    for name in names:
        batch = BATCHES[name]
        with _warm(setup, batch.case) as ours, _warm(setup, _floor) as floor:
            sides = {
                "ideal": partial(_ideal, setup, floor, batch),
                name: partial(_batch, setup, ours, batch),
            }
            found[name] = pairs(alternate(sides, ROUNDS, setup.on_progress), "ideal", name)
    return found


def speed_up(setup: ExperimentSetup) -> PairsByName:
    """Measure a hundred payIds, by the api function and by a script that queries sequentially."""
    batch = BATCHES["batch_100_efficiency"]
    script = Batch(_sequential, {"payIds": _HUNDRED}, queries=100, aws=(20,))
    with _warm(setup, batch.case) as ours, _warm(setup, script.case) as one_by_one:
        sides = {
            "sequential": partial(_batch, setup, one_by_one, script),
            "ours": partial(_batch, setup, ours, batch),
        }
        rounds = alternate(sides, LONG_ROUNDS, setup.on_progress)
    return {"batch_100_vs_sequential": pairs(rounds, "sequential", "ours")}


def _floor(cases: BuiltCases) -> Case:
    return cases.compared("floor")


def _sequential(cases: BuiltCases) -> Case:
    return cases.compared("sequential")


def _warm(
    setup: ExperimentSetup, case: Callable[[BuiltCases], Case]
) -> AbstractContextManager[Worker]:
    return worker(case(setup.cases), setup.stubs.environ)


def _ideal(setup: ExperimentSetup, floor: Worker, batch: Batch) -> Sample:
    setup.stubs.configure(*DELAYS)
    floor.call(events.check_messages(1), CALIBRATIONS)
    gateway, aws = setup.stubs.configure(*DELAYS)
    return Sample(batch.least(gateway.wait, aws.wait), 0.0)


def _batch(setup: ExperimentSetup, side: Worker, batch: Batch) -> Sample:
    setup.stubs.configure(*DELAYS)
    _, sample = side.call(batch.event)
    gateway, aws = setup.stubs.configure()
    expect([sum(it.calls.values()) for it in (gateway, aws)], [batch.queries, sum(batch.aws)])
    return sample
