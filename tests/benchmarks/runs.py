"""What is billed of runs of the real system: of a check, a payment, a look, an idle month."""

import io
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from math import log
from random import Random

import moto  # noqa: F401 - before any session of boto3: one that is older would reach for the real AWS

from payresult.aws.items import SHARD_COUNT
from payresult.services.sweeper import COUNT_INTERVAL_MS, MINUTE_MS
from tests.benchmarks.logs import access_log
from tests.benchmarks.meter import GB, Meter
from tests.benchmarks.prices import Usage, times
from tests.benchmarks.sizes import item_size
from tests.contract.emitted import emitted
from tests.fault_injection.fake_gateway import DAY, SECOND, Answer, Script, told
from tests.fault_injection.simulation import START
from tests.support.template import of_type

MEDIAN_SECONDS, SIGMA, LONGEST_SECONDS = 60, 1.0, 1800
"""When people pay, an assumption: log-normal, half of them within a minute, all in half an hour."""

NEVER_PAID = 0.05
"""The share of payments that nobody pays, an assumption: they are followed for a week."""

MINUTES_A_MONTH = 730 * 60

POLLERS, POLL_SECONDS = 5, 20
"""How Lambda asks an empty queue: five long polls (AWS, "Configuring scaling behavior for SQS
event source mappings": fewer are not for mappings with MaximumConcurrency)."""

STORED_OVERHEAD = 100
"""Bytes that are billed for each stored item or entry of an index (as for ``sizes``)."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was used for one of something, with how many checks, and how many messages at a time.

    ``hottest`` has the writes to the hottest part of the index, for payIds spread evenly.
    """

    used: Usage
    checks: float
    batch: float
    hottest: float


def fast_checks(size: int, batch: int = 10) -> Run:
    """An unsettled check in the fast phase: the second one of each of *size* payments."""
    meter = _meter(waiting, batch)
    _order(meter, size)
    meter.stage.run(3 * SECOND)
    meter.reset()
    meter.stage.run(4 * SECOND)  # the second checks come after 4 to 6 s, the third after 12
    return _run(meter, len(meter.stage.gateway.log) - size)


def payments(
    size: int, batch: int = 10, paid_after: Callable[[Random], float] | None = None
) -> Run:
    """A payment from its message to its event, paid *paid_after* seconds (as people pay)."""
    when = paid_after or as_people_pay
    dice = Random("payers")  # noqa: S311 - the same in each run
    paid_at = {pay_id: START + when(dice) * 1000 for pay_id in _pay_ids(size)}

    def script(pay_id: str, _asked: int, now: int) -> Answer:
        return told(pay_id, "success" if paid_at[pay_id] <= now else "waiting")

    meter = _meter(script, batch)
    _order(meter, size)
    meter.used["SQS requests"] += size  # each message was sent by somebody
    meter.stage.run(10 * DAY)
    run = _run(meter, size)
    return replace(run, checks=len(meter.stage.gateway.log) / size)


def mixed(paid: Run, unpaid: Run, share: float = NEVER_PAID) -> Run:
    """One payment of many, of which a *share* is never paid."""

    def mean(one: float, other: float) -> float:
        return (1 - share) * one + share * other

    names = paid.used.keys() | unpaid.used.keys()
    return Run(
        {name: mean(paid.used.get(name, 0), unpaid.used.get(name, 0)) for name in names},
        mean(paid.checks, unpaid.checks),
        paid.batch,
        mean(paid.hottest, unpaid.hottest),
    )


def waiting(pay_id: str, _asked: int, _now: int) -> Answer:
    """Not paid."""
    return told(pay_id, "waiting")


def paid(pay_id: str, _asked: int, _now: int) -> Answer:
    """Paid."""
    return told(pay_id, "success")


def never(_dice: Random) -> float:
    """Nobody pays."""
    return 100 * DAY / 1000


def at_once(_dice: Random) -> float:
    """Paid before it is followed."""
    return 0.0


def as_people_pay(dice: Random) -> float:
    """Seconds until a payment is paid."""
    return min(dice.lognormvariate(log(MEDIAN_SECONDS), SIGMA), LONGEST_SECONDS)


def settled_looks(size: int) -> Run:
    """GET of a settled payment."""
    meter = _meter(paid)
    _order(meter, 1)
    meter.stage.run(DAY)
    meter.reset()
    for _ in range(size):
        if meter.stage.get(_pay_ids(1)[0]) != 200:
            raise AssertionError("a settled payment is not shown")
    meter.used["HTTP API calls"] += size
    meter.used["log GB"] += size * len(access_log().encode()) / GB
    return _run(meter, size)


def idle_month() -> Usage:
    """What a month costs in which nobody pays: the sweeper, empty polls, metrics and alarms."""
    meter = _meter(waiting)
    minutes = COUNT_INTERVAL_MS // MINUTE_MS
    for _ in range(minutes):
        meter.stage.now += MINUTE_MS
        meter.stage.sweep()
    with redirect_stdout(io.StringIO()):  # the functions' logs
        metrics = emitted()
    polls = POLLERS * 60 / POLL_SECONDS * MINUTES_A_MONTH
    return times(meter.used, MINUTES_A_MONTH / minutes) | {
        "SQS requests": polls,
        "metrics a month": len(metrics),
        "alarms a month": len(of_type("AWS::CloudWatch::Alarm")),
        "dashboards a month": len(of_type("AWS::CloudWatch::Dashboard")),
    }


def kept_month() -> Usage:
    """What it costs to keep one settled payment for a month."""
    meter = _meter(paid)
    _order(meter, 1)
    meter.stage.run(DAY)
    [item] = meter.stage.table.items.values()
    size = (item_size(item) + STORED_OVERHEAD) / GB
    return {"stored GB a month": size, "recoverable GB a month": size}


def _pay_ids(size: int) -> list[str]:
    return [f"2019032119{number:04}" for number in range(size)]


def _meter(script: Script, batch: int = 10) -> Meter:
    return Meter(script, Random("cost"), batch=batch)  # noqa: S311 - the same in each run


def _order(meter: Meter, size: int) -> None:
    for pay_id in _pay_ids(size):
        meter.stage.order(pay_id, orderId="A-17", expectedAmount="19.99", currency="USD")


def _run(meter: Meter, size: int) -> Run:
    invocations = meter.invocations["checks"]
    batch = meter.records["checks"] / invocations if invocations else 0.0
    kinds = Counter[str]()
    for shard, writes in meter.shards.items():
        kinds[shard.partition("#")[0]] += writes
    hottest = max(kinds.values(), default=0) / SHARD_COUNT / size
    return Run(times(meter.used, 1 / size), 1.0, batch, hottest)
