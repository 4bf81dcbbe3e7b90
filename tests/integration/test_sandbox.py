"""Contract of the sandbox's proxy and gateway: what each refuses; and P8 in all logs."""

import json
from typing import Any

import pytest

from sandbox.gateway import SimulatedGateway
from sandbox.provider import sign_of
from sandbox.signing_proxy import MAX_BODY_BYTES
from tests.integration.calls import JSON, call
from tests.integration.conftest import System
from tests.support.signs import SIGNED

CANARY = "Singapore 2G 30-Days"
"""A text in each reply of the gateway, which must not be in a log."""


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Host": "payments.example"}, b"", 403),
        ({"Origin": "http://payments.example"}, b"", 403),
        ({"Origin": "null"}, b"", 403),
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({}, b"{}", 415),
        ({"Content-Type": "application/json", "Content-Length": str(MAX_BODY_BYTES + 1)}, b"", 413),
        ({"Content-Type": "application/json", "Content-Length": "-1"}, b"", 411),
        ({"Content-Type": "application/json", "Transfer-Encoding": "chunked"}, b"", 411),
    ],
    ids=str,
)
def test_the_proxy_rejects_what_a_foreign_web_page_could_send(
    system: System, headers: dict[str, str], body: bytes, status: int
) -> None:
    """It signs for every caller, so it restricts who may call."""
    found = call(system.sandbox.api_url, "PUT", "/payments/paid-proxy", body, headers)

    assert found.status == status
    assert system.client.item("paid-proxy") == {}


def test_the_proxy_accepts_json_from_its_own_page(system: System) -> None:
    """Its own origin, and a content type with a charset."""
    url = system.sandbox.api_url
    headers = {"Origin": url, "Content-Type": "application/json; charset=utf-8"}

    found = call(url, "PUT", "/payments/never-proxy", b'{"orderId": "A-17"}', headers)

    assert (found.status, found.document["orderId"]) == (202, "A-17")


@pytest.mark.parametrize(("request_", "sign"), SIGNED.values(), ids=SIGNED)
def test_the_simulated_gateway_signs_as_the_provider_does(
    request_: dict[str, str], sign: str
) -> None:
    """Both examples on the provider's pages that can be recomputed."""
    assert sign_of(request_) == sign


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"sign": "b2a9e697bdff66049803d62ffeffccaf"}, "wrong sign"),
        ({"payId": ""}, "a field is empty or not a string"),
        ({"version": 3}, "a field is empty or not a string"),
        ({"language": "1"}, "fields differ from the six"),
    ],
    ids=str,
)
def test_the_simulated_gateway_rejects_what_its_page_forbids(
    change: dict[str, Any], verdict: str
) -> None:
    """With a reply that has no payment."""
    request: dict[str, Any] = {
        "partnerCode": "P000818",
        "payId": "20190321192436",
        "sign": "1b14a937bc0f0fdbfc0b249ccde42e65",
        "tradeTime": "20181031256548",
        "tradeType": "resultQuery",
        "version": "3.0",
    }
    with SimulatedGateway() as gateway:
        accepted, rejected = (
            call(gateway.url, "POST", "/resultQuery", json.dumps(sent).encode(), JSON).document
            for sent in (request, request | change)
        )
        verdicts = [each.verdict for each in gateway.requests()]

    assert (accepted["payRst"], accepted["payId"]) == ("success", request["payId"])
    assert "payRst" not in rejected
    assert verdicts == ["ok", verdict]


def test_a_script_chooses_the_answers_for_a_payment(system: System) -> None:
    """By the control path, as with curl."""
    url = system.sandbox.gateway_url
    script = b'{"answer": "pending", "paidAtCheck": 2}'
    assert call(url, "PUT", "/_scenarios/scripted", script, JSON).status == 200

    statuses = [system.client.get("scripted").body["status"] for _ in range(2)]

    assert statuses == ["PENDING", "SUCCEEDED"]
    requests = call(url, "GET", "/_requests?payId=scripted").document
    assert [each["answer"] for each in requests] == ["pending", "paid"]


def test_no_sign_and_no_text_of_a_customer_is_in_the_logs(system: System) -> None:
    """Of all requests to the gateway, and of all its replies."""
    system.client.get("paid-logged")
    system.client.get("nonsense-logged")

    logs = system.client.logs()

    assert "paid-logged" in logs
    assert CANARY not in logs
    assert [each for each in system.gateway.requests() if each.sign in logs] == []
