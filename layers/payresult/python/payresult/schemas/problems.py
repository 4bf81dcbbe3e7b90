"""What callers of the HTTP API are told when something is wrong (RFC 9457). Pure.

Types are stable; clients may branch on them. No text of the gateway is in a problem.
"""

from typing import Any, NamedTuple

from payresult.errors import (
    GatewayUnavailable,
    InvalidInput,
    InvalidReply,
    NotRegistered,
    PayresultError,
    RegistrationConflict,
)

Problem = dict[str, Any]

TYPE = "urn:payresult:problem:"
DEFAULT_RETRY_AFTER = 5
"""Seconds: what callers are asked to wait where nobody knows better."""


class _Kind(NamedTuple):
    error: type[BaseException]
    name: str
    status: int
    title: str
    detail: str | None  # None: the error's own text, which is fit for whoever asked


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


def problem_of(error: BaseException) -> Problem:
    """Return the problem document for *error*: ``type title status detail``, and the ``field``."""
    kind = next(kind for kind in _KINDS if isinstance(error, kind.error))
    problem: Problem = {
        "type": TYPE + kind.name,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.detail or str(error),
    }
    field = getattr(error, "field", None)
    return problem | ({} if field is None else {"field": field})


def retry_after(error: BaseException) -> int | None:
    """Return the seconds after which to ask again, where asking again helps."""
    if isinstance(error, GatewayUnavailable) and error.retry_after is not None:
        return max(round(error.retry_after), 1)
    return DEFAULT_RETRY_AFTER if problem_of(error)["status"] == 503 else None  # noqa: PLR2004 - HTTP's
