"""The PaymentSucceeded document and its id. Pure.

A payment has one event. Its id depends on nothing but which payment it is, and its text is
frozen in the write that makes the payment SUCCEEDED, so whatever is sent twice is the same
to the byte. Version 1 only ever gains fields.
"""

import json
from typing import TYPE_CHECKING

from payresult.domain.amount import parse_amount
from payresult.domain.event import DETAIL_TYPE, SCHEMA_VERSION, Event, event_id
from payresult.domain.payment import Registration, to_iso8601
from payresult.domain.reply import Reply, package_unit, paid_at, truncate

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MAX_RAW_CHARACTERS = 200
"""How much of a raw field goes out: the five free ones, six bytes a character at worst
(a control character escaped), are then 6,000 bytes of the 8 KiB that an event may have."""


def payment_succeeded(
    reply: Reply,
    registration: Registration,
    *,
    environment: str,
    zone: "ZoneInfo | None",
    observed_at: int,
) -> Event:
    """Return the event of a payment for which *reply* passed every rule of being paid."""
    partner_code, pay_id = reply.fields["partnerCode"], reply.fields["payId"]
    identity = event_id(environment, partner_code, pay_id)
    metadata = {
        "eventId": identity,
        "schemaVersion": SCHEMA_VERSION,
        "environment": environment,
        "idempotencyKey": f"{DETAIL_TYPE}:{environment}:{partner_code}:{pay_id}",
    }
    detail = {"metadata": metadata, "data": _data(reply, registration, zone, observed_at)}
    text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
    return Event(pay_id, identity, text)


def _data(
    reply: Reply, registration: Registration, zone: "ZoneInfo | None", observed_at: int
) -> dict[str, str]:
    raw = {name: truncate(value, MAX_RAW_CHARACTERS) for name, value in reply.fields.items()}
    amount = parse_amount(reply.fields.get("payAmount"))
    known = {
        "partnerCode": raw["partnerCode"],
        "payId": raw["payId"],
        "orderId": registration.order_id,
        "amount": amount.text if amount else None,
        "currency": registration.currency or (amount.currency if amount else None),
        "payAmount": raw.get("payAmount"),
        "payRst": raw["payRst"],
        "payResultDate": raw.get("payResultDate"),
        "paidAt": paid_at(reply.fields.get("payResultDate"), zone),
        "observedAt": to_iso8601(observed_at),
        "packageType": raw.get("packageType"),
        "packageUnit": package_unit(reply.fields.get("packageType")),
        "orderPeriod": raw.get("orderPeriod"),
        "servicePlanShowName": raw.get("servicePlanShowName"),
    }
    return {name: value for name, value in known.items() if value is not None}
