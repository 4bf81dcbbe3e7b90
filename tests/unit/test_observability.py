"""P8, metrics: each fact is counted once, whatever is repeated; what logs never say."""

import json
from dataclasses import replace
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics

from payresult.domain.decision import GatewayResult
from payresult.domain.outcome import Outcome, QueryResult
from payresult.domain.payment import Registration, Status, StatusChange
from payresult.errors import GatewayUnavailable, InvalidInput, InvalidReply
from payresult.observability import counts, describe, log_fields, measure, measures, report
from payresult.schemas.requests import parse_message
from tests.support.factories import MINUTE, NOW, PAY_ID, payment, reply


def reported(capsys: pytest.CaptureFixture[str], *outcomes: Outcome) -> dict[str, Any]:
    """Return the metrics that one invocation writes about *outcomes*."""
    metrics = Metrics(service="payresult", namespace="payresult")
    report(outcomes, Logger(service="metrics", level="ERROR"), metrics)
    return flushed(capsys, metrics)


def flushed(capsys: pytest.CaptureFixture[str], metrics: Metrics) -> dict[str, Any]:
    """Return what *metrics* writes at the end of an invocation, values by name."""
    metrics.flush_metrics()
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    (group,) = line["_aws"]["CloudWatchMetrics"]
    return {metric["Name"]: line[metric["Name"]] for metric in group["Metrics"]}


CANARY = "canary-5d1f"
DOWN = GatewayUnavailable(CANARY, pay_id=PAY_ID)
INVALID = InvalidReply(CANARY, pay_id=PAY_ID)
ANSWERS: list[GatewayResult] = [
    *(reply(CANARY, payAmount=CANARY, servicePlanShowName=CANARY), DOWN, INVALID),
]
S = Status.SUCCEEDED
UNREGISTERED = payment(S, history=(StatusChange(NOW, Status.PENDING, S, "api"),))
OF_STATUS = {
    Status.SUCCEEDED: "PaymentsSucceeded",
    Status.FAILED: "PaymentsFailed",
    Status.REVIEW: "PaymentsInReview",
    Status.EXPIRED: "PaymentsExpired",
    Status.UNRESOLVED: "PaymentsUnresolved",
}


def checked(
    answer: GatewayResult, status: Status = Status.PENDING, latency: int = 250, **changed: Any
) -> Outcome:
    """Return the outcome of a query that was answered a minute after NOW."""
    result = QueryResult(answer, NOW + MINUTE, latency, 0.5)
    return Outcome(PAY_ID, payment(status), result, **changed)


@pytest.mark.parametrize(
    ("outcome", "names"),
    [
        *((checked(ANSWERS[0]), ["ChecksAnswered"]), (checked(DOWN), ["ChecksUnanswered"])),
        (checked(INVALID), ["BadReplies"]),
        # not paid after half an hour: an alarm compares their number with that of the paid ones
        (checked(ANSWERS[0], unpaid=True), ["ChecksAnswered", "PaymentsUnpaid"]),
        (checked(ANSWERS[0], unknown=True), ["ChecksAnswered", "UnknownPayRst"]),
        *(
            (checked(reply(), status, new_status=status), ["ChecksAnswered", name])
            for status, name in OF_STATUS.items()
        ),
        # a repeated message, a settled payment, a conflict
        (Outcome(PAY_ID, payment()), []),
        # somebody erased the payment, or it was never stored
        (Outcome(PAY_ID, dropped=True), ["FollowUpsDropped"]),
    ],
)
def test_each_fact_is_counted_once(outcome: Outcome, names: list[str]) -> None:
    """The kind of answer, and each change of status by the check that made it."""
    assert counts(outcome) == dict.fromkeys(names, 1)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (reply("wait"), "LiveChecksAnswered"),
        *((answer, "LiveChecksFailed") for answer in (DOWN, INVALID)),
    ],
)
def test_the_questions_of_callers_are_counted_apart(answer: GatewayResult, name: str) -> None:
    """The gateway's alarms count the checks of the queue: a caller may ask each 2 s."""
    assert counts(checked(answer), live=True) == {name: 1}


@pytest.mark.parametrize(
    ("outcome", "measured"),
    [
        (Outcome(PAY_ID, payment()), {}),  # nobody asked
        *((checked(answer), {"GatewayLatency": 250}) for answer in ANSWERS),
        (
            replace(checked(reply(), new_status=S), payment=payment(S, checks=3)),
            {"GatewayLatency": 250, "SettleTime": MINUTE, "ChecksToSettle": 3},
        ),
        (
            replace(checked(reply(), new_status=S), payment=UNREGISTERED),
            {"GatewayLatency": 250},
        ),
    ],
)
def test_what_an_outcome_measures(outcome: Outcome, measured: dict[str, int]) -> None:
    """The latency of each answer; of a success the time since the registration, if any."""
    assert measures(outcome) == measured


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_log_line_has_no_text_of_the_gateway_or_of_a_customer(answer: GatewayResult) -> None:
    """Only what an operator needs to find the payment (P8)."""
    stored = payment(
        attempt=3, step=5, registration=Registration(CANARY), reply={"payRst": CANARY}, event=CANARY
    )
    fields = log_fields(replace(checked(answer), payment=stored))
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


def test_a_batch_writes_sums_and_every_measured_value(capsys: pytest.CaptureFixture[str]) -> None:
    """A list of ones would be billed by its bytes; percentiles need each latency."""
    batch = [checked(ANSWERS[0], latency=latency, unknown=True) for latency in (80, 90, 700)]
    assert reported(capsys, *batch) == {
        "ChecksAnswered": [3],
        "UnknownPayRst": [3],
        "GatewayLatency": [80, 90, 700],
    }


def test_no_value_is_below_zero(capsys: pytest.CaptureFixture[str]) -> None:
    """Clocks differ, and one negative value takes CloudWatch's percentiles away."""
    settled = payment(Status.SUCCEEDED, created_at=NOW + 2 * MINUTE, checks=1)
    result = QueryResult(reply(), NOW + MINUTE, -3, 0.5)
    written = reported(capsys, Outcome(PAY_ID, settled, result, Status.SUCCEEDED))
    assert (written["GatewayLatency"], written["SettleTime"]) == ([0], [0])
    metrics = Metrics(service="payresult", namespace="payresult")
    measure(metrics, "EventAge", [-1, 5])
    assert flushed(capsys, metrics) == {"EventAge": [0, 5]}
