"""Messages of the checks queue and request bodies of the HTTP API.

What breaks a rule is an InvalidInput that names the field and the rule. Numbers stay as they
were written (``strict_json``), so an amount never passes through a float.
"""

import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from payresult import strict_json
from payresult.domain.amount import PLAIN_AMOUNT, decimals, fits_currency, parse_plain_amount
from payresult.domain.payment import CheckMessage, Registration
from payresult.errors import InvalidInput, MalformedJson
from payresult.schemas.fields import CURRENCY, ORDER_ID, PAY_ID, PayId, documented

MAX_BODY_BYTES = 16 * 1024
MAX_PAY_IDS = 100
MAX_DIGITS = 9

_SECONDS = re.compile("[1-9][0-9]?")  # a repeated parameter comes as "1,2" (payload format 2.0)
_PAY_ID_RULE = "must be 1 to 128 of A-Z a-z 0-9 _ . : ~ - and begin with a letter, digit or '_'"
_LIST_RULE = f"must be a list of 1 to {MAX_PAY_IDS} payIds"
_RULES = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "string_type": "must be a string",
    "list_type": _LIST_RULE,
    "too_short": _LIST_RULE,
    "too_long": _LIST_RULE,
    f"^{PAY_ID}$": _PAY_ID_RULE,
    ORDER_ID: "must be 1 to 128 visible ASCII characters without blanks",
    CURRENCY: 'must be an ISO 4217 code such as "USD"',
}
"""By pydantic's type of error, or by the pattern. pydantic's own messages are for programmers."""


_ENVELOPES = {
    "is an SNS notification: enable raw message delivery for the subscription": (
        "Type",
        "TopicArn",
        "Message",
    ),
    "is an EventBridge event: give the target an InputPath or an InputTransformer": (
        "detail-type",
        "detail",
    ),
}
"""What a message that is packed in another one should be told, by the keys of its envelope (the
pages "Amazon SNS raw message delivery" and "Amazon EventBridge input transformation")."""


def _amount(text: str) -> str:
    if not parse_plain_amount(text):  # zero is no amount to expect
        raise ValueError('must be more than zero and look like "19.99"')
    return text


def _whole(value: Any) -> int:
    text = value.text if isinstance(value, strict_json.NumberLiteral) else ""
    if not text.isdecimal() or len(text) > MAX_DIGITS:
        raise ValueError(f"must be a whole number of at most {MAX_DIGITS} digits")
    return int(text)


_ExpectedAmount = Annotated[
    str,
    AfterValidator(_amount),
    documented(pattern=rf"^(?!0(\.0{{1,4}})?$){PLAIN_AMOUNT}$"),
]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)


class _OfPayment(_Request):
    pay_id: PayId


class RegistrationBody(_Request):
    """The body of PUT /payments/{payId}: what the payment is for and what it should cost."""

    order_id: str | None = Field(
        None, pattern=ORDER_ID, description="Your id of the order.", examples=["A-17"]
    )
    expected_amount: _ExpectedAmount | None = Field(
        None,
        description="What the payment should come to; with another amount it goes to REVIEW. It "
        "has as many decimals as its currency (JPY none, KWD three), two where the request names "
        "none; zeros at the end do not count.",
        examples=["19.99"],
    )
    currency: str | None = Field(
        None, pattern=CURRENCY, description="ISO 4217 code of expectedAmount.", examples=["USD"]
    )

    def registration(self) -> Registration:
        """Return what is registered. Raises InvalidInput for decimals that the currency lacks."""
        if not fits_currency(self.expected_amount, self.currency):
            why = self.currency or "no currency is named"
            rule = f"must have at most {decimals(self.currency)} decimals ({why})"
            raise InvalidInput("expectedAmount", rule)
        return Registration(self.order_id, self.expected_amount, self.currency)


class PayIdsBody(_Request):
    """1 to 100 payIds: the body of POST /payments/query, and a message of the checks queue."""

    pay_ids: list[PayId] = Field(
        min_length=1, max_length=MAX_PAY_IDS, description="A repeated one counts once."
    )


class OrderMessage(RegistrationBody, _OfPayment):
    """A message of the checks queue from an order service: follow this payment."""


class FollowUpMessage(_OfPayment):
    """A message of the checks queue from payresult to itself: the next check of a payment."""

    step: Annotated[int, BeforeValidator(_whole)] = Field(
        ge=1, lt=10**MAX_DIGITS, description="Which check of the payment is due.", examples=[2]
    )


_Model = TypeVar("_Model", bound=_Request)


def parse_registration(text: str | bytes) -> Registration:
    """Return what *text* registers: the body of PUT /payments/{payId}."""
    return _validated(RegistrationBody, _body(text)).registration()


def parse_pay_ids(text: str | bytes) -> list[str]:
    """Return the 1 to 100 payIds that *text* names: the body of POST /payments/query."""
    return _validated(PayIdsBody, _body(text)).pay_ids


def parse_message(body: str) -> CheckMessage | list[str]:
    """Return what a message of the checks queue asks for.

    A check: an order's first one, or our own follow-up. Or 1 to 100 payIds to follow.
    """
    value = _object(body)
    for rule, keys in _ENVELOPES.items():
        if value.keys() >= set(keys):
            raise InvalidInput("body", rule)
    if "payIds" in value:
        return _validated(PayIdsBody, value).pay_ids
    if "step" in value:
        follow_up = _validated(FollowUpMessage, value)
        return CheckMessage(follow_up.pay_id, step=follow_up.step)
    order = _validated(OrderMessage, value)
    return CheckMessage(order.pay_id, order.registration())


def parse_pay_id(text: str | None) -> str:
    """Return *text* if it is a payId."""
    return _validated(_OfPayment, {"payId": text}).pay_id


def parse_wait_seconds(text: str | None, most: int) -> int:
    """Return *text* if it is a number of seconds to wait: 1 to *most*, which has two digits."""
    if text is None or not _SECONDS.fullmatch(text) or int(text) > most:
        raise InvalidInput("seconds", f"must be one whole number from 1 to {most}")
    return int(text)


def _body(text: str | bytes) -> dict[str, Any]:
    data = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    if len(data) > MAX_BODY_BYTES:
        raise InvalidInput("body", f"must have at most {MAX_BODY_BYTES} bytes")
    return _object(data)


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        value = strict_json.loads(text)
    except MalformedJson as error:
        raise InvalidInput("body", f"must be JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput("body", "must be a JSON object")
    return value


def _validated(model: type[_Model], value: dict[str, Any]) -> _Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    field = "".join(f"[{part}]" if isinstance(part, int) else part for part in first["loc"])
    shown = field.encode("ascii", "backslashreplace").decode()[:100]  # it may be any text
    broken = first.get("ctx", {}).get("pattern", first["type"])
    text = _RULES.get(broken) or first["msg"].removeprefix("Value error, ")
    raise InvalidInput(shown, text)
