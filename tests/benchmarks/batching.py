"""Experiments with batches: how near they come to the least that has to be waited."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any

from tests.benchmarks import events
from tests.benchmarks.build import Case, Workshop
from tests.benchmarks.experiment import LONG_ROUNDS, ROUNDS, Lab, Results, by_turns, expect, pairs
from tests.benchmarks.figures import Sample
from tests.benchmarks.warm_process import Worker, worker

DELAYS = (0.080, 0.005)
"""Seconds after which the gateway and AWS answer."""
AT_A_TIME = 32
CALIBRATIONS = 5


@dataclass(frozen=True, slots=True)
class Batch:
    """Who takes it, what it is, and how many calls it comes to.

    ``aws`` has a number for each group of calls that can be made at the same time.
    """

    case: Callable[[Workshop], Case]
    event: Any
    queries: int
    aws: tuple[int, ...]

    def least(self, gateway: float, aws: float) -> float:
        """Return the seconds that have to be waited, AT_A_TIME calls at once."""
        return _rounds(self.queries) * gateway + sum(map(_rounds, self.aws)) * aws


def _rounds(calls: int) -> int:
    return ceil(calls / AT_A_TIME)


def _checks(count: int) -> Batch:
    """Follow-ups, a fifth of them paid: read by the hundred, ask, send in tens, write each."""
    paid = count // 5
    event = events.follow_ups(count, paid=paid)
    aws = (ceil(count / 100), ceil((count - paid) / 10), count)
    return Batch(lambda workshop: workshop.function("Checks"), event, count, aws)


_HUNDRED, _THOUSAND = events.pay_ids(100), events.pay_ids(1000)

# An app's look-up reads by the hundred, asks, and writes what is paid.
BATCHES = {
    "batch_10_efficiency": _checks(10),
    "batch_100_efficiency": Batch(
        lambda workshop: workshop.function("Api"), events.a_query(_HUNDRED), 100, (1, 20)
    ),
    "batch_1000_efficiency": Batch(
        lambda workshop: workshop.part("lookup"), {"payIds": _THOUSAND}, 1000, (10, 200)
    ),
    "batch_100_checks_efficiency": _checks(100),
    "batch_1000_checks_efficiency": _checks(1000),
}


def efficiency(lab: Lab, names: Collection[str]) -> Results:
    """Each batch, beside what its waits come to by the stubs' own clocks."""
    found: Results = {}
    for name in names:
        batch = BATCHES[name]
        with _warm(lab, batch.case) as ours, _warm(lab, _floor) as floor:
            sides = {
                "ideal": partial(_ideal, lab, floor, batch),
                name: partial(_batch, lab, ours, batch),
            }
            found[name] = pairs(by_turns(sides, ROUNDS, lab.tick), "ideal", name)
    return found


def speed_up(lab: Lab) -> Results:
    """A hundred payIds, by the api function and by a script that takes one after the other."""
    batch = BATCHES["batch_100_efficiency"]
    script = Batch(_sequential, {"payIds": _HUNDRED}, queries=100, aws=(20,))
    with _warm(lab, batch.case) as ours, _warm(lab, script.case) as one_by_one:
        sides = {
            "sequential": partial(_batch, lab, one_by_one, script),
            "ours": partial(_batch, lab, ours, batch),
        }
        rounds = by_turns(sides, LONG_ROUNDS, lab.tick)
    return {"batch_100_vs_sequential": pairs(rounds, "sequential", "ours")}


def _floor(workshop: Workshop) -> Case:
    return workshop.compared("floor")


def _sequential(workshop: Workshop) -> Case:
    return workshop.compared("sequential")


def _warm(lab: Lab, case: Callable[[Workshop], Case]) -> AbstractContextManager[Worker]:
    return worker(case(lab.workshop), lab.world.environ)


def _ideal(lab: Lab, floor: Worker, batch: Batch) -> Sample:
    lab.world.tell(*DELAYS)
    floor.call(events.follow_ups(1), CALIBRATIONS)
    gateway, aws = lab.world.tell(*DELAYS)
    return Sample(batch.least(gateway.wait, aws.wait), 0.0)


def _batch(lab: Lab, side: Worker, batch: Batch) -> Sample:
    lab.world.tell(*DELAYS)
    _, sample = side.call(batch.event)
    gateway, aws = lab.world.tell()
    expect([sum(it.calls.values()) for it in (gateway, aws)], [batch.queries, sum(batch.aws)])
    return sample
