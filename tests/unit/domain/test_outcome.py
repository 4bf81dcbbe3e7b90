"""What logs and metrics say of a check, and what they never say."""

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


def asked(answer: GatewayResult) -> QueryResult:
    """Return a question that was answered a minute after NOW, in 250 ms."""
    return QueryResult(answer, NOW + MINUTE, 250, 0.5)


@pytest.mark.parametrize(("name", "answer"), ANSWERS.items())
def test_each_kind_of_answer_is_counted_and_its_latency_measured(
    name: str, answer: GatewayResult
) -> None:
    """Once."""
    outcome = Outcome(PAY_ID, payment(), asked(answer))
    assert counts(outcome) == {name: 1}
    assert measures(outcome) == {"GatewayLatency": 250}


@pytest.mark.parametrize(
    ("became", "name"),
    [
        (Status.SUCCEEDED, "PaymentsSucceeded"),
        (Status.FAILED, "PaymentsFailed"),
        (Status.REVIEW, "PaymentsInReview"),
        (Status.UNRESOLVED, "PaymentsUnresolved"),
    ],
)
def test_each_change_of_status_is_counted(became: Status, name: str) -> None:
    """By the check that brought it."""
    outcome = Outcome(PAY_ID, payment(became), asked(reply()), became)
    assert counts(outcome) == {"ChecksAnswered": 1, name: 1}


def test_an_unknown_value_is_counted() -> None:
    """Somebody should find out what it means."""
    outcome = Outcome(PAY_ID, payment(), asked(reply("what")), unknown=True)
    assert counts(outcome) == {"ChecksAnswered": 1, "UnknownPayRst": 1}


def test_what_asked_nobody_counts_nothing() -> None:
    """A repeated message, a settled payment, a conflict."""
    outcome = Outcome(PAY_ID, payment())
    assert (counts(outcome), measures(outcome)) == ({}, {})


def test_a_success_tells_how_long_it_took() -> None:
    """From the registration, and after how many checks."""
    settled = payment(Status.SUCCEEDED, checks=3)
    outcome = Outcome(PAY_ID, settled, asked(reply()), Status.SUCCEEDED)
    assert measures(outcome) == {
        "GatewayLatency": 250,
        "SettleTime": MINUTE,
        "ChecksToSettle": 3,
    }
    unregistered = replace(
        settled, history=(StatusChange(NOW, Status.PENDING, Status.SUCCEEDED, "api"),)
    )
    outcome = Outcome(PAY_ID, unregistered, asked(reply()), Status.SUCCEEDED)
    assert measures(outcome) == {"GatewayLatency": 250}


@pytest.mark.parametrize("answer", ANSWERS.values())
def test_a_log_line_has_no_text_of_the_gateway_or_of_a_customer(answer: GatewayResult) -> None:
    """Only what an operator needs to find the payment (P8)."""
    stored = payment(
        attempt=3,
        step=5,
        registration=Registration(CANARY),
        reply={"payRst": CANARY},
        event=CANARY,
    )
    fields = log_fields(Outcome(PAY_ID, stored, asked(answer)))
    assert fields == {
        "payId": PAY_ID,
        "status": "PENDING",
        "attempt": 3,
        "step": 5,
        "answer": type(answer).__name__,
        "latency": 250,
    }


def test_an_error_is_described_by_its_kind_and_its_place() -> None:
    """Its text may hold what a caller sent."""
    with pytest.raises(InvalidInput, match=CANARY) as refused:
        parse_message(f'{{"payId": "1", "{CANARY}": 1}}')
    described = describe(refused.value)
    assert described["error"] == "InvalidInput"
    assert described["where"][-1].startswith("requests.py:")
    fields = log_fields(Outcome(PAY_ID, error=InvalidInput(CANARY, CANARY)))
    assert (fields["payId"], fields["error"]) == (PAY_ID, "InvalidInput")
    assert CANARY not in json.dumps([described, fields])
