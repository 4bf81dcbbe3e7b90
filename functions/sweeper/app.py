"""Every minute: overdue checks, unsent events, and payments to give up."""

from payresult import bootstrap  # isort: split

import os
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from payresult.observability import count, measure
from payresult.resources import Resources

logger = Logger()
metrics = Metrics()
sweeper = bootstrap.build_sweeper(Resources.from_env(os.environ))
bootstrap.finish_start()


def handler(_event: dict[str, Any], _context: object) -> None:
    """Sweep once. What fails is due again in the next minute.

    Metrics and logs are written first; then the first error fails the invocation.
    """
    result = sweeper.sweep()
    for pay_id, code in result.published.refused.items():
        logger.warning("event refused", extra={"payId": pay_id, "code": code})
    for name, pay_ids in (
        ("check sent", result.checks_sent),
        ("check not queued", result.checks_refused),
        ("given up", result.given_up),
        ("item unreadable", result.unreadable),
    ):
        for pay_id in pay_ids:
            logger.info(name, extra={"payId": pay_id})
    counts = {
        "SweeperHeartbeat": 1,
        "ChecksOverdue": len(result.overdue),
        "UnreadableItems": len(result.unreadable),
        "EventsSent": result.published.sent,
        "EventsUnsent": len(result.published.refused),
        "PaymentsUnresolved": len(result.given_up),
    }
    followed = {} if result.followed is None else {"PaymentsFollowed": result.followed}
    count(metrics, counts | followed)
    measure(metrics, "EventAge", result.published.ages)
    metrics.flush_metrics()
    if result.errors:
        raise result.errors[0]
