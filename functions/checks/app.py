"""SQS: each message names a payment to check, or a list of payments to follow."""

from payresult import coldstart  # isort: split

import os
from collections import Counter
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from payresult.bootstrap import build_follower
from payresult.domain.outcome import Outcome
from payresult.domain.payment import CheckMessage
from payresult.errors import InvalidInput, RegistrationConflict
from payresult.observability import count, report
from payresult.schemas.requests import parse_message
from payresult.settings import Settings

logger = Logger()
metrics = Metrics()
REFUSED = "MessagesRefused"
"""Metric: deliveries of a message that the sender has to mend, five before it is a dead letter."""
FAILED = "MessagesFailed"
"""Metric: deliveries of a message that something of ours kept from being handled."""

follower = build_follower(Settings.from_env(os.environ))
coldstart.done()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Check what the batch asks for, and name the messages that are to be delivered again.

    A malformed message is named each time, so that SQS takes it to the dead-letter queue, whole.
    """
    back: dict[str, str] = {}
    checks: dict[str, CheckMessage] = {}
    for record in event["Records"]:
        message = _read(record)
        if isinstance(message, CheckMessage):
            checks[record["messageId"]] = message
        elif message is None:
            back[record["messageId"]] = REFUSED
        elif not follower.fan_out(message):
            back[record["messageId"]] = FAILED
    outcomes = dict(zip(checks, follower.follow(list(checks.values())), strict=True))
    back |= {key: _why(outcome) for key, outcome in outcomes.items() if outcome.error}
    report(outcomes.values(), logger, metrics)
    count(metrics, Counter(back.values()))
    if metrics.metric_set:
        metrics.flush_metrics()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in back]}


def _why(outcome: Outcome) -> str:
    return REFUSED if isinstance(outcome.error, RegistrationConflict) else FAILED


def _read(record: dict[str, Any]) -> CheckMessage | list[str] | None:
    """Return what the message asks for; None if it is malformed."""
    try:
        return parse_message(record["body"])
    except InvalidInput as error:
        extra = {"messageId": record["messageId"], "rule": error.rule}
        logger.warning("message refused", extra=extra)
        return None
