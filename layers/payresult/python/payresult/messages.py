"""What callers send us, checked: bodies of the checks queue and of the HTTP API.

Whatever breaks a rule is an InvalidInput that names the field and the rule. Numbers arrive
as the text they were written in (``strictjson``), so an amount never passes through a float.
"""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from payresult import strictjson
from payresult.errors import InvalidInput
from payresult.fields import parse_plain_amount
from payresult.models import CheckMessage, Registration

BODY_LIMIT = 16 * 1024
MOST_DIGITS = 9

PAY_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
ORDER_ID_PATTERN = r"^[\x21-\x7e]{1,128}$"
CURRENCY_PATTERN = r"^[A-Z]{3}$"
AMOUNT_PATTERN = r"^(?!0(\.0{1,2})?$)(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?$"
"""What ``_amount`` takes, for the documents alone: here as a regular expression."""

Model = TypeVar("Model", bound=BaseModel)


def _text(value: Any) -> Any:
    if type(value) is str or value is None:
        return value
    message = "must be a string"
    raise ValueError(message)


def _amount(value: Any) -> Any:
    amount = parse_plain_amount(_text(value)) if value is not None else None
    if value is None or amount:  # zero is no amount to expect
        return value
    message = 'must be more than zero and look like "19.99"'
    raise ValueError(message)


def _whole(value: Any) -> int:
    if isinstance(value, strictjson.Literal) and value.isdecimal() and len(value) <= MOST_DIGITS:
        return int(value)
    message = f"must be a whole number of at most {MOST_DIGITS} digits"
    raise ValueError(message)


# The validator comes last in each of these: it runs first, and pydantic writes into a JSON Schema
# only the rules that stand before it.
PayId = Annotated[
    str,
    Field(
        pattern=PAY_ID_PATTERN,
        description="The gateway's id of the payment.",
        examples=["20190321192436"],
    ),
    BeforeValidator(_text),
]
OrderId = Annotated[
    Annotated[str, Field(pattern=ORDER_ID_PATTERN)] | None,
    Field(description="The order that is paid for, as you call it.", examples=["A-17"]),
    BeforeValidator(_text),
]
ExpectedAmount = Annotated[
    str | None,
    Field(
        description="What the payment should come to; with another amount it goes to REVIEW.",
        examples=["19.99"],
        json_schema_extra={"pattern": AMOUNT_PATTERN},
    ),
    BeforeValidator(_amount),
]
Currency = Annotated[
    Annotated[str, Field(pattern=CURRENCY_PATTERN)] | None,
    Field(description="The ISO 4217 code of the expected amount.", examples=["USD"]),
    BeforeValidator(_text),
]
PayIds = Annotated[
    list[PayId], Field(min_length=1, max_length=100, description="A repeated one counts once.")
]


_LIST_RULE = "must be a list of 1 to 100 payIds"
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


class _Strict(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class RegistrationBody(_Strict):
    """The body of PUT /payments/{payId}: what the payment is for and what it should cost."""

    order_id: OrderId = None
    expected_amount: ExpectedAmount = None
    currency: Currency = None

    def registration(self) -> Registration:
        """Return what is registered."""
        return Registration(self.order_id, self.expected_amount, self.currency)


class PayIdsBody(_Strict):
    """1 to 100 payIds: the body of POST /payments/query, and a message of the checks queue."""

    pay_ids: PayIds


class OrderMessage(RegistrationBody):
    """A message of the checks queue from an order service: follow this payment."""

    pay_id: PayId


class FollowUpMessage(_Strict):
    """A message of the checks queue from payresult to itself: the next check of a payment."""

    pay_id: PayId
    step: Annotated[
        int,
        Field(
            ge=1,
            lt=10**MOST_DIGITS,
            description="Which check of the payment it asks for.",
            examples=[2],
        ),
        BeforeValidator(_whole),
    ]


class _Path(_Strict):
    pay_id: PayId


def parse_body(text: str | bytes, model: type[Model]) -> Model:
    """Return *text*, a JSON object, as *model*."""
    data = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    if len(data) > BODY_LIMIT:
        raise InvalidInput("body", f"must have at most {BODY_LIMIT} bytes")
    return _checked(model, _object(data))


def parse_message(body: str) -> CheckMessage | PayIdsBody:
    """Return what a message of the checks queue asks for."""
    value = _object(body)
    if "payIds" in value:
        return _checked(PayIdsBody, value)
    if "step" in value:
        follow_up = _checked(FollowUpMessage, value)
        return CheckMessage(follow_up.pay_id, step=follow_up.step)
    order = _checked(OrderMessage, value)
    return CheckMessage(order.pay_id, order.registration())


def parse_pay_id(text: str | None) -> str:
    """Return *text* if it is a payId."""
    return _checked(_Path, {"payId": text}).pay_id


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        value = strictjson.loads(text)
    except strictjson.MalformedJson as error:
        raise InvalidInput("body", f"must be JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput("body", "must be a JSON object")
    return value


def _checked(model: type[Model], value: dict[str, Any]) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    field = "".join(f"[{part}]" if isinstance(part, int) else part for part in first["loc"])
    shown = field.encode("ascii", "backslashreplace").decode()[:100]  # it may be a stranger's key
    broken = first.get("ctx", {}).get("pattern", first["type"])
    rule = _RULES.get(broken) or first["msg"].removeprefix("Value error, ")
    raise InvalidInput(shown, rule)
