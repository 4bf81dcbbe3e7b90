"""What more than one schema uses: types of fields, the base of what goes out, a reply's fields.

Requests enforce their rules. What goes out is described and not checked: it was checked when it
came in, and no stored value may keep a payment from being shown or its event from being sent.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from payresult.domain.amount import parse_amount
from payresult.domain.payment import Registration, to_iso8601
from payresult.domain.reply import package_unit, paid_at

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

CODE = "[A-Za-z0-9_-]{1,32}"
"""A partnerCode, or the name of an environment."""
PAY_ID = "[A-Za-z0-9_-]{1,64}"
ORDER_ID = r"^[\x21-\x7e]{1,128}$"
CURRENCY = r"^[A-Z]{3}$"
_DATE_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"


def text(description: str | None = None, **rules: Any) -> WithJsonSchema:
    """Return the JSON Schema of a text: a *description*, and rules that are not checked."""
    told = {"description": description} if description else {}
    return WithJsonSchema({"type": "string"} | told | rules)


PayId = Annotated[
    str,
    Field(
        pattern=f"^{PAY_ID}$",
        description="The gateway's id of the payment.",
        examples=["20190321192436"],
    ),
]
PartnerCode = Annotated[str, text("Our code with the gateway.", pattern=f"^{CODE}$")]
Amount = Annotated[
    str,
    text(
        "payAmount as a decimal number. Absent where payAmount does not parse.",
        pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?$",
    ),
]
Currency = Annotated[
    str,
    text(
        "The registered currency, else the one that payAmount names (ISO 4217). Absent where "
        'neither is known: "$" names none.',
        pattern=CURRENCY,
    ),
]
PaidAt = Annotated[
    str,
    text(
        "payResultDate with its offset (RFC 3339). Absent without the parameter GatewayTimeZone, "
        "or where payResultDate does not parse.",
        format="date-time",
        pattern=rf"{_DATE_TIME}[+-][0-9]{{2}}:[0-9]{{2}}$",
    ),
]
PackageUnit = Annotated[
    str,
    text(
        "What orderPeriod counts. Absent where packageType is unknown. Treat a unit that you do "
        "not know as absent: the gateway may add one.",
        pattern="^[a-z]+(-[a-z]+)*$",
        examples=["day", "month", "quarter", "half-year", "year"],
    ),
]
UtcTime = Annotated[
    str,
    BeforeValidator(to_iso8601),
    text(format="date-time", pattern=rf"{_DATE_TIME}\.[0-9]{{3}}Z$"),
]
"""Made of milliseconds since 1970."""


class Outgoing(BaseModel):
    """A document that payresult sends. None means unknown, and is left out of the JSON."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, serialize_by_alias=True, hide_input_in_errors=True
    )


def interpreted(
    reply: Mapping[str, str], registration: Registration, zone: "ZoneInfo | None"
) -> dict[str, Any]:
    """Return the raw fields of *reply*, and beside them their useful forms, by name."""
    amount = parse_amount(reply.get("payAmount"))
    return {
        **reply,
        "orderId": registration.order_id,
        "amount": amount.text if amount else None,
        "currency": registration.currency or (amount.currency if amount else None),
        "paidAt": paid_at(reply.get("payResultDate"), zone),
        "packageUnit": package_unit(reply.get("packageType")),
    }
