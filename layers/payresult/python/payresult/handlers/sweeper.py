"""Every minute: overdue checks, unsent events, and payments to give up."""

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics

from payresult.observability import count, measure
from payresult.services.sweeper import Sweeper, SweepResult

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MAX_NAMED = 100
"""The most unreadable items that a sweep names: they come back each minute, and 20,000 lines of
250 bytes each minute would be 216 GB of log a month."""

WATCHED = (
    *("BadReplies", "ChecksAnswered", "ChecksUnanswered"),
    *("PaymentsSucceeded", "PaymentsUnpaid"),
)
"""The counters that alarms put into expressions. Each sweep adds 0, so that they exist: FILL fills
the gaps of a metric; what it makes of one that was never written, AWS does not say (AWS, "Using
metric math")."""


class SweeperHandler:
    """Handles the event of each minute."""

    def __init__(self, sweeper: Sweeper) -> None:
        self.sweeper = sweeper
        self.logger = Logger()
        self.metrics = Metrics()

    def __call__(self, _event: dict[str, Any], context: "LambdaContext") -> None:
        """Sweep once. What fails is due again in the next minute.

        Metrics and logs are written first; then the first error fails the invocation. The gauges
        are counted last: where a count takes too long, only they are missing.
        """
        swept = self.sweeper.sweep(context.get_remaining_time_in_millis)
        self._log(swept)
        counts = {
            "SweeperHeartbeat": 1,
            "ChecksOverdue": len(swept.overdue),
            "UnreadableItems": len(swept.unreadable),
            "OtherPartnerItems": swept.others,
            "EventsSent": swept.events_sent,
            "EventsUnsent": len(swept.events_refused),
            "PaymentsUnresolved": len(swept.given_up),
        } | dict.fromkeys(WATCHED, 0)
        count(self.metrics, counts)
        measure(self.metrics, "EventAge", swept.event_ages)
        self.metrics.flush_metrics()
        gauges, errors = self.sweeper.count()
        if gauges:
            count(self.metrics, gauges)
            self.metrics.flush_metrics()
        if failed := [*swept.errors, *errors]:
            raise failed[0]

    def _log(self, swept: SweepResult) -> None:
        for pay_id, code in swept.events_refused.items():
            self.logger.warning("event refused", extra={"payId": pay_id, "code": code})
        for name, pay_ids in (
            ("check sent", swept.checks_sent),
            ("check not queued", swept.checks_refused),
            ("given up", swept.given_up),
            ("item unreadable", swept.unreadable[:MAX_NAMED]),
        ):
            for pay_id in pay_ids:
                self.logger.info(name, extra={"payId": pay_id})
