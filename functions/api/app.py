"""HTTP: a payment by its payId, many of them, and registering one.

API Gateway has matched the route already, so a dictionary does the routing here.
"""

from payresult import coldstart  # isort: split

import json
import os
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from payresult.bootstrap import build_service
from payresult.domain.outcome import Outcome
from payresult.domain.payment import Status
from payresult.errors import InvalidInput, PayresultError
from payresult.observability import describe, report
from payresult.schemas.problems import problem_of, retry_after
from payresult.schemas.requests import parse_pay_id, parse_pay_ids, parse_registration
from payresult.schemas.responses import payment_response
from payresult.services.payments import LIVE_CHECK_INTERVAL_MS
from payresult.settings import Settings

Event = dict[str, Any]
Answer = dict[str, Any]

logger = Logger()
metrics = Metrics()
settings = Settings.from_env(os.environ)
service = build_service(settings)
coldstart.done()


def handler(event: Event, _context: object) -> Answer:
    """Answer one request (payload format 2.0); whatever goes wrong is a problem document."""
    try:
        return ROUTES[event["routeKey"]](event)
    except Exception as error:  # noqa: BLE001 - a caller gets no stack trace, whatever it was
        logger.warning("refused", extra=describe(error))
        return _problem(error)
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()


def get_payment(event: Event) -> Answer:
    """GET /payments/{payId}."""
    [outcome] = _look_up([_pay_id(event)])
    if outcome.error is not None:
        return _problem(outcome.error)
    pending = outcome.payment is not None and outcome.payment.status is Status.PENDING
    wait = {"Retry-After": str(LIVE_CHECK_INTERVAL_MS // 1000)} if pending else {}
    return _answer(200, _shown(outcome), wait)


def put_payment(event: Event) -> Answer:
    """PUT /payments/{payId}."""
    pay_id = _pay_id(event)
    payment = service.register(pay_id, parse_registration(_body(event) or "{}"))
    return _answer(202, payment_response(payment, zone=settings.zone))


def query_payments(event: Event) -> Answer:
    """POST /payments/query."""
    pay_ids = parse_pay_ids(_body(event))
    return _answer(200, {"results": [_shown(outcome) for outcome in _look_up(pay_ids)]})


ROUTES: dict[str, Callable[[Event], Answer]] = {
    "GET /payments/{payId}": get_payment,
    "PUT /payments/{payId}": put_payment,
    "POST /payments/query": query_payments,
}


def _look_up(pay_ids: list[str]) -> list[Outcome]:
    outcomes = service.look_up(pay_ids)
    report(outcomes, logger, metrics)
    return outcomes


def _pay_id(event: Event) -> str:
    return parse_pay_id((event.get("pathParameters") or {}).get("payId"))


def _body(event: Event) -> str | bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body)
    try:
        return b64decode(body, validate=True)
    except ValueError:
        raise InvalidInput("body", "must be JSON") from None


def _shown(outcome: Outcome) -> dict[str, Any]:
    if outcome.payment is None:
        error = outcome.error or PayresultError()
        return {"payId": outcome.pay_id, "problem": problem_of(error)}
    return payment_response(
        outcome.payment, zone=settings.zone, stored=outcome.stored, stale=outcome.stale
    )


def _problem(error: BaseException) -> Answer:
    problem, wait = problem_of(error), retry_after(error)
    headers = {"Content-Type": "application/problem+json"}
    return _answer(
        problem["status"], problem, headers | ({"Retry-After": str(wait)} if wait else {})
    )


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store"}
        | (headers or {}),
        "body": json.dumps(body, ensure_ascii=False),
    }
