"""Contract of the roles: each permission is needed, and without it nothing false is recorded.

Permissions that Lambda itself uses (logs, reading queue and stream) have no effect on the
emulator, so tests of the template alone cover them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from sandbox.deploy import STACK_NAME
from tests.integration.conftest import System
from tests.support.template import FUNCTIONS, statements

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient

BY_LAMBDA = {
    *("logs:CreateLogStream", "logs:PutLogEvents"),
    *("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
    *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
    "dynamodb:ListStreams",
}


class Case(NamedTuple):
    """The *expected* result of *run* with a payId while *function* lacks *action*."""

    function: str
    action: str
    run: Callable[[System, str], object]
    expected: object


def _get(system: System, pay_id: str) -> object:
    """A GET of a paid payment that is not registered: the response and the stored item."""
    response = system.client.get(pay_id)
    return response.status, response.body.get("type"), system.client.item(pay_id)


def _put(system: System, pay_id: str) -> object:
    """A PUT: the response and the stored status."""
    response = system.client.put(pay_id)
    return response.status, response.body.get("type"), system.client.status(pay_id)


def _check(system: System, pay_id: str) -> object:
    """A message about a payment: the result and the number of requests to the gateway."""
    body = json.dumps({"payId": pay_id})
    result = _invoke(system, "Checks", {"Records": [{"messageId": "1", "body": body}]})
    return result, len(system.gateway.requests(pay_id))


def _list(system: System, pay_id: str) -> object:
    """A message with a list of payments: the result."""
    body = json.dumps({"payIds": [pay_id]})
    return _invoke(system, "Checks", {"Records": [{"messageId": "1", "body": body}]})


def _publish(system: System, pay_id: str) -> object:
    """A stream record about an unsent event: the result and the event's stored state."""
    assert system.client.get(pay_id).status == 200
    image = {"payId": {"S": pay_id}, "eventState": {"S": "PENDING"}}
    record = {"dynamodb": {"SequenceNumber": "7", "NewImage": image}}
    result = _invoke(system, "Publisher", {"Records": [record]})
    return result, system.client.item(pay_id)["eventState"]


def _sweep_event(system: System, pay_id: str) -> object:
    """A sweep with an unsent event: the result and the event's stored state."""
    assert system.client.get(pay_id).status == 200
    system.client.make_due(pay_id)
    result = _invoke(system, "Sweeper", {})
    return result, system.client.item(pay_id)["eventState"]


def _sweep_check(system: System, pay_id: str) -> object:
    """A sweep with a check that is due: the result and the number of requests to the gateway."""
    with system.queue_off():
        system.client.put(pay_id)
        system.client.purge_queue()
        system.client.make_due(pay_id)
        result = _invoke(system, "Sweeper", {})
    return result, len(system.gateway.requests(pay_id))


INTERNAL = (500, "urn:payresult:problem:internal-error")
MESSAGE_FAILED = {"batchItemFailures": [{"itemIdentifier": "1"}]}
RECORD_FAILED = {"batchItemFailures": [{"itemIdentifier": "7"}]}
FUNCTION_ERROR = "function error"
READ, WRITE, SEND = "dynamodb:BatchGetItem", "dynamodb:UpdateItem", "sqs:SendMessage*"
PUT_EVENTS, QUERY = "events:PutEvents", "dynamodb:Query"

CASES = [
    Case("Api", READ, _get, (*INTERNAL, {})),
    Case("Api", WRITE, _get, (*INTERNAL, {})),
    Case("Api", SEND, _put, (*INTERNAL, "PENDING")),
    Case("Checks", READ, _check, (FUNCTION_ERROR, 0)),
    Case("Checks", WRITE, _check, (MESSAGE_FAILED, 0)),
    Case("Checks", SEND, _list, FUNCTION_ERROR),
    Case("Publisher", READ, _publish, (FUNCTION_ERROR, "PENDING")),
    Case("Publisher", WRITE, _publish, (FUNCTION_ERROR, "PENDING")),
    Case("Publisher", PUT_EVENTS, _publish, (RECORD_FAILED, "PENDING")),
    Case("Sweeper", READ, _sweep_event, (FUNCTION_ERROR, "PENDING")),
    Case("Sweeper", WRITE, _sweep_event, (FUNCTION_ERROR, "PENDING")),
    Case("Sweeper", QUERY, _sweep_event, (FUNCTION_ERROR, "PENDING")),
    Case("Sweeper", PUT_EVENTS, _sweep_event, (None, "PENDING")),
    Case("Sweeper", SEND, _sweep_check, (FUNCTION_ERROR, 0)),
]


@pytest.fixture(scope="module")
def passive_system(system: System) -> Iterator[System]:
    """The system with its stream and its schedule off: only the cases invoke the functions."""
    credentials = system.sandbox.credentials
    cloudformation: CloudFormationClient = credentials.client("cloudformation")
    rule = cloudformation.describe_stack_resource(
        StackName=STACK_NAME, LogicalResourceId="SweeperFunctionEveryMinute"
    )["StackResourceDetail"]["PhysicalResourceId"]
    events: EventBridgeClient = credentials.client("events")
    events.disable_rule(Name=rule)
    assert events.describe_rule(Name=rule)["State"] == "DISABLED"
    with system.stream_off():
        yield system
    events.enable_rule(Name=rule)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.function}-{case.action}")
def test_without_a_permission_nothing_false_is_recorded(passive_system: System, case: Case) -> None:
    """The function fails, and the work that it could not do stays to be done."""
    pay_id = f"paid-no{case.action.rpartition(':')[2].rstrip('*')}{case.function}"
    with _without(passive_system, case.function, case.action):
        assert case.run(passive_system, pay_id) == case.expected


def test_there_is_a_case_for_each_permission() -> None:
    """A permission without a case may not be needed."""
    granted = {
        (function, action)
        for function in FUNCTIONS
        for statement in statements(f"{function}Role")
        for action in _list_of(statement["Action"])
        if action not in BY_LAMBDA
    }
    assert {(case.function, case.action) for case in CASES} == granted


def _list_of(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


def _invoke(system: System, function: str, event: dict[str, Any]) -> object:
    """The function's result, or FUNCTION_ERROR."""
    functions: LambdaClient = system.sandbox.credentials.client("lambda")
    name = system.sandbox.stack[f"{function}FunctionName"]
    response = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    result = json.loads(response["Payload"].read() or b"null")
    return FUNCTION_ERROR if response.get("FunctionError") else result


@contextmanager
def _without(system: System, function: str, action: str) -> Iterator[None]:
    """Remove *action* from the function's role, and restore the role on exit."""
    iam: IAMClient = system.sandbox.credentials.client("iam")
    role = system.sandbox.role_arn(f"{function}Role").rpartition("/")[2]
    policy = iam.get_role_policy(RoleName=role, PolicyName="own")["PolicyDocument"]
    original = json.dumps(policy)
    reduced = json.loads(original)
    for statement in reduced["Statement"]:
        statement["Action"] = [it for it in _list_of(statement["Action"]) if it != action]
    reduced["Statement"] = [it for it in reduced["Statement"] if it["Action"]]
    assert json.dumps(reduced) != original
    iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(reduced))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=original)
