"""What the page asks of the sandbox, without a browser."""

import http.client
import json
from typing import Any

import pytest

from sandbox.packages import ROOT
from sandbox.page.actions import FATES, LASTING
from sandbox.page.pages import GUARDED
from sandbox.scenarios import ANSWERS, fate_of
from sandbox.waiting import wait_for
from tests.integration.conftest import System

POLICY = "default-src 'self'"


def fetch(system: System, path: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a GET."""
    address = system.sandbox.api_url.removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers.items()), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "kind", "part"),
    [
        ("/", "text/html; charset=utf-8", b"<h1>payresult sandbox</h1>"),
        ("/?payId=paid-1", "text/html; charset=utf-8", b"<h1>payresult sandbox</h1>"),
        ("/docs", "text/html; charset=utf-8", b'<div id="document">'),
        ("/_page/page.js", "text/javascript; charset=utf-8", b"import"),
        ("/_page/page.css", "text/css; charset=utf-8", b"prefers-color-scheme"),
        ("/_page/icon.svg", "image/svg+xml", b"<svg"),
    ],
)
def test_each_file_is_served_under_the_policy(
    system: System, path: str, kind: str, part: bytes
) -> None:
    """Nothing from elsewhere is loaded, and nobody else may frame it."""
    status, headers, body = fetch(system, path)

    assert (status, headers["Content-Type"]) == (200, kind)
    assert part in body
    assert headers["Content-Security-Policy"].startswith(POLICY)
    assert GUARDED.items() <= headers.items()


def test_the_document_is_the_one_that_is_checked_in(system: System) -> None:
    """Byte for byte."""
    status, _, body = fetch(system, "/openapi.json")

    assert status == 200
    assert body == (ROOT / "events" / "openapi.json").read_bytes()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/_page/", None, 404),
        ("GET", "/_page/../pages.py", None, 404),
        ("GET", "/_page/%2e%2e/pages.py", None, 404),
        ("GET", "/_page/start", None, 404),
        ("GET", "/_page/state?payId=two%20words", None, 400),
        ("POST", "/_page/state", {}, 404),
        ("POST", "/", {}, 404),
        ("POST", "/_page/start", {"fate": "stolen", "way": "http"}, 400),
        ("POST", "/_page/start", {"fate": ["paid"], "way": "http"}, 400),
        ("POST", "/_page/start", {"fate": "paid", "way": "post"}, 400),
        ("POST", "/_page/start", {"fate": "later", "way": "sqs"}, 400),
        ("POST", "/_page/start", {"fate": "later", "check": 1, "way": "sqs"}, 400),
        ("POST", "/_page/start", {"fate": "later", "check": 10, "way": "sqs"}, 400),
        ("POST", "/_page/start", {"fate": "later", "check": True, "way": "sqs"}, 400),
        ("POST", "/_page/start", ["paid"], 400),
        ("POST", "/_page/ask", "../query", 400),
        ("POST", "/_page/ask", None, 400),
        ("POST", "/_page/sweep", 7, 400),
        ("PUT", "/_page/faults/gateway", "yes", 400),
        ("PUT", "/_page/faults/earthquake", True, 400),
        ("PUT", "/_page/faults/gateway", None, 400),
    ],
    ids=str,
)
def test_a_call_that_makes_no_sense_is_refused(
    system: System, method: str, path: str, body: Any, status: int
) -> None:
    """With a line that says why, and nothing done."""
    answer = system.visitor.call(method, path, body)

    assert answer.status == status
    assert answer.body["message"]
    assert not system.gateway.down


@pytest.mark.parametrize("way", ["http", "sqs"])
def test_a_payment_is_started_with_an_order_and_a_fate(system: System, way: str) -> None:
    """Its fate is in its payId, so that curl can ask for the same."""
    told = system.visitor.call(
        "POST", "/_page/start", {"fate": "later", "check": 2, "way": way}
    ).body
    pay_id = told["payId"]

    def settled() -> bool:
        return system.visitor.status(pay_id) == "SUCCEEDED"

    wait_for("the payment", settled, 20)
    answers = [seen.answer for seen in system.gateway.requests(pay_id)]
    assert answers == ["pending", "paid"]
    item = system.visitor.item(pay_id)
    assert (item["orderId"], item["expectedAmount"]) == (f"page-{pay_id}", "19.99")
    assert pay_id in told["sent"]


def test_each_fate_of_the_page_is_one_of_the_gateways() -> None:
    """By the same rule that says what a payId of the command line means."""
    assert {fate_of(f"{fate}-1").answer for fate in FATES} == set(ANSWERS)
    assert {fate_of(f"{fate}4-1").at(4) for fate in LASTING} == {"paid"}


def test_an_unknown_payment_is_no_trouble(system: System) -> None:
    """The page may be opened before the payment is there."""
    found = system.visitor.call("GET", "/_page/state?payId=nobody-1").body["payment"]

    assert found == {"payId": "nobody-1", "item": {}, "event": None, "line": []}


def test_the_sweeper_is_not_run_for_what_is_done(system: System) -> None:
    """It is said, and nothing changes."""
    system.visitor.get("paid-done")
    wait_for("the event", lambda: system.visitor.item("paid-done").get("eventState") == "SENT", 20)

    told = system.visitor.call("POST", "/_page/sweep", "paid-done").body

    assert told == {"got": "the sweeper has nothing to do for this payment"}


def test_events_for_the_page_are_missed_by_nobody_else(system: System) -> None:
    """It has a queue of its own: the audit queue gets each event as ever."""
    system.visitor.get("paid-shared")

    def on_page() -> bool:
        path = "/_page/state?payId=paid-shared"
        line = system.visitor.call("GET", path).body["payment"]["line"]
        return any(entry["title"] == "Event arrived" for entry in line)

    wait_for("the event on the page", on_page, 20)
    wait_for("the event in the audit queue", lambda: system.audit.arrivals("paid-shared"), 20)
    assert json.dumps(system.sandbox.outputs).count("page") == 0
