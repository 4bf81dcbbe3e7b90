"""Experiments with cold starts: INIT, the first invocation, and the memory at its peak."""

from collections.abc import Collection
from functools import partial
from operator import attrgetter
from typing import Any

from tests.benchmarks import events
from tests.benchmarks.build import Case, Workshop
from tests.benchmarks.experiment import ROUNDS, Lab, Results, by_turns, expect, pairs
from tests.benchmarks.figures import Pair, Sample
from tests.benchmarks.lambda_runtime import start

NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}
BASE, EACH = 60.0, 1.0
"""MiB that a container of ``checks`` may take, and for each payId at a time."""

AT_A_TIME = {f"memory_checks_{count}": count for count in (1, 10, 32)}
MEMORY_DELAYS = (0.08, 0.005)
"""Of the gateway and of AWS, so that as many are under way at a time as may be."""


INIT, FIRST = attrgetter("init"), attrgetter("wall")

ROWS = {
    "init_checks_vs_floor": ("checks", "floor", INIT),
    "init_api_vs_floor": ("api", "floor", INIT),
    "init_publisher_vs_floor": ("publisher", "floor", INIT),
    "init_sweeper_vs_floor": ("sweeper", "floor", INIT),
    "typical_vs_floor": ("typical", "floor", INIT),
    "first_checks_vs_typical": ("checks", "typical", FIRST),
    "first_checks_vs_typical_as_shipped": ("checks", "typical without byte-code", FIRST),
}


def starts(lab: Lab, names: Collection[str]) -> Results:
    """Start all that *names* need, over and over again, by turns."""
    rows = {name: ROWS[name] for name in names}
    needed = {side for a, b, _ in rows.values() for side in (a, b)}
    cases = {side: case for side, case in _cases(lab.workshop).items() if side in needed}
    lab.world.tell()
    sides = {side: partial(_start, lab, *case) for side, case in cases.items()}
    rounds = by_turns(sides, ROUNDS, lab.tick)
    return {name: pairs(rounds, *row) for name, row in rows.items()}


def _cases(workshop: Workshop) -> dict[str, tuple[Case, Any]]:
    """Each case with the event that it is invoked with."""
    check = events.follow_ups(1)
    return {
        "floor": (workshop.compared("floor"), check),
        "checks": (workshop.function("Checks"), check),
        "api": (workshop.function("Api"), events.a_get("known-1")),
        "publisher": (workshop.function("Publisher"), events.a_change()),
        "sweeper": (workshop.function("Sweeper"), {}),
        "typical": (workshop.compared("typical"), check),
        "typical without byte-code": (workshop.compared("typical", compiled=False), check),
    }


def _start(lab: Lab, case: Case, event: Any) -> Sample:
    answer, sample = start(case, event, lab.world.environ, lab.place)
    if event == {}:
        expect(answer, None)
    elif "Records" in event:
        expect(answer, NOTHING_FAILED)
    else:
        expect(answer["statusCode"], 200)
    return sample


def memory(lab: Lab, names: Collection[str]) -> Results:
    """Start ``checks``, give it three batches of a size, and look at its peak."""
    lab.world.tell(*MEMORY_DELAYS)
    sides = {name: partial(_batches, lab, AT_A_TIME[name]) for name in names}
    rounds = by_turns(sides, ROUNDS, lab.tick)
    return {
        name: [Pair(each[name].peak, BASE + EACH * AT_A_TIME[name]) for each in rounds]
        for name in names
    }


def _batches(lab: Lab, count: int) -> Sample:
    checks, batch = lab.workshop.function("Checks"), events.follow_ups(count)
    answer, sample = start(checks, batch, lab.world.environ, lab.place, times=3)
    expect(answer, NOTHING_FAILED)
    return sample
