"""P8, contract of the HTTP API: payments, results of a query, problems."""

import json
from dataclasses import replace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from payresult.domain.outcome import Outcome
from payresult.domain.payment import CheckError, Payment, Registration, Status
from payresult.errors import (
    GatewayUnavailable,
    InvalidInput,
    InvalidReply,
    NotRegistered,
    ReadIncomplete,
    RegistrationConflict,
    WriteConflict,
)
from payresult.schemas.responses import (
    Unanswered,
    outcome_response,
    payment_response,
    problem_of,
    retry_after,
)
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


def shown(of: Payment, **how: Any) -> dict[str, Any]:
    """Return *of* as the JSON document that a caller gets."""
    document: dict[str, Any] = json.loads(
        payment_response(of, **how).model_dump_json(exclude_none=True)
    )
    return document


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
        last_error=CheckError("bad_reply", NOW, 1, NOW, "http", 404),
        event_id="id",
        event="{}",
        event_state="PENDING",
        work_shard="EVENT#1",
        work_at=NOW,
    )
    assert shown(full, zone=SHANGHAI) == {
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
    }


def test_a_payment_whose_last_query_was_in_vain_is_stale() -> None:
    """For whoever looks at it."""
    stale = payment(last_answered_at=NOW, last_unanswered_at=NOW + 1)
    assert shown(stale)["stale"] is True
    assert "stale" not in shown(replace(stale, status=Status.SUCCEEDED))


def test_absent_means_unknown() -> None:
    """A fresh payment has no field that is null."""
    assert shown(payment()) == {
        "partnerCode": PARTNER,
        "payId": PAY_ID,
        "status": "PENDING",
        "checks": 0,
        "createdAt": "2026-11-22T10:00:00.123Z",
    }


def test_a_payment_that_nobody_registered_was_not_created() -> None:
    """What the gateway said of it is shown all the same."""
    unknown = shown(payment(reply=REPLY, checks=1), stored=False)
    assert "createdAt" not in unknown
    assert (unknown["amount"], unknown["checks"]) == ("19.99", 1)


@pytest.mark.parametrize(
    ("pay_amount", "registered", "amount", "currency"),
    [
        *(("EUR 5", "USD", "5", "EUR"), ("￥140.00", "USD", "140.00", None)),
        *(("1,234", "USD", "1234", "USD"), (None, "usd", None, "usd")),
    ],
)
def test_the_currency_of_a_payment(
    pay_amount: str | None, registered: str | None, amount: str | None, currency: str | None
) -> None:
    """It never contradicts ``payAmount``. More of it: test_amount."""
    reply = {} if pay_amount is None else {"payAmount": pay_amount}
    answer = shown(payment(reply=reply, registration=Registration("a b", "x", registered)))
    assert (answer.get("amount"), answer.get("currency")) == (amount, currency)
    assert answer["orderId"] == "a b"  # what is stored is shown, though no release would take it


def test_what_cannot_be_shown_is_not_quoted() -> None:
    """Only the code can be to blame; the error may be logged, and quotes nothing of a payment."""
    with pytest.raises(ValidationError) as error:
        payment_response(payment(cast("Status", "CANARY")))
    assert "CANARY" not in str(error.value)


def test_a_result_is_a_payment_or_a_problem() -> None:
    """The payment, if there is one, as it is shown alone."""
    known = payment(reply=REPLY, checks=1)
    outcome = Outcome(PAY_ID, known, stored=False)
    assert outcome_response(outcome) == payment_response(known, stored=False)
    unanswered = outcome_response(Outcome(PAY_ID, error=NotRegistered(PAY_ID)))
    assert unanswered == Unanswered.model_validate(
        {"payId": PAY_ID, "problem": problem_of(NotRegistered(PAY_ID))}
    )
    unknown = outcome_response(Outcome(PAY_ID))
    assert isinstance(unknown, Unanswered)
    assert unknown.problem.status == 503


UNAVAILABLE = "gateway-unavailable"


@pytest.mark.parametrize(
    ("error", "status", "kind", "wait"),
    [
        (InvalidInput("payIds[3]", "must be a string"), 400, "invalid-input", None),
        (RegistrationConflict(PAY_ID, "orderId"), 409, "registration-conflict", None),
        (NotRegistered(PAY_ID), 404, "not-registered", None),
        (GatewayUnavailable("x", pay_id=PAY_ID), 503, UNAVAILABLE, 5),
        (GatewayUnavailable("x", pay_id=PAY_ID, retry_after=0.2), 503, UNAVAILABLE, 1),
        (GatewayUnavailable("x", pay_id=PAY_ID, retry_after=77.6), 503, UNAVAILABLE, 78),
        (GatewayUnavailable("x", pay_id=PAY_ID, retry_after=3600), 503, UNAVAILABLE, 3600),
        (GatewayUnavailable("x", pay_id=PAY_ID, retry_after=3601), 503, UNAVAILABLE, 3600),
        (GatewayUnavailable("x", pay_id=PAY_ID, retry_after=1e10), 503, UNAVAILABLE, 3600),
        (InvalidReply("x", pay_id=PAY_ID, http_status=404), 502, "gateway-bad-reply", None),
        (InvalidReply("x", pay_id=PAY_ID, retry_after=1e10), 502, "gateway-bad-reply", 3600),
        (WriteConflict(PAY_ID), 503, "try-again", 5),
        (ReadIncomplete("x"), 503, "try-again", 5),
        (KeyError("secret"), 500, "internal-error", None),
    ],
)
def test_every_error(error: BaseException, status: int, kind: str, wait: int | None) -> None:
    """With a type to branch on, and the seconds to wait where asking again helps."""
    problem = problem_of(error)
    assert (problem.status, problem.type) == (status, f"urn:payresult:problem:{kind}")
    assert retry_after(error) == wait
    assert (problem.field or "") == getattr(error, "field", "")
    assert (problem.detail == "payIds[3]: must be a string") is isinstance(error, InvalidInput)


def test_an_error_that_is_not_ours_tells_nothing_of_itself() -> None:
    """Its texts may hold what callers must not see."""
    error = RuntimeError("secret")
    error.field = 5  # type: ignore[attr-defined]  # as some library's error may have it
    assert "secret" not in problem_of(error).model_dump_json()
    assert problem_of(error).field is None
