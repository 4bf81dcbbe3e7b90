"""Metered runs of the simulation: what a check, a payment, a GET and an idle month use of AWS."""

import io
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import moto  # noqa: F401 - moto does not patch boto3 sessions that exist before its import

from payresult.aws.items import SHARD_COUNT
from payresult.services.sweeper import COUNT_INTERVAL_MS, MINUTE_MS
from payresult.settings import MAX_WAIT_SECONDS
from tests.benchmarks.logs import access_log
from tests.benchmarks.meter import GB, Meter
from tests.benchmarks.payers import NEVER_PAID, any_delay
from tests.benchmarks.prices import Usage, scaled
from tests.benchmarks.sizes import item_size
from tests.support.emitted import emitted
from tests.support.fake_gateway import DAY, SECOND, GatewayResponse, Script, json_response
from tests.support.simulation import START
from tests.support.template import of_type

MINUTES_PER_MONTH = 730 * 60

POLLERS, POLL_SECONDS = 5, 20
"""How Lambda polls an empty queue: with five long polls (AWS, "Configuring scaling behavior for SQS
event source mappings": mappings with MaximumConcurrency do not use fewer)."""

STORED_OVERHEAD = 100
"""Bytes billed for each stored item or index entry (same source as ``sizes``)."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was used for one check, payment or GET; the checks; and the messages per batch.

    ``hottest`` is the number of writes to the busiest shard of the index, with evenly distributed
    payIds; ``swept`` are the checks that the sweeper sent.
    """

    used: Usage
    checks: float
    batch: float
    hottest: float
    swept: float = 0.0


def fast_checks(size: int, batch: int = 10) -> Run:
    """Run an unsettled check in the fast phase: the second one of each of *size* payments."""
    meter = metered(waiting, batch)
    send_orders(meter, size)
    meter.simulation.run(6 * SECOND)
    meter.reset()
    meter.simulation.run(10 * SECOND)  # the second checks come after 10 to 15 s, the third after 20
    return _run(meter, len(meter.simulation.gateway.log) - size)


def payments(size: int, batch: int = 10, paid_after: Callable[[Random], float] = any_delay) -> Run:
    """Run payments from the message to the event; *paid_after* returns seconds until it is paid."""
    rng = Random("payers")  # noqa: S311 - the same in each run
    paid_at = {pay_id: START + paid_after(rng) * 1000 for pay_id in _pay_ids(size)}

    def script(pay_id: str, _earlier_queries: int, now: int) -> GatewayResponse:
        return json_response(pay_id, "success" if paid_at[pay_id] <= now else "waiting")

    meter = metered(script, batch)
    send_orders(meter, size)
    meter.used["SQS requests"] += size  # the messages of the order services
    meter.simulation.run(10 * DAY)
    run = _run(meter, size)
    return replace(run, checks=len(meter.simulation.gateway.log) / size)


def mixed(paid: Run, unpaid: Run, share: float = NEVER_PAID) -> Run:
    """Return the average of many payments, a *share* of which is never paid."""

    def mean(one: float, other: float) -> float:
        return (1 - share) * one + share * other

    names = paid.used.keys() | unpaid.used.keys()
    return Run(
        {name: mean(paid.used.get(name, 0), unpaid.used.get(name, 0)) for name in names},
        mean(paid.checks, unpaid.checks),
        paid.batch,
        mean(paid.hottest, unpaid.hottest),
        mean(paid.swept, unpaid.swept),
    )


def waiting(pay_id: str, _earlier_queries: int, _now: int) -> GatewayResponse:
    """Return a response for a payment that is not paid."""
    return json_response(pay_id, "waiting")


def paid(pay_id: str, _earlier_queries: int, _now: int) -> GatewayResponse:
    """Return a response for a payment that is paid."""
    return json_response(pay_id, "success")


def never(_rng: Random) -> float:
    """Return the delay of a payment that is never paid."""
    return 100 * DAY / 1000


def immediately(_rng: Random) -> float:
    """Return the delay of a payment that is paid before its first check."""
    return 0.0


