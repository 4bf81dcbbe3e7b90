"""Measures the CPU time of an invocation, in a worker process with boto3 and HTTP on loopback.

The operating system accounts for the process, all threads included. TLS to AWS and the Lambda
runtime's own part are not included.
"""

import json
import os
import platform
from collections import deque
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from tests.benchmarks.durations import MEASURED, line
from tests.support.fake_gateway import SECOND, GatewayResponse, json_response
from tests.support.loopback import LoopbackHost
from tests.support.simulation import Simulation

SIZE = 1000
ROUNDS = 3
SWEEPS = 200
PACKAGES = ("botocore", "aws-lambda-powertools", "pydantic-core", "urllib3")


def save() -> None:
    """Measure, and write the result with a description of the machine."""
    machine = {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }
    text = json.dumps({"machine": machine, "cpu_ms": measure()}, indent=1)
    MEASURED.write_text(f"{text}\n", encoding="utf-8")


def measure() -> dict[str, dict[str, float]]:
    """Return milliseconds of CPU by function: for an invocation, and for each of its records."""
    singles, tens = _median(1), _median(10)
    return {
        "publisher": line(singles["publisher"], tens["publisher"]),
        "sweeper": {"invocation": tens["sweeper"], "record": _due()},
        "api": {"invocation": tens["api"], "record": 0.0},
    }


def _median(batch: int) -> dict[str, float]:
    rounds = [_round(batch) for _ in range(ROUNDS)]
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


def _round(batch: int) -> dict[str, float]:
    """Return milliseconds of CPU for an invocation with *batch* records, by function."""

    def script(pay_id: str, earlier_queries: int, _now: int) -> GatewayResponse:
        return json_response(pay_id, "waiting" if earlier_queries < 2 else "success")

    simulation = Simulation(script, Random(1))  # noqa: S311 - the same in each round
    simulation.queue.batch_size = batch
    simulation.stream_enabled = simulation.sweeper_enabled = False
    found = {}
    with LoopbackHost(simulation) as host:
        simulation.host = host
        for number in range(SIZE):
            simulation.send_order(f"pay-{number}", expectedAmount="19.99")
        simulation.run(60 * SECOND)  # paid at the third check
        if len(simulation.stream) != SIZE:
            raise AssertionError("not every payment is paid")
        found["publisher"] = _cost(host, lambda: _publish(simulation, batch), SIZE // batch)
        found["sweeper"] = _cost(host, lambda: _repeat(simulation, "sweeper", {}), SWEEPS)
        event = {"routeKey": "GET /payments/{payId}", "pathParameters": {"payId": "pay-1"}}
        found["api"] = _cost(host, lambda: _repeat(simulation, "api", event), SWEEPS)
    return found


def _due() -> float:
    """Return milliseconds of CPU of the sweeper for each due check."""

    def script(pay_id: str, _earlier_queries: int, _now: int) -> GatewayResponse:
        return json_response(pay_id, "waiting")

    simulation = Simulation(script, Random(1))  # noqa: S311 - the same in each round
    with LoopbackHost(simulation) as host:
        simulation.host = host
        for number in range(SIZE):
            simulation.send_order(f"pay-{number}")
        simulation.run(3 * SECOND)
        for item in list(simulation.dynamodb.items.values()):
            simulation.dynamodb.put(item | {"workAt": {"N": "0"}})
        return _cost(host, lambda: simulation.host.invoke("sweeper", {}), SIZE)


def _publish(simulation: Simulation, batch: int) -> None:
    records = list(simulation.stream)
    for start in range(0, len(records), batch):
        simulation.stream = deque(records[start : start + batch])
        simulation.deliver_changes()


def _repeat(simulation: Simulation, name: str, event: dict[str, Any]) -> None:
    for _ in range(SWEEPS):
        simulation.host.invoke(name, event)


def _cost(host: LoopbackHost, work: Any, invocations: int) -> float:
    before = cpu_milliseconds(host.pid)
    work()
    return (cpu_milliseconds(host.pid) - before) / invocations


def cpu_milliseconds(pid: int) -> float:
    """Return the CPU time of a process so far (Linux), its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")
