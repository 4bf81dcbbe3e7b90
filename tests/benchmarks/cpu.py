"""The CPU time of an invocation, in a process of its own, with boto3 and HTTP on loopback.

By the operating system's account of the process, all threads included. What is left out, because
it would be measured against a partner that is not there: TLS to AWS, and the runtime's own part.
"""

import os
from collections import deque
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from tests.fault_injection.fake_gateway import SECOND, Answer, told
from tests.fault_injection.loopback import Loopback
from tests.fault_injection.simulation import Stage

SIZE = 1000
ROUNDS = 3
SWEEPS = 200


def measure() -> dict[str, dict[str, float]]:
    """Milliseconds of CPU by function: for an invocation, and for each record more."""
    singles, tens = _median(1), _median(10)
    return {
        "checks": _line(singles["checks"], tens["checks"]),
        "publisher": _line(singles["publisher"], tens["publisher"]),
        "sweeper": {"invocation": tens["sweeper"], "record": _due()},
        "api": {"invocation": tens["api"], "record": 0.0},
    }


def _line(one: float, ten: float) -> dict[str, float]:
    """The straight line through an invocation with one record and one with ten."""
    slope = (ten - one) / 9
    return {"invocation": round(one - slope, 3), "record": round(slope, 3)}


def _median(batch: int) -> dict[str, float]:
    rounds = [_round(batch) for _ in range(ROUNDS)]
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


def _round(batch: int) -> dict[str, float]:
    """Milliseconds of CPU for an invocation with *batch* records, by function."""

    def script(pay_id: str, asked: int, _now: int) -> Answer:
        return told(pay_id, "waiting" if asked < 2 else "success")

    stage = Stage(script, Random(1))  # noqa: S311 - the same in each round
    stage.queue.batch = batch
    stage.stream_alive = stage.sweeper_alive = False
    found = {}
    with Loopback(stage) as host:
        stage.host = host
        for number in range(SIZE):
            stage.order(f"pay-{number}", expectedAmount="19.99")
        stage.run(3 * SECOND)
        found["checks"] = _cost(host, lambda: stage.run(4 * SECOND), SIZE // batch)
        stage.run(20 * SECOND)  # the third check says paid
        if len(stage.stream) != SIZE:
            raise AssertionError("not every payment is paid")
        found["publisher"] = _cost(host, lambda: _publish(stage, batch), SIZE // batch)
        found["sweeper"] = _cost(host, lambda: _repeat(stage, "sweeper", {}), SWEEPS)
        event = {"routeKey": "GET /payments/{payId}", "pathParameters": {"payId": "pay-1"}}
        found["api"] = _cost(host, lambda: _repeat(stage, "api", event), SWEEPS)
    return found


def _due() -> float:
    """Milliseconds of CPU of a sweeper for each check that is due."""

    def script(pay_id: str, _asked: int, _now: int) -> Answer:
        return told(pay_id, "waiting")

    stage = Stage(script, Random(1))  # noqa: S311 - the same in each round
    with Loopback(stage) as host:
        stage.host = host
        for number in range(SIZE):
            stage.order(f"pay-{number}")
        stage.run(3 * SECOND)
        for item in list(stage.table.items.values()):
            stage.table.put(item | {"workAt": {"N": "0"}})
        return _cost(host, lambda: stage.host.invoke("sweeper", {}), SIZE)


def _publish(stage: Stage, batch: int) -> None:
    records = list(stage.stream)
    for start in range(0, len(records), batch):
        stage.stream = deque(records[start : start + batch])
        stage.deliver_stream()


def _repeat(stage: Stage, name: str, event: dict[str, Any]) -> None:
    for _ in range(SWEEPS):
        stage.host.invoke(name, event)


def _cost(host: Loopback, work: Any, invocations: int) -> float:
    before = cpu_milliseconds(host.pid)
    work()
    return (cpu_milliseconds(host.pid) - before) / invocations


def cpu_milliseconds(pid: int) -> float:
    """Milliseconds of CPU that a process had so far (Linux), its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")
