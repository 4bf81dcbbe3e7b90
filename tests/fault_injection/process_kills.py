"""P1, never lost: C2 workers are killed with SIGKILL; C24 what a warm worker keeps."""

import os
from pathlib import Path

from tests.fault_injection.crashes import (
    CRASH_PROBABILITY,
    FAULT_PHASE,
    POINTS,
    random_payments,
    submit_payments,
)
from tests.fault_injection.results import Play, Run
from tests.support.fake_aws import Call
from tests.support.fake_gateway import HOUR, SECOND, GatewayResponse, json_response
from tests.support.loopback import LoopbackHost
from tests.support.simulation import Simulation

MAX_KILLS = 20
MIN_KILLS = 10
MIN_KILLS_FROM = 100
"""The number of payments from which a run with fewer than MIN_KILLS fails."""

BATCH = 10
WARM_AFTER = 0.5
"""The fraction of a soak after which the worker must not grow."""

MEGABYTE = 1 << 20
MAX_GROWTH = 6
"""Megabytes: with 30,000 messages, 400 bytes for each one after the warm half."""

MAX_NEW_DESCRIPTORS = 5
"""A pool may open another connection later, when more calls are concurrent than before."""

KILL_POINTS = dict.fromkeys(POINTS, 0) | {
    "sent, not recorded": 8,
    "paid, written": 8,
    "after PutEvents": 8,
    "sweeper, before sending": 8,
}
"""By point, the number of payments of a small run; 0 where a small run leaves it out."""


def kill_at(name: str) -> Play:
    """Return the campaign that kills the worker at a point.

    The first time it comes there, then every second time (at random).
    """
    point = POINTS[name]

    def play(run: Run) -> None:
        simulation, paid = random_payments(run, noise=0)
        simulation.queue.redeliver_after = lambda: [run.rng.choice((0, SECOND, 40 * SECOND))]
        simulation.stream_enabled = not point.startswith("sweeper")
        with LoopbackHost(simulation) as host:
            simulation.host = host

            def kill(call: Call) -> None:
                here = str(call) == point and simulation.faults < MAX_KILLS
                if here and (not simulation.faults or run.rng.random() < CRASH_PROBABILITY):
                    host.kill()
                    if simulation.faults == MAX_KILLS - 1:  # the rest needs no process
                        simulation.host = simulation.functions
                    simulation.crash()

            simulation.on_call = kill
            submit_payments(run, simulation, by_api=point.startswith("api"))
            simulation.run(FAULT_PHASE)
        # What the dead processes left is in the table and the queue.
        simulation.host = simulation.functions
        simulation.run_to_completion()
        run.judge(simulation, paid)
        if run.faults < (MIN_KILLS if run.size >= MIN_KILLS_FROM else 1):
            run.problems.append(f"only {run.faults} kills")

    return play


def soak(run: Run) -> None:
    """Deliver messages to one worker; after half of them it must not grow.

    The simulation is cleared after each batch.
    """

    def script(pay_id: str, earlier_queries: int, _now: int) -> GatewayResponse:
        waiting = pay_id.endswith("7") and not earlier_queries  # one in ten needs a second message
        return json_response(pay_id, "waiting" if waiting else "success")

    simulation = run.simulate(script)
    with LoopbackHost(simulation) as host:
        simulation.host = host
        warm = (0, 0)
        for start in range(0, run.size, BATCH):
            _deliver(run, simulation, start)
            if start == run.size * WARM_AFTER // BATCH * BATCH:
                warm = _footprint(host.pid)
            run.on_progress(start / run.size)
        memory, descriptors = (b - a for a, b in zip(warm, _footprint(host.pid), strict=True))
    if memory > MAX_GROWTH * MEGABYTE:
        run.problems.append(f"the worker grew by {memory / MEGABYTE:.1f} MB")
    if descriptors > MAX_NEW_DESCRIPTORS:
        run.problems.append(f"the worker has {descriptors} more open descriptors")


def _deliver(run: Run, simulation: Simulation, start: int) -> None:
    for number in range(start, start + BATCH):
        simulation.send_order(f"pay-{number}", expectedAmount="19.99")
    simulation.run(HOUR)
    run.judge(simulation, {f"pay-{start}"})
    simulation.dynamodb.items.clear()
    simulation.gateway.log.clear()
    simulation.gateway.counts.clear()
    simulation.bus.log.clear()


def _footprint(pid: int) -> tuple[int, int]:
    """Return the resident bytes and the number of open descriptors of a process (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(list(Path(f"/proc/{pid}/fd").iterdir()))
