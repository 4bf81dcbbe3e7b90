"""A payment as the HTTP API shows it. Pure. Absent means unknown."""

from typing import TYPE_CHECKING, Any

from payresult.domain.amount import parse_amount
from payresult.domain.payment import Payment, to_iso8601
from payresult.domain.reply import package_unit, paid_at

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_RAW = ("payAmount", "payRst", "payResultDate", "packageType", "orderPeriod", "servicePlanShowName")


def payment_response(
    payment: Payment, *, zone: "ZoneInfo | None" = None, stored: bool = True, stale: bool = False
) -> dict[str, Any]:
    """Return *payment* for a caller: strings, one number (``checks``), and ``stale`` if it is.

    A payment that is not *stored* has no ``createdAt``: nobody registered it.
    """
    amount = parse_amount(payment.reply.get("payAmount"))
    currency = payment.registration.currency or (amount.currency if amount else None)
    shown: dict[str, Any] = {
        "partnerCode": payment.partner_code,
        "payId": payment.pay_id,
        "status": payment.status.value,
        "orderId": payment.registration.order_id,
        "expectedAmount": payment.registration.expected_amount,
        "currency": currency,
        "amount": amount.text if amount else None,
        **{name: payment.reply.get(name) for name in _RAW},
        "paidAt": paid_at(payment.reply.get("payResultDate"), zone),
        "packageUnit": package_unit(payment.reply.get("packageType")),
        "checks": payment.checks,
        "createdAt": to_iso8601(payment.created_at) if stored else None,
        "lastCheckedAt": _iso(payment.last_checked_at),
        "nextCheckAt": _iso(payment.next_check_at),
        "stale": stale or None,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _iso(at: int | None) -> str | None:
    return None if at is None else to_iso8601(at)
