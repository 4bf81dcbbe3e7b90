"""What is sent to the gateway, and what its answer means: pure, no I/O.

A reply counts only if it cannot be read in two ways and is about the payment asked for;
whether that payment is paid is decided elsewhere.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from payresult import strict_json
from payresult.domain.payment import FailureKind
from payresult.domain.reply import Reply
from payresult.errors import GatewayUnavailable, InvalidReply, MalformedJson
from payresult.gateway.signing import sign

REPLY_FIELDS = (
    "partnerCode",
    "payId",
    "payRst",
    "payAmount",
    "payResultDate",
    "orderPeriod",
    "packageType",
    "servicePlanShowName",
)
"""The documented fields of a resultQuery answer (the provider's page of POST /resultQuery)."""

MAX_BODY = 65_536
"""Bytes. A documented answer has about 300."""

_OK = 200
_LATER = (429, *range(500, 600))
_MEDIA_TYPES = {"application/json", "text/json", "text/plain", ""}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_RETRY_AFTER = 1e10
"""Seconds: longer than any wait, and still a number that callers can calculate with."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response: header names in lower case; of *body* at most MAX_BODY + 1 bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def request_body(pay_id: str, *, partner_code: str, now: float) -> bytes:
    """Return the signed query for *pay_id*, as JSON, made at *now* (seconds since 1970)."""
    params = {
        "partnerCode": partner_code,
        "payId": pay_id,
        "tradeTime": str(int(now * 1000)),
        "tradeType": "resultQuery",
        "version": "3.0",
    }
    return json.dumps({**params, "sign": sign(params)}).encode()


class _NotJson(ValueError):
    """What came is no JSON that can be read in one way."""


class _OtherPayment(ValueError):
    """A reply, but not to this query."""


def read_reply(response: HttpResponse, *, pay_id: str, partner_code: str, now: float) -> Reply:
    """Return the reply in *response* to a query for *pay_id*, asked by *partner_code*.

    Raises GatewayUnavailable for HTTP 429, 5xx and what is no JSON, InvalidReply for JSON that is
    no reply; both with ``retry_after`` counted from *now* (seconds since 1970).
    """
    status = response.status
    try:
        document = _document(response)
        _check_head(response)
        fields = _fields(document)
        _check_echo(fields, {"payId": pay_id, "partnerCode": partner_code})
        return Reply({name: _raw(value) for name, value in fields.items()})
    except ValueError as exc:  # all of them written here or in strict_json, without values
        kind = GatewayUnavailable if isinstance(exc, _NotJson) else InvalidReply
        raise kind(
            f"HTTP {status}: {exc}",
            pay_id=pay_id,
            how="http" if status != _OK else _how(exc),
            http_status=status,
            retry_after=_retry_after(response.headers.get("retry-after", ""), now),
            rule=str(exc),
        ) from None


def _how(error: ValueError) -> FailureKind:
    if isinstance(error, _NotJson):
        return "not_json"
    return "other_payment" if isinstance(error, _OtherPayment) else "not_a_reply"


def _document(response: HttpResponse) -> object:
    if response.status in _LATER:
        raise _NotJson("the status asks for another try later")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _NotJson("the content is encoded, which nobody asked for")
    if len(response.body) > MAX_BODY:
        raise _NotJson(f"the body is larger than {MAX_BODY} bytes")
    try:
        return strict_json.loads(response.body.removeprefix(BYTE_ORDER_MARK))
    except MalformedJson as exc:
        raise _NotJson(f"the body: {exc}") from None


def _check_head(response: HttpResponse) -> None:
    if response.status != _OK:
        raise ValueError("the status is not 200")
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if media_type.strip(" \t").lower() not in _MEDIA_TYPES:
        raise ValueError("the content type is not JSON or plain text")


def _fields(document: object) -> dict[str, object]:
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the gateway's fault, not the caller's
    return {name: document[name] for name in REPLY_FIELDS if document.get(name) is not None}


def _check_echo(fields: Mapping[str, object], expected: Mapping[str, str]) -> None:
    for name, value in expected.items():
        found = fields.get(name)
        if found != value:  # a number never equals a text (strict_json.NumberLiteral)
            kind = _OtherPayment if isinstance(found, str) else ValueError
            raise kind(f"{name} is not the one asked for")
    if not isinstance(fields.get("payRst"), str):
        raise ValueError("payRst is not a string")  # noqa: TRY004 - as above


def _raw(value: object) -> str:
    text = value if isinstance(value, str) else strict_json.dumps(value)
    # A plan name cut in the middle of an emoji ends in half a character (a lone surrogate),
    # which no store takes. It is kept as its escape text, so that the reply still counts.
    return text.encode("utf-8", "backslashreplace").decode()


def _retry_after(text: str, now: float) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110, 10.2.3), or None."""
    if re.fullmatch(r"[0-9]+", text):
        return min(float(text), MAX_RETRY_AFTER)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter from a zone like +9999999999999999
        return None
    if when.tzinfo is None:  # an HTTP date is GMT, also in the forms that do not say so
        when = when.replace(tzinfo=UTC)
    wait = when.timestamp() - now
    return wait if wait >= 0 else None
