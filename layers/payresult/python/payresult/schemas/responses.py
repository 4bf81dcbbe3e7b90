"""Responses of the HTTP API: payments, results of a query, and problems (RFC 9457).

Problem types are stable; clients may branch on them. No text of the gateway is in a problem.
"""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from payresult import errors
from payresult.domain.outcome import Outcome
from payresult.domain.payment import Payment, Status
from payresult.schemas.fields import (
    Amount,
    Currency,
    Outgoing,
    PackageUnit,
    PaidAt,
    PartnerCode,
    PayId,
    UtcTime,
    documented,
    reply_values,
)

DEFAULT_RETRY_AFTER = 5
"""Seconds: what callers are asked to wait where nobody knows better."""
MAX_CALLER_RETRY_AFTER = 3600
"""Seconds. The gateway may ask for years, and a caller would take its word for it."""


class PaymentResponse(Outgoing):
    """What is known of a payment. Absent means unknown; nothing is ever null."""

    partner_code: PartnerCode
    pay_id: PayId
    status: Status = Field(
        description="SUCCEEDED is final. PENDING: not paid yet, as far as the gateway says. "
        "REVIEW: paid, but not the amount that was registered. FAILED: the gateway says so. "
        "EXPIRED: the last planned check was answered, and it was not paid. UNRESOLVED: not "
        "followed any more, and nobody knows. All but SUCCEEDED may still become SUCCEEDED."
    )
    order_id: str | None = Field(None, description="As registered.")
    expected_amount: str | None = Field(None, description="As registered.")
    currency: Currency | None = None
    amount: Amount | None = None
    pay_amount: str | None = Field(None, description="Raw, as the gateway wrote it.")
    pay_rst: str | None = Field(None, description="Raw: the gateway's result.")
    pay_result_date: str | None = Field(None, description="Raw: the time of payment, without zone.")
    package_type: str | None = Field(None, description="Raw: the kind of plan.")
    order_period: str | None = Field(None, description="Raw: how many of packageUnit.")
    service_plan_show_name: str | None = Field(None, description="Raw: the plan's name.")
    paid_at: PaidAt | None = None
    package_unit: PackageUnit | None = None
    checks: int = Field(ge=0, description="How many checks are on record.")
    created_at: UtcTime | None = Field(None, description="Absent: the payment is not stored.")
    last_checked_at: UtcTime | None = Field(None, description="When the gateway was asked last.")
    next_check_at: UtcTime | None = Field(None, description="When payresult asks next, by itself.")
    stale: Literal[True] | None = Field(
        None,
        description="True: the gateway did not say anything when it was asked last; this was known "
        "before.",
    )


class Problem(Outgoing):
    """What is wrong (RFC 9457). Branch on ``type``, which is stable; there may be new ones."""

    type: Annotated[str, documented(pattern="^urn:payresult:problem:[a-z-]+$")]
    title: str
    status: int = Field(ge=400, le=599, description="The HTTP status that goes with it.")
    detail: str = Field(description="For people. Never a text of the gateway.")
    field: str | None = Field(None, description="The field of the request it is about.")


class Unanswered(Outgoing):
    """A payId of which nothing can be told, and why."""

    pay_id: PayId
    problem: Problem


class QueryResponse(Outgoing):
    """One result for each payId, in the order asked; for a repeated one there is one result."""

    results: list[PaymentResponse | Unanswered]


_PROBLEMS: dict[type[BaseException], tuple[int, str, str, str | None]] = {
    errors.InvalidInput: (400, "invalid-input", "Invalid request", None),
    errors.RegistrationConflict: (
        409,
        "registration-conflict",
        "Conflicting registration",
        "This field contradicts what is known of the payment",
    ),
    errors.NotRegistered: (
        404,
        "not-registered",
        "Payment not registered",
        "Register the payId before asking about it",
    ),
    errors.WaitingOff: (
        404,
        "waiting-off",
        "Waiting is switched off",
        "Ask by GET /payments/{payId} instead, and again after its Retry-After",
    ),
    errors.GatewayUnavailable: (
        503,
        "gateway-unavailable",
        "The gateway is unavailable",
        "The gateway gave no answer that can be read, and nothing is known of the payment yet",
    ),
    errors.InvalidReply: (
        502,
        "gateway-bad-reply",
        "Invalid reply of the gateway",
        "The answer says nothing about the payment, and nothing else is known of it",
    ),
    errors.PayresultError: (
        503,
        "try-again",
        "Temporarily unavailable",
        "Nothing is lost; send the request again",
    ),
    BaseException: (
        500,
        "internal-error",
        "Internal error",
        "The request was not carried out, or not wholly; sending it again is safe",
    ),
}
"""Status, name, title and detail by error; the first that fits is taken. No detail: the text of
the error, which was written for the caller."""


def payment_response(
    payment: Payment, *, zone: ZoneInfo | None = None, stored: bool = True
) -> PaymentResponse:
    """Return *payment* for a caller: strings, one number (``checks``), and ``stale`` if it is.

    A payment that is not *stored* has no ``createdAt``: nobody registered it.
    """
    shown = reply_values(payment.reply, payment.registration, zone) | {
        "partnerCode": payment.partner_code,
        "payId": payment.pay_id,
        "status": payment.status,
        "expectedAmount": payment.registration.expected_amount,
        "checks": payment.checks,
        "createdAt": payment.created_at if stored else None,
        "lastCheckedAt": payment.last_checked_at,
        "nextCheckAt": payment.next_check_at,
        "stale": payment.stale or None,
    }
    return PaymentResponse.model_validate(shown)


def outcome_response(
    outcome: Outcome, *, zone: ZoneInfo | None = None
) -> PaymentResponse | Unanswered:
    """Return the payment of *outcome* for a caller, or the payId and its problem."""
    if outcome.payment is None:
        problem = problem_of(outcome.error or errors.PayresultError())
        return Unanswered.model_validate({"payId": outcome.pay_id, "problem": problem})
    return payment_response(outcome.payment, zone=zone, stored=outcome.stored)


def problem_of(error: BaseException) -> Problem:
    """Return the problem document for *error*."""
    found = next(known for kind, known in _PROBLEMS.items() if isinstance(error, kind))
    status, name, title, detail = found
    return Problem(
        type=f"urn:payresult:problem:{name}",
        title=title,
        status=status,
        detail=detail or str(error),
        field=getattr(error, "field", None) if isinstance(error, errors.PayresultError) else None,
    )


def retry_after(error: BaseException) -> int | None:
    """Return the seconds after which to ask again, where asking again helps."""
    if isinstance(error, errors.GatewayError) and error.retry_after is not None:
        return min(max(round(error.retry_after), 1), MAX_CALLER_RETRY_AFTER)
    return DEFAULT_RETRY_AFTER if problem_of(error).status == 503 else None  # noqa: PLR2004 - HTTP's
