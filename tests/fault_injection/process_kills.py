"""C2: real processes, really killed. C24: one that lives long."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.fault_injection.crashes import CHANCE, FAULTY, POINTS, arrive
from tests.fault_injection.fake_aws import Call
from tests.fault_injection.fake_gateway import HOUR, SECOND, Answer, books, fates, scripted, told
from tests.fault_injection.loopback import Loopback
from tests.fault_injection.races import merged
from tests.fault_injection.results import Outcome, Tick
from tests.fault_injection.simulation import START, Stage

MOST_KILLS = 20
FEWEST_KILLS = 10
ENOUGH = 100
"""From so many payments on, fewer than FEWEST_KILLS is a campaign that did not happen."""

BATCH = 10
WARM = 0.5
MEGABYTE = 1 << 20
DRIFT = 20
MORE_DESCRIPTORS = 5
"""A pool may open a connection late, when more happens at a time than before."""


KILL_POINTS = dict.fromkeys(POINTS, 0) | {
    "sent, not recorded": 8,
    "paid, written": 8,
    "after PutEvents": 8,
    "sweeper, before sending": 8,
}
"""The points, and how many payments a small run follows through them; at most of them none."""


class Kills:
    """The worker is killed the first time that it comes to a point, then every other time."""

    def __init__(self, point: str) -> None:
        self._point = POINTS[point]

    def __call__(self, size: int, dice: Random, tick: Tick) -> Outcome:
        """Follow *size* payments with workers that die."""
        pay_ids = [f"pay-{number}" for number in range(size)]
        plan = fates(pay_ids, START, dice, noise=0)
        stage = Stage(scripted(plan, dice), dice)
        stage.queue.echoes = lambda: [dice.choice((0, SECOND, 40 * SECOND))]
        stage.stream_alive = not self._point.startswith("sweeper")
        with Loopback(stage) as host:
            stage.host = host

            def kill(call: Call) -> None:
                here = str(call) == self._point and stage.faults < MOST_KILLS
                if here and (not stage.faults or dice.random() < CHANCE):
                    host.kill()
                    stage.crash()

            stage.before = kill
            arrive(stage, pay_ids, by_api=self._point.startswith("api"), tick=tick)
            stage.run(FAULTY)
            stage.settle()
        fewest = FEWEST_KILLS if size >= ENOUGH else 1
        problems = () if stage.faults >= fewest else (f"only {stage.faults} kills",)
        return Outcome(size, stage.faults, stage.verdict(books(plan)), problems)


def soak(size: int, dice: Random, tick: Tick) -> Outcome:
    """Deliver *size* messages to one worker; once it is warm, it grows no more.

    The edges forget what is done, so that only the worker could remember.
    """

    def script(pay_id: str, asked: int, _now: int) -> Answer:
        waits = pay_id.endswith("7") and not asked  # one in ten needs a second message
        return told(pay_id, "waiting" if waits else "success")

    stage = Stage(script, dice)
    verdicts = []
    with Loopback(stage) as host:
        stage.host = host
        warm = (0, 0)
        for start in range(0, size, BATCH):
            for number in range(start, start + BATCH):
                stage.order(f"pay-{number}", expectedAmount="19.99")
            stage.run(HOUR)
            verdicts.append(stage.verdict({f"pay-{start}"}))
            _forget(stage)
            if start == size * WARM // BATCH * BATCH:
                warm = _footprint(host.pid)
            tick(start / size)
        grown = tuple(b - a for a, b in zip(warm, _footprint(host.pid), strict=True))
    return Outcome(size, 0, merged(verdicts), tuple(_too_large(*grown)))


def _too_large(memory: int, descriptors: int) -> Iterator[str]:
    if memory > DRIFT * MEGABYTE:
        yield f"the worker grew by {memory / MEGABYTE:.1f} MB"
    if descriptors > MORE_DESCRIPTORS:
        yield f"the worker holds {descriptors} descriptors more"


def _forget(stage: Stage) -> None:
    stage.table.items.clear()
    stage.gateway.log.clear()
    stage.gateway.counts.clear()
    stage.bus.log.clear()


def _footprint(pid: int) -> tuple[int, int]:
    """Resident bytes and open descriptors of a process (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(list(Path(f"/proc/{pid}/fd").iterdir()))
