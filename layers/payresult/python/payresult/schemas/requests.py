"""What callers send us, checked: bodies of the checks queue and of the HTTP API.

Whatever breaks a rule is an InvalidInput that names the field and the rule. Numbers arrive
as the text they were written in (``strict_json``), so an amount never passes through a float.

The rules are written for pydantic's core, without the models that pydantic puts around it: to
import and make those took 42 ms of each cold start, and these take 2.
"""

from collections.abc import Callable
from typing import Any

from pydantic_core import SchemaValidator, ValidationError
from pydantic_core import core_schema as rule

from payresult import errors, strict_json
from payresult.domain.amount import parse_plain_amount
from payresult.domain.payment import CheckMessage, Registration
from payresult.errors import InvalidInput

MAX_BODY_BYTES = 16 * 1024
MAX_PAY_IDS = 100
MAX_DIGITS = 9

PAY_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
ORDER_ID_PATTERN = r"^[\x21-\x7e]{1,128}$"
CURRENCY_PATTERN = r"^[A-Z]{3}$"

Field = rule.TypedDictField


def _text(value: Any) -> Any:
    if type(value) is str:
        return value
    message = "must be a string"
    raise ValueError(message)


def _amount(value: Any) -> Any:
    if parse_plain_amount(_text(value)):  # zero is no amount to expect
        return value
    message = 'must be more than zero and look like "19.99"'
    raise ValueError(message)


def _whole(value: Any) -> int:
    text = value.text if isinstance(value, strict_json.NumberLiteral) else ""
    if text.isdecimal() and len(text) <= MAX_DIGITS:
        return int(text)
    message = f"must be a whole number of at most {MAX_DIGITS} digits"
    raise ValueError(message)


def _after(check: Callable[[Any], Any], then: rule.CoreSchema) -> rule.CoreSchema:
    return rule.no_info_before_validator_function(check, then)


def _matching(pattern: str) -> rule.CoreSchema:
    return _after(_text, rule.str_schema(pattern=pattern))


def _required(then: rule.CoreSchema) -> Field:
    return rule.typed_dict_field(then)


def _optional(then: rule.CoreSchema) -> Field:
    return rule.typed_dict_field(rule.nullable_schema(then), required=False)


def _object_of(fields: dict[str, Field]) -> SchemaValidator:
    return SchemaValidator(rule.typed_dict_schema(fields, extra_behavior="forbid"))


_PAY_ID = _matching(PAY_ID_PATTERN)
_BY_PAY_ID = {"payId": _required(_PAY_ID)}
_REGISTERED = {
    "orderId": _optional(_matching(ORDER_ID_PATTERN)),
    "expectedAmount": _optional(_after(_amount, rule.any_schema())),
    "currency": _optional(_matching(CURRENCY_PATTERN)),
}

_PATH = _object_of(_BY_PAY_ID)
_REGISTRATION = _object_of(_REGISTERED)
_PAY_IDS = _object_of(
    {"payIds": _required(rule.list_schema(_PAY_ID, min_length=1, max_length=MAX_PAY_IDS))}
)
_ORDER = _object_of(_BY_PAY_ID | _REGISTERED)
_FOLLOW_UP = _object_of(_BY_PAY_ID | {"step": _required(_after(_whole, rule.int_schema(ge=1)))})

_LIST_RULE = f"must be a list of 1 to {MAX_PAY_IDS} payIds"
_RULES = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "list_type": _LIST_RULE,
    "too_short": _LIST_RULE,
    "too_long": _LIST_RULE,
    PAY_ID_PATTERN: "must be 1 to 64 letters, digits, '_' or '-'",
    ORDER_ID_PATTERN: "must be 1 to 128 visible ASCII characters without blanks",
    CURRENCY_PATTERN: 'must be an ISO 4217 code such as "USD"',
}
"""By pydantic's type of error, or by the pattern: its own words are for programmers."""


def parse_registration(text: str | bytes) -> Registration:
    """Return what *text* registers: the body of PUT /payments/{payId}."""
    return _registration(_checked(_REGISTRATION, _body(text)))


def parse_pay_ids(text: str | bytes) -> list[str]:
    """Return the 1 to 100 payIds that *text* names: the body of POST /payments/query."""
    return _listed(_body(text))


def parse_message(body: str) -> CheckMessage | list[str]:
    """Return what a message of the checks queue asks for.

    A check: an order's first one, or our own follow-up. Or 1 to 100 payIds to follow.
    """
    value = _object(body)
    if "payIds" in value:
        return _listed(value)
    if "step" in value:
        follow_up = _checked(_FOLLOW_UP, value)
        return CheckMessage(follow_up["payId"], step=follow_up["step"])
    order = _checked(_ORDER, value)
    return CheckMessage(order["payId"], _registration(order))


def parse_pay_id(text: str | None) -> str:
    """Return *text* if it is a payId."""
    pay_id: str = _checked(_PATH, {"payId": text})["payId"]
    return pay_id


def _registration(fields: dict[str, Any]) -> Registration:
    return Registration(fields.get("orderId"), fields.get("expectedAmount"), fields.get("currency"))


def _listed(value: dict[str, Any]) -> list[str]:
    pay_ids: list[str] = _checked(_PAY_IDS, value)["payIds"]
    return pay_ids


def _body(text: str | bytes) -> dict[str, Any]:
    data = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    if len(data) > MAX_BODY_BYTES:
        raise InvalidInput("body", f"must have at most {MAX_BODY_BYTES} bytes")
    return _object(data)


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        value = strict_json.loads(text)
    except errors.MalformedJson as error:
        raise InvalidInput("body", f"must be JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput("body", "must be a JSON object")
    return value


def _checked(rules: SchemaValidator, value: dict[str, Any]) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = rules.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    else:
        return fields
    field = "".join(f"[{part}]" if isinstance(part, int) else part for part in first["loc"])
    shown = field.encode("ascii", "backslashreplace").decode()[:100]  # it may be a stranger's key
    broken = first.get("ctx", {}).get("pattern", first["type"])
    text = _RULES.get(broken) or first["msg"].removeprefix("Value error, ")
    raise InvalidInput(shown, text)