def settled_gets(size: int) -> Run:
    """Run GETs of a settled payment."""
    meter = metered(paid)
    send_orders(meter, 1)
    meter.simulation.run(DAY)
    meter.reset()
    for _ in range(size):
        if meter.simulation.get_payment(_pay_ids(1)[0]) != 200:
            raise AssertionError("a settled payment was not returned")
    meter.used["HTTP API calls"] += size
    meter.used["log GB"] += size * len(access_log().encode()) / GB
    return _run(meter, size)


def waits(size: int, seconds: int = MAX_WAIT_SECONDS) -> Run:
    """Run calls that wait so many seconds for a payment that is not paid meanwhile."""
    meter = metered(waiting)
    meter.simulation.checks_enabled = False  # what following costs is counted elsewhere
    for pay_id in _pay_ids(size):
        meter.simulation.put_payment(pay_id, expectedAmount="19.99", currency="USD")
    meter.reset()
    for pay_id in _pay_ids(size):
        status, body = meter.simulation.wait_for(pay_id, seconds)
        if (status, body["status"]) != (200, "PENDING"):
            raise AssertionError("waiting ended before its time")
    meter.used["HTTP API calls"] += size
    meter.used["log GB"] += size * len(access_log().encode()) / GB
    return replace(_run(meter, size), checks=len(meter.simulation.gateway.log) / size)


def idle_month() -> Usage:
    """Return what a month without payments uses: sweeps, empty polls, metrics and alarms."""
    meter = metered(waiting)
    minutes = COUNT_INTERVAL_MS // MINUTE_MS
    for _ in range(minutes):
        meter.simulation.now += MINUTE_MS
        meter.simulation.sweep()
    with redirect_stdout(io.StringIO()):  # the functions' logs
        metrics = emitted()
    polls = POLLERS * 60 / POLL_SECONDS * MINUTES_PER_MONTH
    return scaled(meter.used, MINUTES_PER_MONTH / minutes) | {
        "SQS requests": polls,
        "metrics a month": len(metrics),
        "alarm metrics a month": sum(map(_metrics_of, of_type("AWS::CloudWatch::Alarm").values())),
        "dashboards a month": len(of_type("AWS::CloudWatch::Dashboard")),
    }


def _metrics_of(alarm: dict[str, Any]) -> int:
    """Return how many metrics are billed: one, or those that an expression reads."""
    return sum("MetricStat" in each for each in alarm.get("Metrics", [])) or 1


def storage_month() -> Usage:
    """Return what storing one settled payment and its order for a month uses."""
    meter = metered(paid)
    send_orders(meter, 1)
    meter.simulation.run(DAY)
    stored = meter.simulation.dynamodb.items.values()  # the payment, and its order's marker
    size = sum(item_size(item) + STORED_OVERHEAD for item in stored) / GB
    return {"stored GB a month": size, "recoverable GB a month": size}


def _pay_ids(size: int) -> list[str]:
    return [f"2019032119{number:04}" for number in range(size)]


def metered(script: Script, batch: int = 10) -> Meter:
    """Return a simulation with a meter."""
    return Meter(script, Random("cost"), batch=batch)  # noqa: S311 - the same in each run


def send_orders(meter: Meter, size: int) -> None:
    """Send payIds to the queue, each with an order of its own."""
    for pay_id in _pay_ids(size):
        registered = {"orderId": f"A-{pay_id}", "expectedAmount": "19.99", "currency": "USD"}
        meter.simulation.send_order(pay_id, **registered)


def _run(meter: Meter, size: int) -> Run:
    invocations = meter.invocations["checks"]
    batch = meter.records["checks"] / invocations if invocations else 0.0
    writes_by_kind = Counter[str]()
    for shard, writes in meter.shards.items():
        writes_by_kind[shard.partition("#")[0]] += writes
    hottest = max(writes_by_kind.values(), default=0) / SHARD_COUNT / size
    swept = meter.records["sweeper"] / size
    return Run(scaled(meter.used, 1 / size), 1.0, batch, hottest, swept)
