"""The experiments: cold starts, the overhead of a check, batches against the least wait."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from math import ceil
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks import events
from tests.benchmarks.build import BuiltCases, Case
from tests.benchmarks.comparisons import Pair, Sample
from tests.benchmarks.processes import WarmHandler, cold_start, warm
from tests.benchmarks.stubs import Stubs

ROUNDS = 15
"""The number of pairs; odd, so that the median is a measured value."""
QUERIES = 50
"""The number of calls of each side in a round of ``overhead``."""
CALIBRATIONS = 5
DELAYS = (0.080, 0.005)
"""Seconds after which the gateway and AWS respond, where waits are measured."""
MAX_CONCURRENCY = 32
ALLOWED_MIB, ALLOWED_MIB_EACH = 60.0, 1.0
"""What ``checks`` may use, and additionally for each payId of a batch."""

PairsByName = dict[str, list[Pair]]
"""Pairs by the name of their comparison."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The built cases, the stubs, a working folder, and a callback for the progress."""

    cases: BuiltCases
    stubs: Stubs
    folder: Path
    on_progress: Callable[[str], None]


def alternate(
    sides: Mapping[str, Callable[[], Sample]], rounds: int, on_progress: Callable[[str], None]
) -> list[dict[str, Sample]]:
    """Return the samples of all *sides* by round, in alternating order: A B, B A, A B, ...

    A first round is for warming up, and is not returned.
    """
    found = []
    for number in range(rounds + 1):
        measured = {}
        for side in sorted(sides, reverse=number % 2 == 0):
            on_progress(f"{side} {number}/{rounds}")
            measured[side] = sides[side]()
        found.append(measured)
    return found[1:]


def pairs(
    rounds: Iterable[Mapping[str, Sample]],
    a: str,
    b: str,
    figure: Callable[[Sample], float] = attrgetter("wall"),
) -> list[Pair]:
    """Return the pair of the sides *a* and *b* for each of *rounds*."""
    return [Pair(figure(each[a]), figure(each[b])) for each in rounds]


def expect(result: object, expected: object) -> None:
    """Raise RuntimeError unless a case returned the expected result; errors must not be timed."""
    if result != expected:
        raise RuntimeError(f"a case returned {str(result)[:500]}, not {expected}")


# Cold starts

STARTS = {
    "init_checks_vs_floor": ("checks", "floor", attrgetter("init")),
    "init_api_vs_floor": ("api", "floor", attrgetter("init")),
    "init_publisher_vs_floor": ("publisher", "floor", attrgetter("init")),
    "init_sweeper_vs_floor": ("sweeper", "floor", attrgetter("init")),
    "typical_vs_floor": ("typical", "floor", attrgetter("init")),
    "first_checks_vs_typical": ("checks", "typical", attrgetter("wall")),
    "first_checks_vs_typical_as_shipped": ("checks", "typical as shipped", attrgetter("wall")),
}


def starts(setup: Setup, names: Collection[str]) -> PairsByName:
    """Start the cases that *names* need, in alternation."""
    needed = {side for name in names for side in STARTS[name][:2]}
    setup.stubs.configure()
    sides = {
        side: partial(_start, setup, *case)
        for side, case in _cases(setup.cases).items()
        if side in needed
    }
    rounds = alternate(sides, ROUNDS, setup.on_progress)
    return {name: pairs(rounds, *STARTS[name]) for name in names}


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
        "typical as shipped": (cases.compared("typical", compiled=False), check),
    }


def _start(setup: Setup, case: Case, event: Any, times: int = 1) -> Sample:
    result, sample = cold_start(case, event, setup.stubs.environ, setup.folder, times)
    if event == {}:
        expect(result, None)
    elif "Records" in event:
        expect(result, {"batchItemFailures": []})
    else:
        expect(result["statusCode"], 200)
    return sample


SIZES = {"memory_checks_1": 1, "memory_checks_10": 10}


