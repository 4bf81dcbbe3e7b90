"""Payments, replies, times and the default schedule, for tests."""

from dataclasses import replace
from typing import Any

from payresult.domain.decision import Rules
from payresult.domain.payment import Payment, Registration, Status, StatusChange
from payresult.domain.reply import Reply
from payresult.domain.schedule import Schedule

PARTNER = "P000818"
PAY_ID = "20190321192436"
NOW = 1_795_341_600_123
"""2026-11-22T10:00:00.123Z in milliseconds, the unit of all times in these tests."""

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

DELAYS = (
    *(12,) * 7,
    *(30, 30, 60, 60, 60, 120, 120, 300, 300, 900, 1800),
    *(3600, 3600, 3600, 7200, 7200, 14400, 28800, 43200),
    *(86400,) * 4,
    172800,
)
"""The default schedule: the delays between answered checks, in seconds."""

RULES = Rules(Schedule(DELAYS), "prod", ("fail",))


def reply(pay_rst: str = "success", **fields: str) -> Reply:
    """Return a reply about PAY_ID, with *fields* in addition to ``payRst``."""
    return Reply({"partnerCode": PARTNER, "payId": PAY_ID, "payRst": pay_rst} | fields)


def payment(status: Status = Status.PENDING, **attributes: Any) -> Payment:
    """Return a payment registered at NOW, with *attributes* replaced."""
    new = Payment(
        partner_code=PARTNER,
        pay_id=PAY_ID,
        status=status,
        registration=Registration(),
        created_at=NOW,
        give_up_at=NOW + 9 * DAY,
        history=(StatusChange(NOW, None, status, "queue"),),
    )
    return replace(new, **attributes)
