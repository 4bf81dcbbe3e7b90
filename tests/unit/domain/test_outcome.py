"""P8: what logs and metrics say of a check, and what they never say."""

import json
from dataclasses import replace

import pytest

from payresult.domain.decision import GatewayResult
from payresult.domain.outcome import Outcome, QueryResult
from payresult.domain.payment import Registration, Status, StatusChange
from payresult.errors import GatewayUnavailable, InvalidInput, InvalidReply
from payresult.observability import counts, describe, log_fields, measures
from payresult.schemas.requests import parse_message
from tests.support.factories import MINUTE, NOW, PAY_ID, payment, reply

CANARY = "canary-5d1f"
ANSWERS: dict[str, GatewayResult] = {
    "ChecksAnswered": reply(CANARY, payAmount=CANARY, servicePlanShowName=CANARY),
    "ChecksUnanswered": GatewayUnavailable(CANARY, pay_id=PAY_ID),
    "BadReplies": InvalidReply(CANARY, pay_id=PAY_ID),
}


def result(answer: GatewayResult) -> QueryResult:
    """Return the result of a query that was answered a minute after NOW, in 250 ms."""
    return QueryResult(answer, NOW + MINUTE, 250, 0.5)


@pytest.mark.parametrize(("name", "answer"), ANSWERS.items())
def test_each_kind_of_answer_is_counted_and_its_latency_measured(
    name: str, answer: GatewayResult
) -> None:
    """Once each."""
    outcome = Outcome(PAY_ID, payment(), result(answer))
    assert counts(outcome) == {name: 1}
    assert measures(outcome) == {"GatewayLatency": 250}


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (reply("wait"), "LiveChecksAnswered"),
        (GatewayUnavailable("", pay_id=PAY_ID), "LiveChecksFailed"),
        (InvalidReply("", pay_id=PAY_ID), "LiveChecksFailed"),
    ],
)
def test_the_questions_of_callers_are_counted_apart(answer: GatewayResult, name: str) -> None:
    """The gateway's alarms count the checks of the queue: a caller may ask each 2 s."""
    assert counts(Outcome(PAY_ID, payment(), result(answer)), live=True) == {name: 1}


def test_a_payment_that_is_not_paid_after_half_an_hour_is_counted() -> None:
    """An alarm compares their number with that of the paid ones."""
    outcome = Outcome(PAY_ID, payment(), result(reply("wait")), unpaid=True)
    assert counts(outcome) == {"ChecksAnswered": 1, "PaymentsUnpaid": 1}


@pytest.mark.parametrize(
    ("new_status", "name"),
    [
        (Status.SUCCEEDED, "PaymentsSucceeded"),
        (Status.FAILED, "PaymentsFailed"),
        (Status.REVIEW, "PaymentsInReview"),
        (Status.EXPIRED, "PaymentsExpired"),
        (Status.UNRESOLVED, "PaymentsUnresolved"),
    ],
)
def test_each_change_of_status_is_counted(new_status: Status, name: str) -> None:
    """By the check that made it."""
    outcome = Outcome(PAY_ID, payment(new_status), result(reply()), new_status)
    assert counts(outcome) == {"ChecksAnswered": 1, name: 1}


def test_an_unknown_pay_rst_is_counted() -> None:
    """Somebody should find out what it means."""
    outcome = Outcome(PAY_ID, payment(), result(reply("what")), unknown=True)
    assert counts(outcome) == {"ChecksAnswered": 1, "UnknownPayRst": 1}


def test_without_a_query_nothing_is_counted() -> None:
    """A repeated message, a settled payment, a conflict."""
    outcome = Outcome(PAY_ID, payment())
    assert (counts(outcome), measures(outcome)) == ({}, {})


def test_a_success_measures_the_time_to_settle() -> None:
    """From the registration, and the number of checks."""
    settled = payment(Status.SUCCEEDED, checks=3)
    outcome = Outcome(PAY_ID, settled, result(reply()), Status.SUCCEEDED)
    assert measures(outcome) == {"GatewayLatency": 250, "SettleTime": MINUTE, "ChecksToSettle": 3}
    unregistered = replace(
        settled, history=(StatusChange(NOW, Status.PENDING, Status.SUCCEEDED, "api"),)
    )
    outcome = Outcome(PAY_ID, unregistered, result(reply()), Status.SUCCEEDED)
    assert measures(outcome) == {"GatewayLatency": 250}


@pytest.mark.parametrize("answer", ANSWERS.values())
def test_a_log_line_has_no_text_of_the_gateway_or_of_a_customer(answer: GatewayResult) -> None:
    """Only what an operator needs to find the payment (P8)."""
    stored = payment(
        attempt=3, step=5, registration=Registration(CANARY), reply={"payRst": CANARY}, event=CANARY
    )
    fields = log_fields(Outcome(PAY_ID, stored, result(answer)))
    assert fields == {
        "payId": PAY_ID,
        "status": "PENDING",
        "attempt": 3,
        "step": 5,
        "answer": type(answer).__name__,
        "latency": 250,
    }


def test_an_error_is_described_by_its_type_and_its_place() -> None:
    """Its text may hold what a caller sent."""
    with pytest.raises(InvalidInput, match=CANARY) as refused:
        parse_message(f'{{"payId": "1", "{CANARY}": 1}}')
    described = describe(refused.value)
    assert described["error"] == "InvalidInput"
    assert described["where"][-1].startswith("requests.py:")
    fields = log_fields(Outcome(PAY_ID, error=InvalidInput(CANARY, CANARY)))
    assert (fields["payId"], fields["error"]) == (PAY_ID, "InvalidInput")
    assert CANARY not in json.dumps([described, fields])


def test_what_is_not_given_is_absent() -> None:
    """An outcome is of a stored payment, as it is now, until something else is said."""
    outcome = Outcome(PAY_ID)
    assert (outcome.payment, outcome.result, outcome.new_status, outcome.error) == (None,) * 4
    assert (outcome.unknown, outcome.stored, outcome.dropped) == (False, True, False)


def test_a_dropped_follow_up_is_counted() -> None:
    """Somebody erased the payment, or it was never stored."""
    assert counts(Outcome(PAY_ID, dropped=True)) == {"FollowUpsDropped": 1}
