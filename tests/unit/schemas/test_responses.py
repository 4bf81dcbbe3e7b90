"""A payment as the HTTP API shows it."""

from zoneinfo import ZoneInfo

from payresult.domain.payment import CheckError, Registration, Status
from payresult.schemas.responses import payment_response
from tests.support.factories import MINUTE, NOW, PARTNER, PAY_ID, payment

SHANGHAI = ZoneInfo("Asia/Shanghai")
REPLY = {
    "partnerCode": PARTNER,
    "payId": PAY_ID,
    "payRst": "success",
    "payAmount": "$19.99",
    "payResultDate": "2020-09-17 18:11:10",
    "packageType": "4",
    "orderPeriod": "1",
    "servicePlanShowName": "Half a year",
}


def test_shows_all_that_there_is() -> None:
    """Each field of design section 8, and nothing of the table's own."""
    full = payment(
        Status.SUCCEEDED,
        registration=Registration("A-17", "19.99", "USD"),
        reply=REPLY,
        checks=3,
        attempt=2,
        step=3,
        last_checked_at=NOW + MINUTE,
        next_check_at=NOW + 2 * MINUTE,
        last_error=CheckError("bad_reply", NOW, 1, 404),
        event_id="id",
        event="{}",
        event_state="PENDING",
        work_shard="EVENT#1",
        work_at=NOW,
    )
    assert payment_response(full, zone=SHANGHAI, stale=True) == {
        "partnerCode": PARTNER,
        "payId": PAY_ID,
        "status": "SUCCEEDED",
        "orderId": "A-17",
        "expectedAmount": "19.99",
        "currency": "USD",
        "amount": "19.99",
        "payAmount": "$19.99",
        "payRst": "success",
        "payResultDate": "2020-09-17 18:11:10",
        "paidAt": "2020-09-17T18:11:10+08:00",
        "packageType": "4",
        "packageUnit": "half-year",
        "orderPeriod": "1",
        "servicePlanShowName": "Half a year",
        "checks": 3,
        "createdAt": "2026-11-22T10:00:00.123Z",
        "lastCheckedAt": "2026-11-22T10:01:00.123Z",
        "nextCheckAt": "2026-11-22T10:02:00.123Z",
        "stale": True,
    }


def test_absent_means_unknown() -> None:
    """A fresh payment has no field that is null."""
    assert payment_response(payment()) == {
        "partnerCode": PARTNER,
        "payId": PAY_ID,
        "status": "PENDING",
        "checks": 0,
        "createdAt": "2026-11-22T10:00:00.123Z",
    }


def test_a_payment_that_nobody_registered_was_not_created() -> None:
    """What the gateway said of it is shown all the same."""
    shown = payment_response(payment(reply=REPLY, checks=1), stored=False)
    assert "createdAt" not in shown
    assert (shown["amount"], shown["checks"]) == ("19.99", 1)


def test_an_amount_in_a_named_currency_shows_it() -> None:
    """Unless another one is registered, which is then the question."""
    euros = {"payAmount": "EUR 5"}
    assert payment_response(payment(reply=euros))["currency"] == "EUR"
    registered = Registration(currency="USD")
    assert payment_response(payment(reply=euros, registration=registered))["currency"] == "USD"
