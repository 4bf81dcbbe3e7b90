"""What one check or look-up came to, and what logs and metrics say of it. Pure."""

import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payresult.decide import Answer
from payresult.errors import BadReply, GatewayUnavailable
from payresult.models import Payment, Reply, Status

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to the gateway: the answer, when it was there, and after how many ms.

    ``chance`` is drawn once for it, so that deciding twice plans the same.
    """

    answer: Answer
    at: int
    latency: int
    chance: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one payId.

    ``asked`` is None where the gateway was not asked: settled, repeated, or asked just now.
    ``became`` is the status that this very check led to, None where it changed nothing.
    ``stored`` False: the payment is in no table. ``stale``: the gateway did not answer, this
    is what was known before. ``error``: why nothing could be done; the message comes again.
    """

    pay_id: str
    payment: Payment | None = None
    asked: Asked | None = None
    became: Status | None = None
    unknown: bool = False
    stored: bool = True
    stale: bool = False
    error: BaseException | None = None

    def counts(self) -> dict[str, int]:
        """Return what is counted of it, by metric name."""
        counted = {}
        if self.asked is not None:
            counted[_ASKED[type(self.asked.answer)]] = 1
        if self.unknown:
            counted["UnknownPayRst"] = 1
        if self.became in _BECAME:
            counted[_BECAME[self.became]] = 1
        return counted

    def measures(self) -> dict[str, int]:
        """Return what is measured of it, by metric name; UNITS has their units.

        Only a payment that somebody registered took its time to settle, and of each the one
        check that settled it tells; a message that comes again changes nothing, and tells nothing.
        """
        asked, payment = self.asked, self.payment
        if asked is None:
            return {}
        measured = {"GatewayLatency": asked.latency}
        if payment and self.became is Status.SUCCEEDED and payment.history[0].from_status is None:
            measured["SettleTime"] = asked.at - payment.created_at
            measured["ChecksToSettle"] = payment.checks
        return measured

    def log_fields(self) -> dict[str, Any]:
        """Return what a log line may say of it: no text of the gateway or of a customer."""
        payment, asked = self.payment, self.asked
        fields = {
            "payId": self.pay_id,
            "status": payment and payment.status.value,
            "attempt": payment and payment.attempt,
            "step": payment and payment.step,
            "answer": asked and type(asked.answer).__name__,
            "latency": asked and asked.latency,
        }
        known = {name: value for name, value in fields.items() if value is not None}
        return known | (describe(self.error) if self.error else {})


def describe(error: BaseException) -> dict[str, Any]:
    """Return the kind of *error* and where it was raised: its text may hold what logs must not."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    return {"error": type(error).__name__, "where": where}


_ASKED = {
    Reply: "ChecksAnswered",
    GatewayUnavailable: "ChecksUnanswered",
    BadReply: "BadReplies",
}

_BECAME: dict[Status | None, str] = {
    Status.SUCCEEDED: "PaymentsSucceeded",
    Status.FAILED: "PaymentsFailed",
    Status.REVIEW: "PaymentsInReview",
    Status.UNRESOLVED: "PaymentsUnresolved",
}


UNITS = {
    "GatewayLatency": "Milliseconds",
    "SettleTime": "Milliseconds",
    "ChecksToSettle": "Count",
    "EventAge": "Milliseconds",
}
"""What is measured: each value is kept, for percentiles. Everything else is counted."""


def report(outcomes: Iterable[Outcome], logger: "Logger", metrics: "Metrics") -> None:
    """Log, measure and count *outcomes*."""
    counted: Counter[str] = Counter()
    for outcome in outcomes:
        log = logger.warning if outcome.error else logger.info
        log("payment", extra=outcome.log_fields())
        counted.update(outcome.counts())
        for name, value in outcome.measures().items():
            measure(metrics, name, [value])
    count(metrics, counted)


def count(metrics: "Metrics", counted: Mapping[str, int]) -> None:
    """Count by metric name: one sum each, since every number more is a billed byte of the log."""
    for name, value in counted.items():
        metrics.add_metric(name=name, unit="Count", value=value)


def measure(metrics: "Metrics", name: str, values: Iterable[int]) -> None:
    """Keep each of *values*, none below 0.

    Clocks of two machines differ, and one value below 0 would cost CloudWatch's percentiles of
    the metric (AWS, GetMetricStatistics).
    """
    for value in values:
        metrics.add_metric(name=name, unit=UNITS[name], value=max(value, 0))
