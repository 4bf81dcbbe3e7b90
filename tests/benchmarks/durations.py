"""How long an invocation is billed: what it waits for, and its CPU at the share it gets.

The CPU is measured (``make scale LOAD=1``, results/cpu.json). The waits are assumptions, for none
was measured on AWS: they are printed with the dollars.
"""

import json
from collections import Counter
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Any

from payresult.bootstrap import MAX_CONCURRENCY

MEASURED = Path(__file__).parent / "results/cpu.json"

WAITS = {"gateway": 80.0, "table": 5.0, "queue": 10.0, "bus": 15.0}
"""Assumed milliseconds until a call is answered."""

AT_ONCE = {("gateway", "query"), ("table", "update_item")}
"""Calls that an invocation has under way at the same time, AT_A_TIME of them at most."""

WHOLE_CPU = 1769
"""The MB at which a function has one whole CPU (AWS Lambda developer guide, "Configure Lambda
function memory")."""

Calls = Counter[tuple[str, str]]
"""How often an invocation made a call, by edge and operation."""


def waited(calls: Calls) -> float:
    """The milliseconds that an invocation waits for *calls*."""
    return sum(
        WAITS[call[0]] * (ceil(count / MAX_CONCURRENCY) if call in AT_ONCE else count)
        for call, count in calls.items()
    )


def busy(function: str, records: int, measured: Mapping[str, Any]) -> float:
    """The milliseconds of a whole CPU that an invocation with *records* takes."""
    cpu = measured["cpu_ms"][function]
    return float(cpu["invocation"] + records * cpu["record"])


def lasting(wait: float, cpu: float, memory: int) -> float:
    """The milliseconds of an invocation, as if CPU and waiting never overlapped."""
    return wait + cpu / (memory / WHOLE_CPU)


def billed(wait: float, cpu: float, memory: int) -> int:
    """The milliseconds that are billed of it."""
    return ceil(lasting(wait, cpu, memory))


def measured(path: Path = MEASURED) -> dict[str, Any]:
    """What was measured, and on which machine."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
