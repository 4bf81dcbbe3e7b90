"""Experiments with warm handlers: one query, one new connection, events in tens."""

from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

from tests.benchmarks import events
from tests.benchmarks.cold_start import NOTHING_FAILED
from tests.benchmarks.experiment import ROUNDS, Lab, Results, by_turns, expect, pairs
from tests.benchmarks.figures import Sample
from tests.benchmarks.warm_process import Worker, worker

QUERIES, CONNECTIONS, PUTS = 50, 20, 3
"""How often a side is called when it is its turn."""
EVENTS = 100
"""How many are put in one call."""
CPU = attrgetter("cpu")


def overhead(lab: Lab) -> Results:
    """One follow-up, without the waits; the stubs answer at once."""
    ours, floor = lab.workshop.function("Checks"), lab.workshop.compared("floor")
    with worker(ours, lab.world.environ) as checks, worker(floor, lab.world.environ) as hand:
        sides = {"checks": partial(_above, lab, checks), "hand": partial(_above, lab, hand)}
        rounds = by_turns(sides, ROUNDS, lab.tick)
    return {"query_overhead_vs_hand_signed": pairs(rounds, "checks", "hand")}


def _above(lab: Lab, side: Worker) -> Sample:
    lab.world.tell()
    answer, sample = side.call(events.follow_ups(1), QUERIES)
    expect(answer, NOTHING_FAILED)
    counted = lab.world.tell()
    expect([sum(each.calls.values()) for each in counted], [QUERIES, 3 * QUERIES])
    return replace(sample, wall=sample.wall - sum(each.waited for each in counted) / QUERIES)


def connection(lab: Lab) -> Results:
    """A query on a new connection, by CPU."""
    lab.world.tell(close=True)
    with worker(lab.workshop.part("connect"), lab.world.environ) as client:
        rounds = by_turns(
            {by: partial(_connect, client, by) for by in ("ours", "bundle")}, ROUNDS, lab.tick
        )
    gateway, _ = lab.world.tell()
    expect(gateway.connections, sum(gateway.calls.values()))
    return {"new_tls_connection_cpu": pairs(rounds, "ours", "bundle", CPU)}


def _connect(client: Worker, by: str) -> Sample:
    return _call(client, {"by": by, "payId": "known-1"}, CONNECTIONS, "processing")


def puts(lab: Lab) -> Results:
    """A hundred events to the bus, by CPU."""
    lab.world.tell()
    with worker(lab.workshop.part("put_events"), lab.world.environ) as bus:
        sides = {str(size): partial(_put, bus, size) for size in (10, 1)}
        rounds = by_turns(sides, ROUNDS, lab.tick)
    return {"puts_in_tens_cpu": pairs(rounds, "10", "1", CPU)}


def _put(bus: Worker, size: int) -> Sample:
    return _call(bus, {"events": EVENTS, "atATime": size}, PUTS, EVENTS)


def _call(side: Worker, event: Any, times: int, expected: object) -> Sample:
    answer, sample = side.call(event, times)
    expect(answer, expected)
    return sample
