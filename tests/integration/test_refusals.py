"""Contract of the API and the queue: what is rejected, how, and who may call."""

import json
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from sandbox.client import Client, HttpResponse
from sandbox.credentials import Credentials
from sandbox.signing_proxy import SigningProxy
from sandbox.waiting import wait_for
from tests.integration.conftest import System

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
        (("PUT", "/payments/paid-odd", {"expectedAmount": 19.99}), "expectedAmount"),
        (("PUT", "/payments/paid-odd", ["19.99"]), "body"),
        (("PUT", "/payments/paid-odd", {"orderId": "A" * 20_000}), "body"),
        (("GET", "/payments/two%20words", None), "payId"),
        (("POST", "/payments/query", {"payIds": ["paid-odd"] * 101}), "payIds"),
        (("POST", "/payments/query", {"payIds": ["paid-odd", "?"]}), "payIds[1]"),
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


@pytest.mark.parametrize(
    ("action", "changed"),
    [("execute-api:Invoke", {"secret_access_key": "A" * 40}), ("sqs:ListQueues", {})],
    ids=["another secret", "without the permission"],
)
def test_only_the_keys_of_a_permitted_user_are_accepted(
    system: System, action: str, changed: dict[str, str]
) -> None:
    """A valid key of the same account is not enough."""
    caller = system.sandbox.credentials.create_user(f"caller-{action[:3]}", action)

    assert _get_as(system, replace(caller, **changed), "paid-not-permitted").status == 403
    assert system.gateway.requests("paid-not-permitted") == []


def _get_as(system: System, caller: Credentials, pay_id: str) -> HttpResponse:
    """The response to a GET that is signed with *caller*'s keys."""
    with closing(SigningProxy(0)) as proxy:
        proxy.start(caller, system.sandbox.stack["ApiId"])
        return Client(replace(system.sandbox, api_url=proxy.url)).get(pay_id)
