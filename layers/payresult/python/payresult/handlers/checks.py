"""The checks queue: each message names a payment to check, or a list of payments to follow."""

from collections import Counter
from dataclasses import replace
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from payresult.domain.outcome import Outcome
from payresult.domain.payment import CheckMessage
from payresult.errors import InvalidInput, RegistrationConflict
from payresult.observability import count, report
from payresult.schemas.requests import parse_message
from payresult.services.check_batch import CheckBatchProcessor

REFUSED = "MessagesRefused"
"""Metric: deliveries of messages that the sender must correct; five make a dead letter."""
FAILED = "MessagesFailed"
"""Metric: deliveries of messages that failed for a reason on our side."""


class ChecksHandler:
    """Handles batches of messages of the checks queue."""

    def __init__(self, processor: CheckBatchProcessor) -> None:
        self.processor = processor
        self.logger = Logger()
        self.metrics = Metrics()

    def __call__(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        """Make the checks of the batch, and return the messages that SQS must deliver again.

        A malformed message is returned each time, so that SQS moves it to the dead-letter queue.
        """
        failed: dict[str, str] = {}
        checks: dict[str, CheckMessage] = {}
        for record in event["Records"]:
            message = self._read(record)
            if isinstance(message, CheckMessage):
                checks[record["messageId"]] = message
            elif message is None:
                failed[record["messageId"]] = REFUSED
            elif not self.processor.fan_out(message):
                failed[record["messageId"]] = FAILED
        outcomes = dict(zip(checks, self.processor.process(list(checks.values())), strict=True))
        failed |= {key: _metric(outcome) for key, outcome in outcomes.items() if outcome.error}
        report(outcomes.values(), self.logger, self.metrics)
        count(self.metrics, Counter(failed.values()))
        if self.metrics.metric_set:
            self.metrics.flush_metrics()
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _read(self, record: dict[str, Any]) -> CheckMessage | list[str] | None:
        """Return what the message asks for, or None if it is malformed."""
        try:
            message = parse_message(record["body"])
        except InvalidInput as error:
            extra = {"messageId": record["messageId"], "rule": error.rule}
            self.logger.warning("message refused", extra=extra)
            return None
        if isinstance(message, CheckMessage):
            sent_at = int(record.get("attributes", {}).get("SentTimestamp", 0))
            return replace(message, sent_at=sent_at)
        return message


def _metric(outcome: Outcome) -> str:
    return REFUSED if isinstance(outcome.error, (InvalidInput, RegistrationConflict)) else FAILED
