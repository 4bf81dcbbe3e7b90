"""Shared by the schemas: field types, the base class of outgoing documents, a reply's fields.

Requests are checked. Outgoing documents are described only: their values were checked on the way
in, and no stored value may prevent a payment from being shown or its event from being sent.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from payresult.domain.amount import PLAIN_AMOUNT, currency_of, parse_amount
from payresult.domain.payment import Registration, to_iso8601
from payresult.domain.reply import package_unit, paid_at

CODE = "[A-Za-z0-9_-]{1,32}"
"""A partnerCode, or the name of an environment."""
PAY_ID = "[A-Za-z0-9_][A-Za-z0-9._:~-]{0,127}"
"""The provider promises no form. No ``#``, which separates the parts of a key in the table, no
``-`` at the beginning, which begins an option in a shell, and nothing that a URL has to escape."""
ORDER_ID = r"^[\x21-\x7e]{1,128}$"
CURRENCY = r"^[A-Z]{3}$"
_DATE_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"


def documented(**rules: Any) -> WithJsonSchema:
    """Return the JSON Schema of a text: for the documents only, nothing is checked by it."""
    return WithJsonSchema({"type": "string", **rules})


PayId = Annotated[
    str,
    Field(
        pattern=f"^{PAY_ID}$",
        description="The gateway's id of the payment.",
        examples=["20190321192436"],
    ),
]
PartnerCode = Annotated[
    str, documented(pattern=f"^{CODE}$", description="Our code with the gateway.")
]
Amount = Annotated[
    str,
    documented(
        pattern=f"^{PLAIN_AMOUNT}$",
        description="payAmount as a decimal number. Absent where payAmount does not parse.",
    ),
]
Currency = Annotated[
    str,
    documented(
        pattern=CURRENCY,
        description="The currency that payAmount names, else the registered one (ISO 4217). "
        'Absent where neither is known ("$" names none), or where they contradict each other.',
    ),
]
PaidAt = Annotated[
    str,
    documented(
        format="date-time",
        pattern=rf"{_DATE_TIME}[+-][0-9]{{2}}:[0-9]{{2}}$",
        description="payResultDate with its offset (RFC 3339). Absent without the parameter "
        "GatewayTimeZone, or where payResultDate does not parse.",
    ),
]
PackageUnit = Annotated[
    str,
    documented(
        pattern="^[a-z]+(-[a-z]+)*$",
        description="What orderPeriod counts. Absent where packageType is unknown. Treat a unit "
        "that you do not know as absent: the gateway may add one.",
        examples=["day", "month", "quarter", "half-year", "year"],
    ),
]
UtcTime = Annotated[
    str,
    BeforeValidator(to_iso8601),
    documented(format="date-time", pattern=rf"{_DATE_TIME}\.[0-9]{{3}}Z$"),
]
"""Takes milliseconds since 1970."""


class Outgoing(BaseModel):
    """A document that payresult sends. None means unknown: dump it with ``exclude_none``."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, serialize_by_alias=True, hide_input_in_errors=True
    )


def reply_values(
    reply: Mapping[str, str], registration: Registration, zone: ZoneInfo | None
) -> dict[str, Any]:
    """Return the raw fields of *reply*, and beside them their useful forms, by name."""
    pay_amount = reply.get("payAmount")
    amount = parse_amount(pay_amount, registration.currency)
    return {
        **reply,
        "orderId": registration.order_id,
        "amount": amount.text if amount else None,
        "currency": currency_of(pay_amount, registration.currency),
        "paidAt": paid_at(reply.get("payResultDate"), zone),
        "packageUnit": package_unit(reply.get("packageType")),
    }
