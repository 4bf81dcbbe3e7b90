"""The billed duration of an invocation: its waits, and its CPU time at its share of a CPU.

The CPU time is measured: for checks by ``make bench``, as what they take beyond their waits, in the
built package and with TLS; for the other functions by ``make scale CPU=1`` (results/cpu.json),
without TLS. The waits are assumptions, not measured on AWS; `make cost` prints them.
"""

import json
from collections import Counter
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Any

from payresult.bootstrap import MAX_CONCURRENCY

RESULTS = Path(__file__).parent / "results"
MEASURED = RESULTS / "cpu.json"

WAITS = {"gateway": 80.0, "table": 5.0, "queue": 10.0, "bus": 15.0}
"""Assumed response times in milliseconds."""

CONCURRENT_CALLS = {("gateway", "query"), ("table", "update_item"), ("table", "claim order")}
"""Calls that an invocation makes concurrently, up to MAX_CONCURRENCY of them. The marks of orders
come before the writes of their payments."""

MB_PER_CPU = 1769
"""The memory at which a function has one whole CPU (AWS Lambda developer guide, "Configure Lambda
function memory")."""

Calls = Counter[tuple[str, str]]
"""The number of calls of an invocation, by dependency and operation."""


def wait_ms(calls: Calls) -> float:
    """Return how long an invocation waits for *calls*."""
    return sum(
        WAITS[call[0]] * (ceil(count / MAX_CONCURRENCY) if call in CONCURRENT_CALLS else count)
        for call, count in calls.items()
    )


def cpu_ms(function: str, records: int, measured: Mapping[str, Any]) -> float:
    """Return the CPU time, on a whole CPU, of an invocation with *records*."""
    cpu = measured["cpu_ms"][function]
    return float(cpu["invocation"] + records * cpu["record"])


def duration_ms(wait: float, cpu: float, memory: int) -> float:
    """Return the duration of an invocation whose waits and CPU time do not overlap."""
    return wait + cpu / (memory / MB_PER_CPU)


def billed_ms(wait: float, cpu: float, memory: int) -> int:
    """Return the billed duration of an invocation."""
    return ceil(duration_ms(wait, cpu, memory))


def measured() -> dict[str, Any]:
    """Return the measurements, with the machine that they were made on."""
    found: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    bench = json.loads(max(RESULTS.glob("20*.json")).read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in bench["rows"]}
    ten = rows["batch_10_efficiency"]  # "a" is the least wait, "b" the time that it takes
    found["cpu_ms"]["checks"] = line(
        rows["query_overhead_vs_hand_signed"]["a"], ten["b"] - ten["a"]
    )
    return found


def line(one: float, ten: float) -> dict[str, float]:
    """Return the line through the CPU of an invocation with one record and with ten."""
    slope = (ten - one) / 9
    return {"invocation": round(one - slope, 3), "record": round(slope, 3)}
