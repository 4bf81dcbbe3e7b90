"""Responses of the HTTP API: payments, results of a query, and problems (RFC 9457).

Problem types are stable; clients may branch on them. No text of the gateway is in a problem.
"""

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from payresult.domain.outcome import Outcome
from payresult.domain.payment import Payment, Status
from payresult.errors import (
    GatewayUnavailable,
    InvalidInput,
    InvalidReply,
    NotRegistered,
    PayresultError,
    RegistrationConflict,
)
from payresult.schemas import fields

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DEFAULT_RETRY_AFTER = 5
"""Seconds: what callers are asked to wait where nobody knows better."""


class PaymentResponse(fields.Outgoing):
    """What is known of a payment. Absent means unknown; nothing is ever null."""

    partner_code: fields.PartnerCode
    pay_id: fields.PayId
    status: Status = Field(
        description="SUCCEEDED is final. PENDING: not paid yet, as far as the gateway says. "
        "REVIEW: paid, but not the amount that was registered. FAILED: the gateway says so. "
        "UNRESOLVED: not followed any more. All but SUCCEEDED may still become SUCCEEDED."
    )
    order_id: str | None = Field(None, description="As registered.")
    expected_amount: str | None = Field(None, description="As registered.")
    currency: fields.Currency | None = None
    amount: fields.Amount | None = None
    pay_amount: str | None = Field(None, description="Raw, as the gateway wrote it.")
    pay_rst: str | None = Field(None, description="Raw: the gateway's result.")
    pay_result_date: str | None = Field(
        None, description="Raw, in a time zone that the gateway does not tell."
    )
    package_type: str | None = Field(None, description="Raw: the kind of plan.")
    order_period: str | None = Field(None, description="Raw: how many of packageUnit.")
    service_plan_show_name: str | None = Field(None, description="Raw: the plan's name.")
    paid_at: fields.PaidAt | None = None
    package_unit: fields.PackageUnit | None = None
    checks: int = Field(ge=0, description="How many checks are on record.")
    created_at: fields.UtcTime | None = Field(
        None, description="Since when it is stored. Absent: it is not."
    )
    last_checked_at: fields.UtcTime | None = Field(
        None, description="When the gateway was asked last."
    )
    next_check_at: fields.UtcTime | None = Field(
        None, description="When payresult asks next, by itself."
    )
    stale: Literal[True] | None = Field(
        None, description="True: the gateway did not answer just now; this was known before."
    )


class Problem(fields.Outgoing):
    """What is wrong (RFC 9457). Branch on ``type``, which is stable; there may be new ones."""

    type: Annotated[str, fields.text(pattern="^urn:payresult:problem:[a-z-]+$")]
    title: str
    status: int = Field(ge=400, le=599, description="The HTTP status that goes with it.")
    detail: str = Field(description="For people. Never a text of the gateway.")
    field: str | None = Field(None, description="The field of the request it is about.")


class Unanswered(fields.Outgoing):
    """A payId of which nothing can be told, and why."""

    pay_id: fields.PayId
    problem: Problem


class QueryResponse(fields.Outgoing):
    """One result for each payId, in the order asked; for a repeated one there is one result."""

    results: list[PaymentResponse | Unanswered]


class _Kind(NamedTuple):
    error: type[BaseException]
    name: str
    status: int
    title: str
    detail: str | None  # None: the error's own text, which is fit for the caller


# The first that fits is taken.
_KINDS = (
    _Kind(InvalidInput, "invalid-input", 400, "The request breaks a rule", None),
    _Kind(
        RegistrationConflict,
        "registration-conflict",
        409,
        "Registered otherwise already",
        "The payment is registered with another value of this field",
    ),
    _Kind(
        NotRegistered,
        "not-registered",
        404,
        "Nobody registered this payId",
        "Register the payId before asking about it",
    ),
    _Kind(
        GatewayUnavailable,
        "gateway-unavailable",
        503,
        "The gateway is unavailable",
        "The gateway did not answer, and nothing is known of the payment yet",
    ),
    _Kind(
        InvalidReply,
        "gateway-bad-reply",
        502,
        "The gateway's answer has no meaning",
        "The answer says nothing about the payment, and nothing else is known of it",
    ),
    _Kind(
        PayresultError,
        "try-again",
        503,
        "Busy at the moment",
        "Nothing is lost; send the request again",
    ),
    _Kind(
        BaseException,
        "internal-error",
        500,
        "Something is wrong on our side",
        "The request was not carried out, or not wholly; sending it again is safe",
    ),
)


def payment_response(
    payment: Payment, *, zone: "ZoneInfo | None" = None, stored: bool = True, stale: bool = False
) -> PaymentResponse:
    """Return *payment* for a caller: strings, one number (``checks``), and ``stale`` if it is.

    A payment that is not *stored* has no ``createdAt``: nobody registered it.
    """
    shown = fields.interpreted(payment.reply, payment.registration, zone) | {
        "partnerCode": payment.partner_code,
        "payId": payment.pay_id,
        "status": payment.status,
        "expectedAmount": payment.registration.expected_amount,
        "checks": payment.checks,
        "createdAt": payment.created_at if stored else None,
        "lastCheckedAt": payment.last_checked_at,
        "nextCheckAt": payment.next_check_at,
        "stale": stale or None,
    }
    return PaymentResponse.model_validate(shown)


def outcome_response(
    outcome: Outcome, *, zone: "ZoneInfo | None" = None
) -> PaymentResponse | Unanswered:
    """Return the payment of *outcome* for a caller, or the payId and its problem."""
    if outcome.payment is None:
        problem = problem_of(outcome.error or PayresultError())
        return Unanswered.model_validate({"payId": outcome.pay_id, "problem": problem})
    return payment_response(outcome.payment, zone=zone, stored=outcome.stored, stale=outcome.stale)


def problem_of(error: BaseException) -> Problem:
    """Return the problem document for *error*."""
    kind = next(kind for kind in _KINDS if isinstance(error, kind.error))
    return Problem(
        type=f"urn:payresult:problem:{kind.name}",
        title=kind.title,
        status=kind.status,
        detail=kind.detail or str(error),
        field=getattr(error, "field", None) if isinstance(error, PayresultError) else None,
    )


def retry_after(error: BaseException) -> int | None:
    """Return the seconds after which to ask again, where asking again helps."""
    if isinstance(error, GatewayUnavailable) and error.retry_after is not None:
        return max(round(error.retry_after), 1)
    return DEFAULT_RETRY_AFTER if problem_of(error).status == 503 else None  # noqa: PLR2004 - HTTP's
