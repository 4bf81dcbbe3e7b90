"""Contract of the simulated gateway's control paths: which reply is played, and until when."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.gateway import SimulatedGateway
from sandbox.replies import MAX_BODY_BYTES
from tests.integration.calls import JSON, Response, call, signed_query

SAVED = b"HTTP/1.1 503 Busy\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 7\r\n\r\nlater, {payId}"


@pytest.fixture
def gateway() -> Iterator[SimulatedGateway]:
    """The gateway at a free port."""
    with SimulatedGateway() as running:
        yield running


def query(gateway: SimulatedGateway, pay_id: str) -> Response:
    """The answer to a valid query about *pay_id*."""
    return call(gateway.url, "POST", "/resultQuery", signed_query(pay_id), JSON)


def put(gateway: SimulatedGateway, path: str, document: Any) -> Response:
    """The response to a PUT of JSON."""
    return call(gateway.url, "PUT", path, json.dumps(document).encode(), JSON)


def test_a_saved_reply_is_played_for_one_payment_until_it_is_cleared(
    gateway: SimulatedGateway,
) -> None:
    """With exactly its headers, and the length of the body that is sent."""
    assert call(gateway.url, "PUT", "/_replies/own-1", SAVED).status == 200

    headers = [("X-A", "1"), ("X-A", "2"), ("Content-Length", "12")]
    assert query(gateway, "own-1") == (503, headers, b"later, own-1")
    assert query(gateway, "own-2").status == 200

    assert call(gateway.url, "DELETE", "/_replies/own-1").status == 200
    assert query(gateway, "own-1").document["payRst"] == "success"
    requests = gateway.requests("own-1")
    assert [(each.answer, each.status) for each in requests] == [("played", 503), ("paid", None)]


def test_a_reply_for_all_payments_gives_way_to_that_of_one(gateway: SimulatedGateway) -> None:
    """Each is cleared by itself."""
    put(gateway, "/_replies", {"status": 500, "body": "all"})
    put(gateway, "/_replies/own%3A1", {"body": "one"})

    assert [query(gateway, each).body for each in ("own:1", "never-1")] == [b"one", b"all"]
    playing = call(gateway.url, "GET", "/_replies").document["playing"]
    assert [(each["payId"], each["status"]) for each in playing] == [("*", 500), ("own:1", 200)]

    playing = call(gateway.url, "DELETE", "/_replies").document["playing"]
    assert [each["payId"] for each in playing] == ["own:1"]
    assert query(gateway, "never-1").document["payRst"] == "waiting"


def test_a_gateway_that_is_down_plays_nothing(gateway: SimulatedGateway) -> None:
    """The connection is reset."""
    put(gateway, "/_replies", {"body": "{}"})
    put(gateway, "/_down", document=True)

    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        query(gateway, "own-1")


def test_an_invalid_query_is_rejected_as_before(gateway: SimulatedGateway) -> None:
    """The provider would not answer it so either."""
    put(gateway, "/_replies", {"body": "{}"})

    response = call(gateway.url, "POST", "/resultQuery", b'{"payId": "own-1"}', JSON)

    assert "fields differ" in response.document["message"]


@pytest.mark.parametrize(
    ("path", "document", "status", "text"),
    [
        ("/_replies", {"status": 99}, 400, "status: must be a whole number from 200 to 599"),
        ("/_replies/own-1", {"headers": {"A": "b\nc"}}, 400, "headers: the value of A must not"),
        ("/_replies", {"body": "x" * (MAX_BODY_BYTES + 1)}, 400, "body: may have at most"),
        ("/_replies", {"body": "x" * (7 * MAX_BODY_BYTES)}, 413, "body: may have at most"),
        ("/_reply", {}, 404, "PUT /_replies/{payId}"),
        ("/_scenarios/own-1", {"answer": "odd"}, 400, "answer: must be one of"),
    ],
    ids=["status", "header", "body", "far too large", "path", "scenario"],
)
def test_an_invalid_call_is_refused_with_the_reason(
    gateway: SimulatedGateway, path: str, document: Any, status: int, text: str
) -> None:
    """And nothing is played."""
    response = put(gateway, path, document)

    assert response.status == status
    assert response.document["message"].startswith(text)
    assert gateway.replies() == {}


def test_what_is_declared_as_json_must_be_json(gateway: SimulatedGateway) -> None:
    """A saved file has no content type."""
    response = call(gateway.url, "PUT", "/_replies", SAVED, JSON)

    assert (response.status, response.document) == (400, {"message": "body: must be JSON"})


@pytest.mark.parametrize(
    ("name", "status", "content_type", "retry_after"),
    [
        ("failing", 500, "application/json;charset=UTF-8", None),
        ("busy", 429, "application/json;charset=UTF-8", "2"),
        ("nonsense", 200, "text/html", None),
        ("unclear", 200, "application/json;charset=UTF-8", None),
    ],
)
def test_an_answer_that_means_nothing_has_a_prefix(
    gateway: SimulatedGateway, name: str, status: int, content_type: str, retry_after: str | None
) -> None:
    """Up to the check that the payId names, which is answered as paid."""
    answers = [query(gateway, f"{name}2-1") for _ in range(2)]

    headers = dict(answers[0].headers)
    assert (answers[0].status, headers["Content-Type"]) == (status, content_type)
    assert headers.get("Retry-After") == retry_after
    assert b"payRst" not in answers[0].body
    assert (answers[1].status, answers[1].document["payRst"]) == (200, "success")
