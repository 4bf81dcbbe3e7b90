"""The HTTP API: look up one payment or many, wait for one, and register one.

API Gateway has matched the route already, so a dictionary is all the routing that is needed.
"""

from base64 import b64decode
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from aws_lambda_powertools import Logger, Metrics

from payresult.domain.outcome import Outcome
from payresult.domain.payment import Status
from payresult.errors import GatewayError, InvalidInput, WaitingOff
from payresult.observability import count, describe, report
from payresult.schemas.fields import Outgoing
from payresult.schemas.requests import (
    parse_pay_id,
    parse_pay_ids,
    parse_registration,
    parse_wait_seconds,
)
from payresult.schemas.responses import (
    QueryResponse,
    outcome_response,
    payment_response,
    problem_of,
    retry_after,
)
from payresult.services.payments import LIVE_CHECK_INTERVAL_MS, PaymentService

_SERVER_ERROR = 500

Event = dict[str, Any]
Response = dict[str, Any]


class ApiHandler:
    """Answers the requests of the HTTP API.

    *zone* is the time zone of the gateway, *max_wait_seconds* 0 where nobody may wait.
    """

    def __init__(
        self, service: PaymentService, zone: ZoneInfo | None, max_wait_seconds: int
    ) -> None:
        self.service = service
        self.logger = Logger()
        self.metrics = Metrics()
        self._zone = zone
        self._max_wait_seconds = max_wait_seconds
        self.routes: dict[str, Callable[[Event], Response]] = {
            "GET /payments/{payId}": self._get_payment,
            "GET /payments/{payId}/wait": self._wait,
            "PUT /payments/{payId}": self._put_payment,
            "POST /payments/query": self._query_payments,
        }

    def __call__(self, event: Event, _context: object) -> Response:
        """Answer one request (payload format 2.0); every error becomes a problem document."""
        try:
            return self.routes[event["routeKey"]](event)
        except Exception as error:  # noqa: BLE001 - a caller never gets a stack trace
            self._report_error(error)
            return _problem(error)
        finally:
            if self.metrics.metric_set:
                self.metrics.flush_metrics()

    def _get_payment(self, event: Event) -> Response:
        [outcome] = self._reported(self.service.look_up([_pay_id(event)]))
        return self._payment(outcome, may_ask_at_once=False)

    def _wait(self, event: Event) -> Response:
        if not self._max_wait_seconds:
            raise WaitingOff
        pay_id, asked = _pay_id(event), event.get("queryStringParameters") or {}
        seconds = parse_wait_seconds(asked.get("seconds"), self._max_wait_seconds)
        outcome = self._reported(self.service.wait(pay_id, seconds))[-1]
        # A caller who has waited may wait again at once. Nobody waits for what is not registered.
        return self._payment(outcome, may_ask_at_once=outcome.stored)

    def _payment(self, outcome: Outcome, *, may_ask_at_once: bool) -> Response:
        if error := _failure(outcome):
            return _problem(error)
        pending = outcome.payment is not None and outcome.payment.status is Status.PENDING
        headers = {"Retry-After": _pause(outcome)} if pending and not may_ask_at_once else {}
        return _response(200, outcome_response(outcome, zone=self._zone), headers)

    def _put_payment(self, event: Event) -> Response:
        pay_id = _pay_id(event)
        payment = self.service.register(pay_id, parse_registration(_body(event) or "{}"))
        return _response(202, payment_response(payment, zone=self._zone))

    def _query_payments(self, event: Event) -> Response:
        outcomes = self._reported(self.service.look_up(parse_pay_ids(_body(event))))
        results = [outcome_response(outcome, zone=self._zone) for outcome in outcomes]
        return _response(200, QueryResponse(results=results))

    def _reported(self, outcomes: list[Outcome]) -> list[Outcome]:
        report(outcomes, self.logger, self.metrics, live=True)
        for error in filter(None, map(_failure, outcomes)):
            if _is_fault(error):
                self._report_error(error)
        return outcomes

    def _report_error(self, error: BaseException) -> None:
        if _is_fault(error):
            self.logger.error("request failed", extra=describe(error))
            count(self.metrics, {"ApiFailures": 1})
        else:
            self.logger.warning("request refused", extra=describe(error))


def _failure(outcome: Outcome) -> BaseException | None:
    """Return the error that leaves nothing to tell the caller."""
    return outcome.error if outcome.payment is None else None


def _pause(outcome: Outcome) -> str:
    """Return the seconds to wait until the next query: the gateway may want more than ours."""
    answer = outcome.result and outcome.result.answer
    wanted = retry_after(answer) if isinstance(answer, GatewayError) and answer.retry_after else 0
    return str(max(wanted or 0, LIVE_CHECK_INTERVAL_MS // 1000))


def _is_fault(error: BaseException) -> bool:
    """Return True for a 5xx whose cause is on our side, and not at the gateway."""
    status = problem_of(error).status
    return status >= _SERVER_ERROR and not isinstance(error, GatewayError)


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
    if wait:
        headers["Retry-After"] = str(wait)
    return _response(problem.status, problem, headers)


def _response(status: int, body: Outgoing, headers: dict[str, str] | None = None) -> Response:
    standard = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return {
        "statusCode": status,
        "headers": standard | (headers or {}),
        "body": f"{body.model_dump_json(exclude_none=True)}\n",  # ends a line in a terminal
    }
