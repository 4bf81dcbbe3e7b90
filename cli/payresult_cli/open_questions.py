"""What the provider's documents leave open, and what one answer says about it. Pure.

Nothing of this is on the provider's page of POST /resultQuery: it shows one ``payRst``, no error,
no limit and no time zone.
"""

from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

from payresult import strict_json
from payresult.domain.decision import is_success
from payresult.domain.reply import Reply, paid_at, truncate
from payresult.errors import MalformedJson
from payresult.gateway.protocol import BYTE_ORDER_MARK, HttpResponse
from payresult_cli.formatting import format_count, format_duration, printable
from payresult_cli.judgement import Judgement

QUESTIONS = {
    "payRst": "Which payRst values are there, and which of them are final?",
    "errorBody": "What do errors look like: HTTP status, body, codes?",
    "payResultDate": "In which time zone is payResultDate?",
    "rateLimit": "How many queries a second are allowed, and is Retry-After sent?",
    "access": "Is the sign checked, and are queries filtered by IP address?",
}

_MAX_CHARACTERS = 200


def findings(response: HttpResponse, judgement: Judgement) -> dict[str, str]:
    """Return what *response* says about each of QUESTIONS."""
    reply = judgement.reply
    return {
        "payRst": _pay_rst(reply),
        "errorBody": "Nothing: this is no error." if reply else _error_body(response),
        "payResultDate": _pay_result_date(reply, response),
        "rateLimit": _rate_limit(response),
        "access": _access(reply, response),
    }


def _pay_rst(reply: Reply | None) -> str:
    if reply is None:
        return "Nothing: this is no reply about the payment."
    if is_success(reply.pay_rst):
        return f'Only the known one: "{printable(reply.pay_rst)}".'
    return f'There is "{_shown(reply.pay_rst)}": ask what it means.'


def _error_body(response: HttpResponse) -> str:
    media_type = _shown(response.headers.get("content-type") or "no content type")
    seen = f"HTTP {response.status}, {media_type}, {format_count(len(response.body), 'byte')}"
    try:
        document = strict_json.loads(response.body.removeprefix(BYTE_ORDER_MARK))
    except MalformedJson:
        return f"{seen}, no JSON."
    if not isinstance(document, dict):
        return f"{seen}, JSON but no object."
    return f"{seen}, a JSON object of: {_shown(', '.join(document)) or 'nothing'}."


def _pay_result_date(reply: Reply | None, response: HttpResponse) -> str:
    text = reply.fields.get("payResultDate") if reply else None
    if text is None:
        return "Nothing: there is no payResultDate."
    shown = _shown(text)
    as_utc = paid_at(text, ZoneInfo("UTC"))
    if as_utc is None:
        return f'"{shown}" is not of the known form (2020-09-17 18:11:10): times will be absent.'
    ahead = _seconds(as_utc, response.headers.get("date", ""))
    if ahead is not None and ahead > 0:
        distance = format_duration(round(ahead * 1000))
        return f'"{shown}", {distance} after the Date header if it were UTC: so it is not UTC.'
    return f'"{shown}": compare it with when you paid. Of itself it does not say.'


def _seconds(as_utc: str, date: str) -> float | None:
    """Return how long after the Date header *as_utc* is, None without such a header."""
    try:
        return (datetime.fromisoformat(as_utc) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None


def _rate_limit(response: HttpResponse) -> str:
    named = [
        f"{_shown(name)}: {_shown(value)}"
        for name, value in response.headers.items()
        if name == "retry-after" or "ratelimit" in name.replace("-", "")
    ]
    status = "HTTP 429, " if response.status == HTTPStatus.TOO_MANY_REQUESTS else ""
    return f"{status}{'; '.join(named) or 'No Retry-After and no RateLimit header'}."


def _access(reply: Reply | None, response: HttpResponse) -> str:
    if reply:
        return "This sign and this address got a reply; the functions' addresses are others."
    if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"HTTP {response.status}: one of them may be the reason."
    return "Nothing."


def _shown(text: str) -> str:
    return truncate(printable(text), _MAX_CHARACTERS)
