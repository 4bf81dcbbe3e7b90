"""Each minute: send what is due and was not sent, and give up what expired."""

from payresult import coldstart  # isort: split

import os
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from payresult.bootstrap import build_sweeper
from payresult.observability import count, measure
from payresult.settings import Settings

logger = Logger()
metrics = Metrics()
sweeper = build_sweeper(Settings.from_env(os.environ))
coldstart.done()


def handler(_event: dict[str, Any], _context: object) -> None:
    """Sweep once. Whatever goes wrong in between is due again in the next minute.

    What was done is told also where something else was not: that one fails the run afterwards.
    """
    swept = sweeper.sweep()
    for pay_id, code in swept.published.refused.items():
        logger.warning("event refused", extra={"payId": pay_id, "code": code})
    for name, pay_ids in (
        ("check sent", swept.checks_sent),
        ("check not queued", swept.checks_refused),
        ("given up", swept.given_up),
        ("item unreadable", swept.unreadable),
    ):
        for pay_id in pay_ids:
            logger.info(name, extra={"payId": pay_id})
    counts = {
        "SweeperHeartbeat": 1,
        "ChecksOverdue": len(swept.overdue),
        "UnreadableItems": len(swept.unreadable),
        "EventsSent": swept.published.sent,
        "EventsUnsent": len(swept.published.refused),
        "PaymentsUnresolved": len(swept.given_up),
    }
    followed = {} if swept.followed is None else {"PaymentsFollowed": swept.followed}
    count(metrics, counts | followed)
    measure(metrics, "EventAge", swept.published.ages)
    metrics.flush_metrics()
    if swept.errors:
        raise swept.errors[0]
