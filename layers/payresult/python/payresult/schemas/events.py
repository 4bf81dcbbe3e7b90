"""The PaymentSucceeded event.

A payment has one event. Its id depends on nothing but which payment it is, and its text is
stored by the write that makes the payment SUCCEEDED, so all copies are equal to the byte.
Version 1 only ever gains optional fields.
"""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, WithJsonSchema

from payresult.domain.event import DETAIL_TYPE, SCHEMA_VERSION, Event, event_id
from payresult.domain.payment import Registration
from payresult.domain.reply import Reply, truncate
from payresult.schemas import fields
from payresult.schemas.fields import CODE, PAY_ID, documented

MAX_RAW_CHARACTERS = 200
"""How much of a raw field goes out: the five free ones, six bytes a character at worst
(a control character escaped), are then 6,000 bytes of the 8 KiB that an event may have."""

_KEY = f"^{DETAIL_TYPE}:{CODE}:{CODE}:{PAY_ID}$"
_UUID5 = "^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_Raw = Annotated[
    str,
    AfterValidator(lambda raw: truncate(raw, MAX_RAW_CHARACTERS)),
    documented(maxLength=MAX_RAW_CHARACTERS + len("…[cut]")),
]


class EventMetadata(fields.Outgoing):
    """Which event this is."""

    event_id: Annotated[str, documented(format="uuid", pattern=_UUID5)] = Field(
        description='uuid5(NAMESPACE_URL, "payresult:PaymentSucceeded:1:<environment>:'
        '<partnerCode>:<payId>"). The same for every copy, unlike the id that EventBridge puts '
        "into the envelope."
    )
    schema_version: Annotated[str, WithJsonSchema({"const": SCHEMA_VERSION})] = Field(
        description="The version of this document."
    )
    environment: Annotated[str, documented(pattern=f"^{CODE}$")] = Field(
        description="The deployment's EnvironmentName. Refuse an event of an environment that is "
        "not yours."
    )
    idempotency_key: Annotated[str, documented(pattern=_KEY)] = Field(
        description="PaymentSucceeded:<environment>:<partnerCode>:<payId>. Claim it in the "
        "transaction that has the effect."
    )


class EventData(fields.Outgoing):
    """The payment. Absent means unknown; nothing is ever null.

    Raw fields are as the gateway wrote them, cut at 200 characters and then ending in "…[cut]".
    """

    partner_code: fields.PartnerCode
    pay_id: fields.PayId
    order_id: Annotated[str, documented(pattern=fields.ORDER_ID)] | None = Field(
        None,
        description="The order, as registered. Absent where none was registered before the "
        "payment was found paid.",
    )
    duplicate_of: Annotated[str, documented(pattern=f"^{PAY_ID}$")] | None = Field(
        None,
        description="The payId that the same order was paid with before. Do not act on the order "
        "again: a person has to refund one of the two. Absent where this payment is the first.",
    )
    amount: fields.Amount | None = None
    currency: fields.Currency | None = None
    pay_amount: _Raw | None = Field(None, description="Raw: the amount.")
    pay_rst: Annotated[str, documented(pattern="^[Ss][Uu][Cc][Cc][Ee][Ss][Ss]$")] = Field(
        description='Raw: the result, "success" in upper or lower case.'
    )
    pay_result_date: _Raw | None = Field(
        None, description="Raw: when it was paid, in a time zone that the gateway does not tell."
    )
    paid_at: fields.PaidAt | None = None
    observed_at: fields.UtcTime = Field(
        description="When payresult learnt of it, in UTC (RFC 3339)."
    )
    package_type: _Raw | None = Field(None, description="Raw: the code of the kind of plan.")
    package_unit: fields.PackageUnit | None = None
    order_period: _Raw | None = Field(None, description="Raw: how many of packageUnit.")
    service_plan_show_name: _Raw | None = Field(
        None, description="Raw: the plan's name as customers see it."
    )


class PaymentSucceeded(fields.Outgoing):
    """The detail of the event, version 1. The gateway reports the payment as paid.

    Every copy of it has the same eventId and the same content. Ignore fields that you do not
    know: version 1 only ever gains optional ones.
    """

    metadata: EventMetadata
    data: EventData


def payment_succeeded(
    reply: Reply,
    registration: Registration,
    *,
    environment: str,
    zone: ZoneInfo | None,
    observed_at: int,
    duplicate_of: str | None = None,
) -> Event:
    """Return the event of a payment for which *reply* passed every rule of being paid.

    *duplicate_of* is the payId that its order was paid with before.
    """
    partner_code, pay_id = reply.fields["partnerCode"], reply.fields["payId"]
    identity = event_id(environment, partner_code, pay_id)
    metadata = {
        "eventId": identity,
        "schemaVersion": SCHEMA_VERSION,
        "environment": environment,
        "idempotencyKey": f"{DETAIL_TYPE}:{environment}:{partner_code}:{pay_id}",
    }
    data = fields.reply_values(reply.fields, registration, zone)
    data |= {"duplicateOf": duplicate_of, "observedAt": observed_at}
    detail = PaymentSucceeded.model_validate({"metadata": metadata, "data": data})
    return Event(pay_id, identity, detail.model_dump_json(exclude_none=True))
