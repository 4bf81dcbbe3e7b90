"""Contract of the API and the queue: what is rejected, how, and who may call or send events."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from sandbox.client import Client, HttpResponse
from sandbox.credentials import Credentials
from sandbox.signing_proxy import SigningProxy
from sandbox.waiting import wait_for
from tests.integration.conftest import System

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

MALFORMED = (
    "no JSON at all",
    "[]",
    '{"payId": "two words"}',
    '{"payId": 20190321192436}',
    '{"payId": "paid-a", "payId": "paid-b"}',
    '{"payId": "paid-unknown", "amount": "19.99"}',
    '{"payId": "paid-cheap", "expectedAmount": 0}',
    '{"payIds": []}',
    '{"payIds": ["paid-good", "not good"]}',
    json.dumps({"payIds": [f"paid-many{number}" for number in range(101)]}),
)

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com", "AWS": "000000000000"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def test_malformed_messages_end_in_the_dead_letter_queue_unchanged(system: System) -> None:
    """A list with one invalid payId is rejected as a whole; valid messages are not delayed."""
    with system.short_visibility():
        for message in MALFORMED:
            system.client.send(message)
        system.client.send({"payId": "paid-valid"})

        wait_for("the event", lambda: system.audit.arrivals("paid-valid"), 20)
        wait_for("all of them", lambda: len(system.client.dead_letters()) >= len(MALFORMED), 60)

    assert sorted(system.client.dead_letters()) == sorted(MALFORMED)
    named = ("paid-a", "paid-b", "paid-unknown", "paid-cheap", "paid-good", "paid-many0")
    assert [system.client.item(pay_id) for pay_id in named] == [{}] * len(named)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (("PUT", "/payments/paid-odd", {"amount": "19.99"}), "amount"),
        (("PUT", "/payments/paid-odd", {"expectedAmount": "19,99"}), "expectedAmount"),
        (("PUT", "/payments/paid-odd", {"expectedAmount": 19.99}), "expectedAmount"),
        (("PUT", "/payments/paid-odd", {"currency": "usd"}), "currency"),
        (("PUT", "/payments/paid-odd", {"orderId": "two words"}), "orderId"),
        (("PUT", "/payments/paid-odd", ["19.99"]), "body"),
        (("PUT", "/payments/paid-odd", {"orderId": "A" * 20_000}), "body"),
        (("GET", "/payments/two%20words", None), "payId"),
        (("GET", f"/payments/{'a' * 129}", None), "payId"),
        (("POST", "/payments/query", {"payIds": []}), "payIds"),
        (("POST", "/payments/query", {"payIds": ["paid-odd"] * 101}), "payIds"),
        (("POST", "/payments/query", {"payIds": ["paid-odd", "?"]}), "payIds[1]"),
        (("POST", "/payments/query", {"payIds": ["paid-odd"], "all": True}), "all"),
    ],
    ids=str,
)
def test_an_invalid_request_is_a_problem_that_names_the_field(
    system: System, call: tuple[str, str, Any], field: str
) -> None:
    """Nothing is stored, and the gateway is not asked."""
    response = system.client.call(*call)

    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status, response.body["type"], response.body["field"]) == (
        400,
        "urn:payresult:problem:invalid-input",
        field,
    )
    assert response.body["detail"].startswith(f"{field}: ")
    assert system.client.item("paid-odd") == {}
    assert system.gateway.requests("paid-odd") == []


def test_an_unsigned_call_is_rejected(system: System) -> None:
    """By the API itself, without the proxy."""
    url = f"/_aws/execute-api/{system.sandbox.stack['ApiId']}/payments/paid-unsigned"
    direct = Client(replace(system.sandbox, api_url=system.sandbox.credentials.endpoint))

    responses = [direct.call(method, url, {"orderId": "A-17"}) for method in ("GET", "PUT")]

    assert [response.status for response in responses] == [403, 403]
    assert system.gateway.requests("paid-unsigned") == []


def test_a_call_with_a_wrong_signature_is_rejected(system: System) -> None:
    """A valid key id with another secret."""
    caller = system.sandbox.credentials.create_user("caller", "execute-api:Invoke")

    valid = _get_as(system, caller, "paid-rightly-signed")
    invalid = _get_as(system, replace(caller, secret_access_key="A" * 40), "paid-wrongly-signed")

    assert (valid.status, invalid.status) == (200, 403)
    assert system.gateway.requests("paid-wrongly-signed") == []


def test_a_caller_without_the_permission_is_rejected(system: System) -> None:
    """A valid key of the same account is not enough."""
    caller = system.sandbox.credentials.create_user("unpermitted", "sqs:ListQueues")

    assert _get_as(system, caller, "paid-unpermitted").status == 403
    assert system.gateway.requests("paid-unpermitted") == []


@pytest.mark.parametrize(
    ("role", "may"),
    [("ApiRole", False), ("ChecksRole", False), ("PublisherRole", True), ("SweeperRole", True)],
)
def test_only_publisher_and_sweeper_may_send_events(
    system: System, role: str, *, may: bool
) -> None:
    """P2: the functions that ask the gateway cannot send events."""
    events: EventBridgeClient = _assume(system, role).client("events")
    entry: PutEventsRequestEntryTypeDef = {
        "Source": "test",
        "DetailType": "Probe",
        "Detail": json.dumps({"data": {"payId": f"probe-{role}"}}),
        "EventBusName": system.sandbox.stack["EventBusName"],
    }
    if may:
        assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    else:
        with pytest.raises(ClientError, match="events:PutEvents"):
            events.put_events(Entries=[entry])


def _get_as(system: System, caller: Credentials, pay_id: str) -> HttpResponse:
    """The response to a GET that is signed with *caller*'s keys."""
    with closing(SigningProxy(0)) as proxy:
        proxy.start(caller, system.sandbox.stack["ApiId"])
        return Client(replace(system.sandbox, api_url=proxy.url)).get(pay_id)


def _assume(system: System, logical_name: str) -> Credentials:
    """Credentials of a function's role; its trust policy is changed, its permissions are not."""
    credentials = system.sandbox.credentials
    role = system.sandbox.role_arn(logical_name)
    iam: IAMClient = credentials.client("iam")
    iam.update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=json.dumps(TRUST)
    )
    sts: STSClient = credentials.client("sts")
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return Credentials(
        credentials.endpoint, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
    )
