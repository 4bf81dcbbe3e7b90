"""Experiments with cold starts: INIT, the first invocation, and the peak of the memory."""

from collections.abc import Collection
from functools import partial
from operator import attrgetter
from typing import Any

from tests.benchmarks import events
from tests.benchmarks.build import BuiltCases, Case
from tests.benchmarks.experiment import (
    ROUNDS,
    ExperimentSetup,
    PairsByName,
    alternate,
    expect,
    pairs,
)
from tests.benchmarks.figures import Pair, Sample
from tests.benchmarks.lambda_runtime import start

NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}
ALLOWED_MIB, ALLOWED_MIB_EACH = 60.0, 1.0
"""What ``checks`` may use, and additionally for each payId of a batch."""

BATCH_SIZES = {f"memory_checks_{count}": count for count in (1, 10, 32)}
MEMORY_DELAYS = (0.08, 0.005)
"""Seconds until the gateway and AWS respond, so that as many calls as possible are concurrent."""


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


def starts(setup: ExperimentSetup, names: Collection[str]) -> PairsByName:
    """Start the cases that *names* need, in alternation."""
    rows = {name: ROWS[name] for name in names}
    needed = {side for a, b, _ in rows.values() for side in (a, b)}
    started = {side: case for side, case in _cases(setup.cases).items() if side in needed}
    setup.stubs.configure()
    sides = {side: partial(_start, setup, *case) for side, case in started.items()}
    rounds = alternate(sides, ROUNDS, setup.on_progress)
    return {name: pairs(rounds, *row) for name, row in rows.items()}


def _cases(cases: BuiltCases) -> dict[str, tuple[Case, Any]]:
    """Return each case with the event of its invocation."""
    check = events.check_messages(1)
    return {
        "floor": (cases.compared("floor"), check),
        "checks": (cases.function("Checks"), check),
        "api": (cases.function("Api"), events.get_request("known-1")),
        "publisher": (cases.function("Publisher"), events.stream_records()),
        "sweeper": (cases.function("Sweeper"), {}),
        "typical": (cases.compared("typical"), check),
        "typical without byte-code": (cases.compared("typical", compiled=False), check),
    }


def _start(setup: ExperimentSetup, case: Case, event: Any) -> Sample:
    result, sample = start(case, event, setup.stubs.environ, setup.folder)
    if event == {}:
        expect(result, None)
    elif "Records" in event:
        expect(result, NOTHING_FAILED)
    else:
        expect(result["statusCode"], 200)
    return sample


def memory(setup: ExperimentSetup, names: Collection[str]) -> PairsByName:
    """Start ``checks``, invoke it with three batches of each size, and measure the peak."""
    setup.stubs.configure(*MEMORY_DELAYS)
    sides = {name: partial(_batches, setup, BATCH_SIZES[name]) for name in names}
    rounds = alternate(sides, ROUNDS, setup.on_progress)
    return {
        name: [
            Pair(each[name].peak, ALLOWED_MIB + ALLOWED_MIB_EACH * BATCH_SIZES[name])
            for each in rounds
        ]
        for name in names
    }


def _batches(setup: ExperimentSetup, count: int) -> Sample:
    checks, batch = setup.cases.function("Checks"), events.check_messages(count)
    result, sample = start(checks, batch, setup.stubs.environ, setup.folder, times=3)
    expect(result, NOTHING_FAILED)
    return sample
