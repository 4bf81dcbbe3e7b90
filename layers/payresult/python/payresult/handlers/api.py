"""The HTTP API: look up one payment or many, and register one.

API Gateway has matched the route already, so a dictionary is all the routing that is needed.
"""

from payresult import bootstrap  # isort: split

import os
from base64 import b64decode
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from payresult.domain.outcome import Outcome
from payresult.domain.payment import Status
from payresult.errors import GatewayError, InvalidInput
from payresult.observability import count, describe, report
from payresult.schemas.fields import Outgoing
from payresult.schemas.requests import parse_pay_id, parse_pay_ids, parse_registration
from payresult.schemas.responses import (
    QueryResponse,
    outcome_response,
    payment_response,
    problem_of,
    retry_after,
)
from payresult.services.payments import LIVE_CHECK_INTERVAL_MS
from payresult.settings import Settings

Event = dict[str, Any]
Response = dict[str, Any]

logger = Logger()
metrics = Metrics()
settings = Settings.from_env(os.environ)
service = bootstrap.build_service(settings)
bootstrap.finish_start()


def handler(event: Event, _context: object) -> Response:
    """Answer one request (payload format 2.0); every error becomes a problem document."""
    try:
        return ROUTES[event["routeKey"]](event)
    except Exception as error:  # noqa: BLE001 - a caller never gets a stack trace
        _report_error(error)
        return _problem(error)
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()


def get_payment(event: Event) -> Response:
    """GET /payments/{payId}."""
    [outcome] = _look_up([_pay_id(event)])
    if outcome.error is not None:
        return _problem(outcome.error)
    pending = outcome.payment is not None and outcome.payment.status is Status.PENDING
    wait = {"Retry-After": str(LIVE_CHECK_INTERVAL_MS // 1000)} if pending else {}
    return _response(200, outcome_response(outcome, zone=settings.zone), wait)


def put_payment(event: Event) -> Response:
    """PUT /payments/{payId}."""
    pay_id = _pay_id(event)
    payment = service.register(pay_id, parse_registration(_body(event) or "{}"))
    return _response(202, payment_response(payment, zone=settings.zone))


def query_payments(event: Event) -> Response:
    """POST /payments/query."""
    outcomes = _look_up(parse_pay_ids(_body(event)))
    results = [outcome_response(outcome, zone=settings.zone) for outcome in outcomes]
    return _response(200, QueryResponse(results=results))


ROUTES: dict[str, Callable[[Event], Response]] = {
    "GET /payments/{payId}": get_payment,
    "PUT /payments/{payId}": put_payment,
    "POST /payments/query": query_payments,
}


def _look_up(pay_ids: list[str]) -> list[Outcome]:
    outcomes = service.look_up(pay_ids)
    report(outcomes, logger, metrics, live=True)
    for outcome in outcomes:
        if outcome.error is not None and _is_fault(outcome.error):
            _report_error(outcome.error)
    return outcomes


def _report_error(error: BaseException) -> None:
    if _is_fault(error):
        logger.error("request failed", extra=describe(error))
        count(metrics, {"ApiFailures": 1})
    else:
        logger.warning("request refused", extra=describe(error))


def _is_fault(error: BaseException) -> bool:
    """Return True for a 5xx whose cause is on our side, and not at the gateway."""
    status = problem_of(error).status
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, GatewayError)


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


def _problem(error: BaseException) -> Response:
    problem, wait = problem_of(error), retry_after(error)
    headers = {"Content-Type": "application/problem+json"}
    return _response(
        problem.status, problem, headers | ({"Retry-After": str(wait)} if wait else {})
    )


def _response(status: int, body: Outgoing, headers: dict[str, str] | None = None) -> Response:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store"}
        | (headers or {}),
        "body": body.model_dump_json(exclude_none=True),
    }
