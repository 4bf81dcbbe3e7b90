"""Each permission of each function is needed: without it, the function fails as it should.

What Lambda itself does with a role (logs, reading queue and stream) the emulator does by other
means, so that is held on the template alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.integration.conftest import System
from tests.support.template import FUNCTIONS, statements

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient

BY_LAMBDA = {
    *("logs:CreateLogStream", "logs:PutLogEvents"),
    *("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
    *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
    "dynamodb:ListStreams",
}


class Case(NamedTuple):
    """What a function answers without *action*; *answer* takes a payId and provokes it."""

    function: str
    action: str
    answer: Callable[[System, str], object]
    expected: object


def _get(system: System, pay_id: str) -> object:
    """A GET of a payment that is paid and that nobody registered."""
    answer = system.visitor.get(pay_id)
    return answer.status, answer.body.get("type"), system.visitor.item(pay_id)


def _put(system: System, pay_id: str) -> object:
    """A PUT; and whether the payment is stored all the same."""
    answer = system.visitor.put(pay_id)
    return answer.status, answer.body.get("type"), system.visitor.status(pay_id)


def _check(system: System, pay_id: str) -> object:
    """A message about a payment; and the gateway's knowledge of it."""
    answer = _invoke(system, "Checks", {"Records": [{"messageId": "1", "body": _order(pay_id)}]})
    return answer, len(system.gateway.requests(pay_id))


def _list(system: System, pay_id: str) -> object:
    """A message with a list of payments."""
    body = json.dumps({"payIds": [pay_id]})
    return _invoke(system, "Checks", {"Records": [{"messageId": "1", "body": body}]})


def _publish(system: System, pay_id: str) -> object:
    """A record of the stream about an unsent event; and what is noted of the event then."""
    assert system.visitor.get(pay_id).status == 200
    image = {"payId": {"S": pay_id}, "eventState": {"S": "PENDING"}}
    record = {"dynamodb": {"SequenceNumber": "7", "NewImage": image}}
    answer = _invoke(system, "Publisher", {"Records": [record]})
    return answer, system.visitor.item(pay_id)["eventState"]


def _sweep_event(system: System, pay_id: str) -> object:
    """A sweep that finds an unsent event; and what is noted of the event then."""
    assert system.visitor.get(pay_id).status == 200
    system.visitor.end_grace(pay_id)
    answer = _invoke(system, "Sweeper", {})
    return answer, system.visitor.item(pay_id)["eventState"]


def _sweep_check(system: System, pay_id: str) -> object:
    """A sweep that finds a check which is due; and how often the gateway was asked by then."""
    system.visitor.switch_queue(on=False)
    try:
        system.visitor.put(pay_id)
        system.visitor.purge_queue()
        system.visitor.end_grace(pay_id)
        answer = _invoke(system, "Sweeper", {})
    finally:
        system.visitor.switch_queue(on=True)
    return answer, len(system.gateway.requests(pay_id))


INTERNAL = (500, "urn:payresult:problem:internal-error")
BACK = {"batchItemFailures": [{"itemIdentifier": "1"}]}
RECORD_BACK = {"batchItemFailures": [{"itemIdentifier": "7"}]}
BROKE_OFF = "broke off"
READ, WRITE, SEND = "dynamodb:BatchGetItem", "dynamodb:UpdateItem", "sqs:SendMessage*"
PUT_EVENTS, QUERY = "events:PutEvents", "dynamodb:Query"

CASES = [
    Case("Api", READ, _get, (*INTERNAL, {})),
    Case("Api", WRITE, _get, (*INTERNAL, {})),
    Case("Api", SEND, _put, (*INTERNAL, "PENDING")),
    Case("Checks", READ, _check, (BROKE_OFF, 0)),
    Case("Checks", WRITE, _check, (BACK, 0)),
    Case("Checks", SEND, _list, BROKE_OFF),
    Case("Publisher", READ, _publish, (BROKE_OFF, "PENDING")),
    Case("Publisher", WRITE, _publish, (BROKE_OFF, "PENDING")),
    Case("Publisher", PUT_EVENTS, _publish, (RECORD_BACK, "PENDING")),
    Case("Sweeper", READ, _sweep_event, (BROKE_OFF, "PENDING")),
    Case("Sweeper", WRITE, _sweep_event, (BROKE_OFF, "PENDING")),
    Case("Sweeper", QUERY, _sweep_event, (BROKE_OFF, "PENDING")),
    Case("Sweeper", PUT_EVENTS, _sweep_event, (None, "PENDING")),
    Case("Sweeper", SEND, _sweep_check, (BROKE_OFF, 0)),
]


@pytest.fixture(scope="module")
def system_alone(system: System) -> Iterator[System]:
    """The system with its stream off: it sends events only where a case tells it to."""
    system.visitor.switch_stream(on=False)
    yield system
    system.visitor.switch_stream(on=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.function}-{case.action}")
def test_a_function_fails_as_it_should_without_a_permission(
    system_alone: System, case: Case
) -> None:
    """What it could not do is left to be done: nothing is noted that did not happen."""
    pay_id = f"paid-no{case.action.rpartition(':')[2].rstrip('*')}{case.function}"
    with _without(system_alone, case.function, case.action):
        assert case.answer(system_alone, pay_id) == case.expected


def test_there_is_a_case_for_each_permission() -> None:
    """What nobody would miss, nobody needs."""
    held = {
        (function, action)
        for function in FUNCTIONS
        for statement in statements(f"{function}Role")
        for action in _list_of(statement["Action"])
        if action not in BY_LAMBDA
    }
    assert {(case.function, case.action) for case in CASES} == held


def _order(pay_id: str) -> str:
    return json.dumps({"payId": pay_id})


def _list_of(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


def _invoke(system: System, function: str, event: dict[str, Any]) -> object:
    """What the function returns, or that an error ended it."""
    functions: LambdaClient = system.sandbox.account.client("lambda")
    name = system.sandbox.stack[f"{function}FunctionName"]
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    said = json.loads(answer["Payload"].read() or b"null")
    return BROKE_OFF if answer.get("FunctionError") else said


@contextmanager
def _without(system: System, function: str, action: str) -> Iterator[None]:
    """Take *action* out of the function's role for a while."""
    iam: IAMClient = system.sandbox.account.client("iam")
    role = system.sandbox.role(f"{function}Role").rpartition("/")[2]
    policy = iam.get_role_policy(RoleName=role, PolicyName="own")["PolicyDocument"]
    whole = json.dumps(policy)
    less = json.loads(whole)
    for statement in less["Statement"]:
        statement["Action"] = [it for it in _list_of(statement["Action"]) if it != action]
    less["Statement"] = [it for it in less["Statement"] if it["Action"]]
    assert json.dumps(less) != whole
    iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(less))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=whole)
