"""What logs and metrics say of an outcome. Logs never hold text of the gateway or a customer."""

import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from payresult.domain.outcome import Outcome
from payresult.domain.payment import Status
from payresult.domain.reply import Reply
from payresult.errors import GatewayUnavailable, InvalidReply

_BY_ANSWER = {
    Reply: "ChecksAnswered",
    GatewayUnavailable: "ChecksUnanswered",
    InvalidReply: "BadReplies",
}

_BY_LIVE_ANSWER = {
    Reply: "LiveChecksAnswered",
    GatewayUnavailable: "LiveChecksFailed",
    InvalidReply: "LiveChecksFailed",
}
"""The queries of callers are counted apart: one payId that is polled raises no alarm."""

_BY_NEW_STATUS: dict[Status | None, str] = {
    Status.SUCCEEDED: "PaymentsSucceeded",
    Status.FAILED: "PaymentsFailed",
    Status.REVIEW: "PaymentsInReview",
    Status.UNRESOLVED: "PaymentsUnresolved",
    Status.EXPIRED: "PaymentsExpired",
}

UNITS = {
    "GatewayLatency": "Milliseconds",
    "SettleTime": "Milliseconds",
    "ChecksToSettle": "Count",
    "EventAge": "Milliseconds",
}
"""The metrics that keep each value, for percentiles. All others are counts."""


def report(
    outcomes: Iterable[Outcome], logger: Logger, metrics: Metrics, *, live: bool = False
) -> None:
    """Log, count and measure *outcomes*; *live*: a caller of the API asked, and not the queue."""
    counted: Counter[str] = Counter()
    for outcome in outcomes:
        log = logger.warning if outcome.error else logger.info
        log("payment", extra=log_fields(outcome))
        counted.update(counts(outcome, live=live))
        for name, value in measures(outcome).items():
            measure(metrics, name, [value])
    count(metrics, counted)


def counts(outcome: Outcome, *, live: bool = False) -> dict[str, int]:
    """Return what is counted of *outcome*, by metric name."""
    counted = {}
    if outcome.result is not None:
        answer = type(outcome.result.answer)
        counted[(_BY_LIVE_ANSWER if live else _BY_ANSWER)[answer]] = 1
    if outcome.unpaid:
        counted["PaymentsUnpaid"] = 1
    if outcome.dropped:
        counted["FollowUpsDropped"] = 1
    if outcome.unknown:
        counted["UnknownPayRst"] = 1
    if outcome.new_status in _BY_NEW_STATUS:
        counted[_BY_NEW_STATUS[outcome.new_status]] = 1
    return counted


def measures(outcome: Outcome) -> dict[str, int]:
    """Return what is measured of *outcome*, by metric name; UNITS has the units.

    The time to settle is measured once a payment, by the check that settled it, and only where
    the payment was registered before: its history begins without a status.
    """
    result, payment = outcome.result, outcome.payment
    if result is None:
        return {}
    measured = {"GatewayLatency": result.latency}
    settled = outcome.new_status is Status.SUCCEEDED
    if payment and settled and payment.history[0].from_status is None:
        measured["SettleTime"] = result.at - payment.created_at
        measured["ChecksToSettle"] = payment.checks
    return measured


def log_fields(outcome: Outcome) -> dict[str, Any]:
    """Return the fields of the log line of *outcome*."""
    payment, result = outcome.payment, outcome.result
    fields = {
        "payId": outcome.pay_id,
        "status": payment and payment.status.value,
        "attempt": payment and payment.attempt,
        "step": payment and payment.step,
        "answer": result and type(result.answer).__name__,
        "rule": result and getattr(result.answer, "rule", None),
        "latency": result and result.latency,
    }
    known = {name: value for name, value in fields.items() if value is not None}
    return known | (describe(outcome.error) if outcome.error else {})


def describe(error: BaseException) -> dict[str, Any]:
    """Return the type of *error* and where it was raised; its text may hold what was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    return {"error": type(error).__name__, "where": where}


def count(metrics: Metrics, counted: Mapping[str, int]) -> None:
    """Add counts by metric name: one sum each, since each number is a billed byte of the log."""
    for name, value in counted.items():
        metrics.add_metric(name=name, unit="Count", value=value)


def measure(metrics: Metrics, name: str, values: Iterable[int]) -> None:
    """Add each of *values*, none below 0.

    Clocks of two machines differ, and with one value below 0 CloudWatch has no percentiles of the
    metric (AWS, GetMetricStatistics).
    """
    for value in values:
        metrics.add_metric(name=name, unit=UNITS[name], value=max(value, 0))
