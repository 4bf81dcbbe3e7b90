"""Contract of the page's HTTP calls: files, headers, actions and refusals, without a browser."""

import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.packages import ROOT
from sandbox.page.actions import PAID_LATER, SCENARIOS
from sandbox.page.pages import SECURITY_HEADERS
from sandbox.scenarios import ANSWERS, scenario_of_pay_id
from sandbox.waiting import wait_for
from tests.integration.conftest import System

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

POLICY = "default-src 'self'"
NOT_STORED = "Nothing is stored: nobody registered this payment, or its message was not processed."


def fetch(system: System, path: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the response to a GET."""
    address = system.sandbox.api_url.removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, dict(response.headers.items()), response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "content_type", "part"),
    [
        ("/", "text/html; charset=utf-8", b"<h1>payresult</h1>"),
        ("/?payId=paid-1", "text/html; charset=utf-8", b"<h1>payresult</h1>"),
        ("/docs", "text/html; charset=utf-8", b"swagger-ui-bundle.min.js"),
        ("/_page/swagger-ui.min.css", "text/css; charset=utf-8", b".swagger-ui"),
        ("/_page/page.js", "text/javascript; charset=utf-8", b"import"),
        ("/_page/page.css", "text/css; charset=utf-8", b"prefers-color-scheme"),
        ("/_page/icon.svg", "image/svg+xml", b"<svg"),
    ],
)
def test_each_file_is_served_with_the_security_headers(
    system: System, path: str, content_type: str, part: bytes
) -> None:
    """Nothing is loaded from another origin, and no other page may frame it."""
    status, headers, body = fetch(system, path)

    assert (status, headers["Content-Type"]) == (200, content_type)
    assert part in body
    assert headers["Content-Security-Policy"].startswith(POLICY)
    assert SECURITY_HEADERS.items() <= headers.items()


def test_the_api_document_is_the_committed_one(system: System) -> None:
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
        ("POST", "/_page/start", {"scenario": "stolen", "channel": "http"}, 400),
        ("POST", "/_page/start", {"scenario": ["paid"], "channel": "http"}, 400),
        ("POST", "/_page/start", {"scenario": "paid", "channel": "post"}, 400),
        ("POST", "/_page/start", {"scenario": "later", "channel": "sqs"}, 400),
        ("POST", "/_page/start", {"scenario": "later", "check": 1, "channel": "sqs"}, 400),
        ("POST", "/_page/start", {"scenario": "later", "check": 10, "channel": "sqs"}, 400),
        ("POST", "/_page/start", {"scenario": "later", "check": True, "channel": "sqs"}, 400),
        ("POST", "/_page/start", ["paid"], 400),
        ("POST", "/_page/query", "../query", 400),
        ("POST", "/_page/query", None, 400),
        ("POST", "/_page/sweep", 7, 400),
        ("POST", "/_page/play", {"to": "some", "body": "{}"}, 400),
        ("POST", "/_page/play", {"to": "one", "payId": "two words", "body": "{}"}, 400),
        ("POST", "/_page/play", {"to": "all", "status": 99, "body": "{}"}, 400),
        ("POST", "/_page/play", {"to": "all", "headers": "X-A", "body": "{}"}, 400),
        ("POST", "/_page/play", ["all"], 400),
        ("GET", "/_page/state?show=lost", None, 400),
        ("PUT", "/_page/faults/gateway", "yes", 400),
        ("PUT", "/_page/faults/earthquake", True, 400),
        ("PUT", "/_page/faults/gateway", None, 400),
    ],
    ids=str,
)
def test_an_invalid_call_is_refused(
    system: System, method: str, path: str, body: Any, status: int
) -> None:
    """With a message, and without an effect."""
    response = system.client.call(method, path, body)

    assert response.status == status
    assert response.body["message"]
    assert not system.gateway.down
    assert system.gateway.replies() == {}


def test_a_played_reply_is_judged_by_its_rule_and_by_explain(system: System) -> None:
    """Until it is cleared; and a GET of a payment that nobody registered is judged too."""
    saved = 'HTTP/1.1 200 OK\r\nServer: x\r\n\r\n{"payId": "1", "payRst": "success"}'
    result = system.client.call("POST", "/_page/play", {"to": "new", "body": saved}).body
    pay_id = result["payId"]

    def why(pay_id: str) -> list[str]:
        payment = system.client.call("GET", f"/_page/state?payId={pay_id}").body["payment"]
        found: list[str] = payment["explained"]["why"]
        return found

    def rule() -> str | None:
        payment = system.client.call("GET", f"/_page/state?payId={pay_id}").body["payment"]
        found: str | None = payment.get("played", {}).get("rule")
        return found

    assert wait_for("the rule", rule, 20) == "payId is not the one asked for"
    # The log may have the rule before the table has the check.
    answer = "The gateway has not given a valid answer yet."
    wait_for("why", lambda: answer in why(pay_id), 20)

    system.client.call("POST", "/_page/clear", pay_id)
    wait_for("the end", lambda: system.client.status(pay_id) == "SUCCEEDED", 30)
    wait_for("no rule", lambda: rule() is None, 10)

    system.client.call("POST", "/_page/play", {"to": "all", "body": "[]"})
    try:
        assert system.client.get("never-registered").status == 502
    finally:
        system.client.call("POST", "/_page/clear", "*")
    assert why("never-registered") == [NOT_STORED]


@pytest.mark.parametrize("channel", ["http", "sqs"])
def test_a_payment_is_started_with_an_order_and_a_scenario(system: System, channel: str) -> None:
    """The scenario is in its payId, so that curl can use it too."""
    body = {"scenario": "later", "check": 2, "channel": channel}
    result = system.client.call("POST", "/_page/start", body).body
    pay_id = result["payId"]

    def settled() -> bool:
        return system.client.status(pay_id) == "SUCCEEDED"

    wait_for("the payment", settled, 20)
    answers = [each.answer for each in system.gateway.requests(pay_id)]
    assert answers == ["pending", "paid"]
    item = system.client.item(pay_id)
    assert (item["orderId"], item["expectedAmount"]) == (f"page-{pay_id}", "19.99")
    assert pay_id in result["sent"]


def test_each_scenario_of_the_page_is_one_of_the_gateway() -> None:
    """By the rule that maps a payId to its scenario."""
    assert {scenario_of_pay_id(f"{each}-1").answer for each in SCENARIOS} == set(ANSWERS)
    assert {scenario_of_pay_id(f"{each}4-1").at(4) for each in PAID_LATER} == {"paid"}


def test_an_unknown_payment_is_shown_as_empty(system: System) -> None:
    """The page may be opened before the payment is stored."""
    payment = system.client.call("GET", "/_page/state?payId=unknown-1").body["payment"]

    assert payment == {
        "payId": "unknown-1",
        "item": {},
        "explained": {"why": [NOT_STORED], "next": []},
        "event": None,
        "timeline": [],
    }


def test_a_mistake_of_the_sender_breaks_no_guarantee(system: System) -> None:
    """Its message is a dead letter rightly, as `redrive` says; by its field names it looks good."""
    system.client.get("paid-before")  # without any payment there is nothing to judge
    system.client.send({"payIds": ["paid-mistake"], "orderId": "A-17"})
    with system.short_visibility():
        wait_for("the dead letter", system.client.dead_letters, 60)

    def verdict() -> Any:
        found = system.client.call("GET", "/_page/state").body["guarantees"][6]
        return found if "1 that the sender must correct" in found["note"] else None

    found = wait_for("the verdict", verdict, 30)
    assert (found["name"], found["figure"]) == ("P7", "0 valid messages in the DLQ")
    assert found["kept"]


def test_the_sweeper_is_not_run_for_a_finished_payment(system: System) -> None:
    """The result says so, and nothing changes."""
    system.client.get("paid-done")
    wait_for("the event", lambda: system.client.item("paid-done").get("eventState") == "SENT", 20)

    result = system.client.call("POST", "/_page/sweep", "paid-done").body

    assert result == {"got": "the sweeper has nothing to do for this payment"}


def test_a_sweep_that_fails_is_shown_as_failed(system: System) -> None:
    """Lambda responds to it with HTTP 200; the page says why it failed.

    The payment has no result for minutes: what is settled is not swept.
    """
    functions: LambdaClient = system.sandbox.credentials.client("lambda")
    pay_id, name = "refusing9-swept", system.sandbox.stack["SweeperFunctionName"]
    handler = functions.get_function_configuration(FunctionName=name)["Handler"]
    system.client.put(pay_id)
    functions.update_function_configuration(FunctionName=name, Handler="app.absent")
    try:
        swept = system.client.call("POST", "/_page/sweep", pay_id)
    finally:
        functions.update_function_configuration(FunctionName=name, Handler=handler)

    assert swept.status == 502
    assert swept.body["message"].startswith("the sweeper failed: ")
    assert "absent" in swept.body["message"]
    swept = system.client.call("POST", "/_page/sweep", pay_id)
    assert swept.body == {"got": "the sweeper has run"}


def test_the_page_takes_no_events_from_other_subscribers(system: System) -> None:
    """It has a queue of its own; the audit queue gets each event too."""
    system.client.get("paid-shared")

    def on_page() -> bool:
        path = "/_page/state?payId=paid-shared"
        entries = system.client.call("GET", path).body["payment"]["timeline"]
        return any(entry["title"] == "Event arrived" for entry in entries)

    wait_for("the event on the page", on_page, 20)
    wait_for("the event in the audit queue", lambda: system.audit.arrivals("paid-shared"), 20)
    assert json.dumps(system.sandbox.outputs).count("page") == 0
