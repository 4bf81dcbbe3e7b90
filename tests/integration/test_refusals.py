"""What the deployed system refuses, and how it says so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from sandbox.client import Client, HttpResponse
from sandbox.credentials import Account
from sandbox.signing_proxy import Front
from sandbox.waiting import wait_for
from tests.integration.conftest import VISIBILITY_SECONDS, System

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


def test_malformed_messages_end_in_the_dead_letter_queue_whole(system: System) -> None:
    """Word for word; a list with one bad payId is refused whole; good neighbours are not held."""
    system.sandbox.hide_messages(2)
    try:
        for message in MALFORMED:
            system.visitor.send(message)
        system.visitor.send({"payId": "paid-neighbour"})

        wait_for("the neighbour's event", lambda: system.audit.arrivals("paid-neighbour"), 20)
        wait_for("all of them", lambda: len(system.visitor.dead_letters()) >= len(MALFORMED), 60)
    finally:
        system.sandbox.hide_messages(VISIBILITY_SECONDS)

    assert sorted(system.visitor.dead_letters()) == sorted(MALFORMED)
    touched = ("paid-a", "paid-b", "paid-unknown", "paid-cheap", "paid-good", "paid-many0")
    assert [system.visitor.item(pay_id) for pay_id in touched] == [{}] * len(touched)


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
        (("GET", f"/payments/{'a' * 65}", None), "payId"),
        (("POST", "/payments/query", {"payIds": []}), "payIds"),
        (("POST", "/payments/query", {"payIds": ["paid-odd"] * 101}), "payIds"),
        (("POST", "/payments/query", {"payIds": ["paid-odd", "?"]}), "payIds[1]"),
        (("POST", "/payments/query", {"payIds": ["paid-odd"], "all": True}), "all"),
    ],
    ids=str,
)
def test_a_bad_request_is_a_problem_that_names_the_field(
    system: System, call: tuple[str, str, Any], field: str
) -> None:
    """And nothing is stored, and the gateway is not asked."""
    answer = system.visitor.call(*call)

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status, answer.body["type"], answer.body["field"]) == (
        400,
        "urn:payresult:problem:invalid-input",
        field,
    )
    assert answer.body["detail"].startswith(f"{field}: ")
    assert system.visitor.item("paid-odd") == {}
    assert system.gateway.requests("paid-odd") == []


def test_an_unsigned_call_is_refused(system: System) -> None:
    """The API itself lets nobody in who does not sign."""
    url = f"/_aws/execute-api/{system.sandbox.stack['ApiId']}/payments/paid-unsigned"
    there = replace(system.sandbox, api_url=system.sandbox.account.endpoint)

    answers = [Client(there).call(method, url, {"orderId": "A-17"}) for method in ("GET", "PUT")]

    assert [answer.status for answer in answers] == [403, 403]
    assert system.gateway.requests("paid-unsigned") == []


def test_a_call_with_a_wrong_signature_is_refused(system: System) -> None:
    """The right key id with another secret is nobody."""
    caller = system.sandbox.account.user("forger", "execute-api:Invoke")

    right = _as(system, caller, "paid-rightly-signed")
    wrong = _as(system, replace(caller, secret_access_key="A" * 40), "paid-wrongly-signed")

    assert (right.status, wrong.status) == (200, 403)
    assert system.gateway.requests("paid-wrongly-signed") == []


def test_a_caller_without_the_permission_is_refused(system: System) -> None:
    """A key of this account is not enough."""
    stranger = system.sandbox.account.user("stranger", "sqs:ListQueues")

    assert _as(system, stranger, "paid-stranger").status == 403
    assert system.gateway.requests("paid-stranger") == []


@pytest.mark.parametrize(
    ("role", "may"),
    [("ApiRole", False), ("ChecksRole", False), ("PublisherRole", True), ("SweeperRole", True)],
)
def test_only_publisher_and_sweeper_may_send_events(
    system: System, role: str, *, may: bool
) -> None:
    """The functions that talk to the gateway cannot announce anything."""
    events: EventBridgeClient = _assumed(system, role).client("events")
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


def _as(system: System, caller: Account, pay_id: str) -> HttpResponse:
    """What *caller* gets for a GET, signed with his keys."""
    front = Front(0)
    try:
        front.serve(caller, system.sandbox.stack["ApiId"])
        return Client(replace(system.sandbox, api_url=front.url)).get(pay_id)
    finally:
        front.close()


def _assumed(system: System, logical_name: str) -> Account:
    """Keys of a function's role: its trust is widened to us first, its rights are left alone."""
    account = system.sandbox.account
    role = system.sandbox.role(logical_name)
    iam: IAMClient = account.client("iam")
    iam.update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=json.dumps(TRUST)
    )
    sts: STSClient = account.client("sts")
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return Account(
        account.endpoint, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
    )