def memory(setup: Setup, names: Collection[str]) -> PairsByName:
    """Start ``checks``, invoke it with three batches of each size, and measure the peak."""
    setup.stubs.configure(*DELAYS)
    checks = setup.cases.function("Checks")
    sides = {
        name: partial(_start, setup, checks, events.check_messages(SIZES[name]), 3)
        for name in names
    }
    rounds = alternate(sides, ROUNDS, setup.on_progress)
    allowed = {name: ALLOWED_MIB + ALLOWED_MIB_EACH * SIZES[name] for name in names}
    return {name: [Pair(each[name].peak, allowed[name]) for each in rounds] for name in names}


# Warm handlers


def _warm(setup: Setup, case: Case) -> AbstractContextManager[WarmHandler]:
    return warm(case, setup.stubs.environ)


def overhead(setup: Setup, names: Collection[str]) -> PairsByName:
    """Measure one check without its waits; the stubs respond without a delay."""
    [name] = names
    with ExitStack() as stack:
        cases = {"checks": setup.cases.function("Checks"), "hand": setup.cases.compared("floor")}
        sides = {
            side: partial(_overhead, setup, stack.enter_context(_warm(setup, case)))
            for side, case in cases.items()
        }
        return {name: pairs(alternate(sides, ROUNDS, setup.on_progress), "checks", "hand")}


def _overhead(setup: Setup, side: WarmHandler) -> Sample:
    setup.stubs.configure()
    result, sample = side.call(events.check_messages(1), QUERIES)
    expect(result, {"batchItemFailures": []})
    counts = setup.stubs.configure()
    expect([each.calls for each in counts], [QUERIES, 3 * QUERIES])
    return Sample(sample.wall - sum(each.total_wait for each in counts) / QUERIES)


class Batch(NamedTuple):
    """A function, its event, and the number of calls: queries, and groups of calls to AWS.

    The calls of a group can be made concurrently.
    """

    function: str
    event: Any
    queries: int
    aws: tuple[int, ...]

    def least(self, gateway: float, aws: float) -> float:
        """Return the shortest wait in seconds, with MAX_CONCURRENCY calls at a time."""
        rounds = [ceil(calls / MAX_CONCURRENCY) for calls in (self.queries, *self.aws)]
        return rounds[0] * gateway + sum(rounds[1:]) * aws


BATCHES = {
    # Read together, queried, the eight unpaid sent together, written one by one.
    "batch_10_efficiency": Batch("Checks", events.check_messages(10, paid=2), 10, (1, 1, 10)),
    # Read together, queried, the paid ones written.
    "batch_100_efficiency": Batch("Api", events.query_request(100), 100, (1, 20)),
}


def efficiency(setup: Setup, names: Collection[str]) -> PairsByName:
    """Measure each batch and the shortest wait for it, by the stubs' clocks."""
    found: PairsByName = {}
    for name in names:
        ours, floor = setup.cases.function(BATCHES[name].function), setup.cases.compared("floor")
        with _warm(setup, ours) as function, _warm(setup, floor) as calls:
            sides = {
                "least": partial(_least, setup, calls, BATCHES[name]),
                "taken": partial(_taken, setup, function, BATCHES[name]),
            }
            rounds = alternate(sides, ROUNDS, setup.on_progress)
        found[name] = pairs(rounds, "least", "taken")
    return found


def _least(setup: Setup, floor: WarmHandler, batch: Batch) -> Sample:
    setup.stubs.configure(*DELAYS)
    floor.call(events.check_messages(1), CALIBRATIONS)
    gateway, aws = setup.stubs.configure(*DELAYS)
    return Sample(batch.least(gateway.wait, aws.wait))


def _taken(setup: Setup, function: WarmHandler, batch: Batch) -> Sample:
    setup.stubs.configure(*DELAYS)
    _, sample = function.call(batch.event)
    counts = setup.stubs.configure()
    expect([each.calls for each in counts], [batch.queries, sum(batch.aws)])
    return sample
