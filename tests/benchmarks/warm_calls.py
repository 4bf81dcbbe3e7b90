"""Experiments with warm handlers: one check, one new connection, events in tens."""

from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

from tests.benchmarks import events
from tests.benchmarks.cold_start import NOTHING_FAILED
from tests.benchmarks.experiment import (
    ROUNDS,
    ExperimentSetup,
    PairsByName,
    alternate,
    expect,
    pairs,
)
from tests.benchmarks.figures import Sample
from tests.benchmarks.warm_process import Worker, worker

QUERIES, CONNECTIONS, PUTS = 50, 20, 3
"""The number of calls of each side in a round."""
EVENTS = 100
"""The number of events in one call of the handler."""
CPU = attrgetter("cpu")


def overhead(setup: ExperimentSetup) -> PairsByName:
    """Measure one check without its waits; the stubs respond without a delay."""
    ours, floor = setup.cases.function("Checks"), setup.cases.compared("floor")
    with worker(ours, setup.stubs.environ) as checks, worker(floor, setup.stubs.environ) as hand:
        sides = {
            "checks": partial(_overhead, setup, checks),
            "hand": partial(_overhead, setup, hand),
        }
        rounds = alternate(sides, ROUNDS, setup.on_progress)
    return {"query_overhead_vs_hand_signed": pairs(rounds, "checks", "hand")}


def _overhead(setup: ExperimentSetup, side: Worker) -> Sample:
    setup.stubs.configure()
    result, sample = side.call(events.check_messages(1), QUERIES)
    expect(result, NOTHING_FAILED)
    counts = setup.stubs.configure()
    expect([sum(each.calls.values()) for each in counts], [QUERIES, 3 * QUERIES])
    return replace(sample, wall=sample.wall - sum(each.total_wait for each in counts) / QUERIES)


def connection(setup: ExperimentSetup) -> PairsByName:
    """Measure the CPU of a query on a new connection."""
    setup.stubs.configure(close=True)
    with worker(setup.cases.part("connect"), setup.stubs.environ) as client:
        rounds = alternate(
            {by: partial(_connect, client, by) for by in ("ours", "bundle")},
            ROUNDS,
            setup.on_progress,
        )
    gateway, _ = setup.stubs.configure()
    expect(gateway.connections, sum(gateway.calls.values()))
    return {"new_tls_connection_cpu": pairs(rounds, "ours", "bundle", CPU)}


def _connect(client: Worker, by: str) -> Sample:
    return _call(client, {"by": by, "payId": "known-1"}, CONNECTIONS, "processing")


def put_events(setup: ExperimentSetup) -> PairsByName:
    """Measure the CPU of a hundred events to the bus."""
    setup.stubs.configure()
    with worker(setup.cases.part("put_events"), setup.stubs.environ) as bus:
        sides = {str(size): partial(_put, bus, size) for size in (10, 1)}
        rounds = alternate(sides, ROUNDS, setup.on_progress)
    return {"puts_in_tens_cpu": pairs(rounds, "10", "1", CPU)}


def _put(bus: Worker, size: int) -> Sample:
    return _call(bus, {"events": EVENTS, "batchSize": size}, PUTS, EVENTS)


def _call(side: Worker, event: Any, times: int, expected: object) -> Sample:
    result, sample = side.call(event, times)
    expect(result, expected)
    return sample
