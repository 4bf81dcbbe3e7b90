"""Contract of the API's handler with API Gateway and the callers; P7 and P8 for it."""

import base64
import json
from collections.abc import Callable
from functools import cached_property
from types import ModuleType
from typing import Any

import pytest

from payresult.errors import GatewayUnavailable, InvalidReply
from tests.support.factories import NOW, PARTNER, PAY_ID, SECOND, reply
from tests.support.tables import Table
from tests.support.world import Said, World
from tests.unit.handlers.conftest import Load, Output, Start

Answer = tuple[int, dict[str, Any], dict[str, str]]
"""Status, document and headers of a response."""

CANARY = "canary-5d1f"
PROBLEM = "urn:payresult:problem:"


class Api:
    """The api function with the service of a World."""

    def __init__(self, load: Load, world: World) -> None:
        self._load = load
        self.world = world

    @cached_property
    def app(self) -> ModuleType:
        """The module, loaded at its first use, in the test itself."""
        app = self._load("api")
        app.handler.service = self.world.service
        return app

    def call(
        self,
        route: str,
        body: object = None,
        pay_id: str | None = PAY_ID,
        *,
        encoded: bool = False,
        query: dict[str, str] | None = None,
    ) -> Answer:
        """Return the response to a request; without *query* its event has no such field."""
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route,
            "pathParameters": None if pay_id is None else {"payId": pay_id},
            "isBase64Encoded": encoded,
        }
        if query is not None:
            event["queryStringParameters"] = query
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        answer = self.app.handler(event, None)
        assert answer["headers"]["Cache-Control"] == "no-store"
        assert answer["body"].endswith("}\n")  # or a terminal shows the prompt beside it
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]

    def get(self, pay_id: str | None = PAY_ID) -> Answer:
        """GET a payment."""
        return self.call("GET /payments/{payId}", pay_id=pay_id)

    def wait(self, seconds: str | None = "20", pay_id: str | None = PAY_ID) -> Answer:
        """GET a payment, and wait; None: without a query string."""
        query = None if seconds is None else {"seconds": seconds}
        return self.call("GET /payments/{payId}/wait", pay_id=pay_id, query=query)

    def put(self, body: object, *, encoded: bool = False) -> Answer:
        """PUT a registration."""
        return self.call("PUT /payments/{payId}", body, encoded=encoded)

    def query(self, body: object) -> Answer:
        """POST a query of several payments."""
        return self.call("POST /payments/query", body, None)


@pytest.fixture
def api(loaded: Load, world: World) -> Api:
    """The api function on the test's own table."""
    return Api(loaded, world)


def assert_problem(answer: Answer, status: int, kind: str) -> dict[str, Any]:
    """Assert that *answer* is this problem (RFC 9457), and return its document."""
    code, document, headers = answer
    assert headers["Content-Type"] == "application/problem+json"
    assert (code, document["status"], document["type"]) == (status, status, PROBLEM + kind)
    assert set(document) - {"field"} == {"type", "title", "status", "detail"}
    assert document["title"]
    assert document["detail"]
    return document


def test_get_returns_what_the_gateway_says(api: Api) -> None:
    """200, and no ``Retry-After`` for a payment that is paid."""
    api.world.says = lambda pay_id: reply(payId=pay_id, payAmount="$5")
    status, shown, headers = api.get()
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert (shown["payId"], shown["status"], shown["amount"]) == (PAY_ID, "SUCCEEDED", "5")
    assert "Retry-After" not in headers


def test_get_of_a_pending_payment_says_when_to_ask_again(api: Api) -> None:
    """In two seconds: no check is made earlier."""
    status, shown, headers = api.get()
    assert (status, shown["status"], headers["Retry-After"]) == (200, "PENDING", "2")
    assert "createdAt" not in shown


@pytest.mark.parametrize(("wanted", "told"), [(None, "2"), (1, "2"), (600, "600"), (9e9, "3600")])
def test_get_of_a_stored_payment_hands_on_what_the_gateway_wants(
    api: Api, wanted: float | None, told: str
) -> None:
    """Its ``Retry-After``, but at most an hour; else a polling app would ask it all the time."""
    api.put({"orderId": "A-17"})
    api.world.checks_enabled = False
    api.world.says = lambda pay_id: GatewayUnavailable("busy", pay_id=pay_id, retry_after=wanted)
    status, shown, headers = api.get()
    assert (status, shown["status"], headers["Retry-After"]) == (200, "PENDING", told)


DOWN = "gateway-unavailable"
BOTH = pytest.mark.parametrize("ask", [Api.get, Api.wait])
"""What GET and a waiting app have in common."""
Ask = Callable[..., Answer]


@pytest.mark.parametrize(
    ("said", "status", "kind", "wait"),
    [
        (GatewayUnavailable(CANARY, pay_id=PAY_ID), 503, DOWN, "5"),
        (GatewayUnavailable(CANARY, pay_id=PAY_ID, retry_after=30), 503, DOWN, "30"),
        (GatewayUnavailable(CANARY, pay_id=PAY_ID, retry_after=0), 503, DOWN, "1"),
        (InvalidReply(CANARY, pay_id=PAY_ID), 502, "gateway-bad-reply", None),
    ],
)
@BOTH
def test_without_a_reply_and_a_stored_payment_the_answer_is_503_or_502(
    api: Api, ask: Ask, said: Said, status: int, kind: str, wait: str | None
) -> None:
    """At once, and without any text of the gateway."""
    api.world.says = lambda _: said
    answer = ask(api)
    assert CANARY not in json.dumps(assert_problem(answer, status, kind))
    assert (answer[2].get("Retry-After"), api.world.now) == (wait, NOW)


@BOTH
def test_404_where_registration_is_required(loaded: Load, table: Table, ask: Ask) -> None:
    """A payId can be guessed: the gateway is not asked, and nothing is stored."""
    api = Api(loaded, World(table, require_registration=True))
    assert_problem(ask(api), 404, "not-registered")
    assert (api.world.asked, table.scan()) == ([], [])


def test_the_deployment_decides_that_registration_is_required(
    start: Start, aws: dict[str, str]
) -> None:
    """By the variable of the template."""
    app = start("api", REQUIRE_REGISTRATION="true", **aws)
    event = {"routeKey": "GET /payments/{payId}", "pathParameters": {"payId": PAY_ID}}
    assert app.handler(event, None)["statusCode"] == 404


def test_the_deployment_decides_in_which_zone_it_was_paid(
    start: Start, aws: dict[str, str], world: World
) -> None:
    """By the variable of the template."""
    world.says = lambda _: reply(payResultDate="2026-11-22 18:00:00")
    world.get()
    app = start("api", GATEWAY_TIME_ZONE="Asia/Shanghai", **aws)
    event = {"routeKey": "GET /payments/{payId}", "pathParameters": {"payId": PAY_ID}}
    shown = json.loads(app.handler(event, None)["body"])
    assert (shown["status"], shown["paidAt"]) == ("SUCCEEDED", "2026-11-22T18:00:00+08:00")


@pytest.mark.parametrize("pay_id", ["a:b", "a.b~c", "a" * 128])
def test_a_pay_id_is_taken_as_api_gateway_decodes_it(api: Api, table: Table, pay_id: str) -> None:
    """An HTTP API decodes path parameters: a caller may write ``%3A`` or a colon."""
    status, shown, _ = api.call("PUT /payments/{payId}", {}, pay_id)
    assert (status, shown["payId"]) == (202, pay_id)
    status, shown, _ = api.get(pay_id)
    assert (status, shown["payId"]) == (200, pay_id)
    assert [each for each, _ in api.world.asked] == [pay_id]
    assert [item["pk"] for item in table.scan()] == [f"{PARTNER}#{pay_id}"]


@pytest.mark.parametrize("pay_id", ["a b", "", "a%3Ab", None])
@BOTH
def test_a_bad_pay_id_is_400(api: Api, ask: Ask, pay_id: str | None) -> None:
    """Field and rule are named, and the gateway is not asked."""
    document = assert_problem(ask(api, pay_id=pay_id), 400, "invalid-input")
    assert document["field"] == "payId"
    assert document["detail"].startswith("payId: ")
    assert api.world.asked == []


def test_a_waiting_app_gets_the_result_when_it_is_there(api: Api) -> None:
    """The body is that of GET; no ``Retry-After`` for what is paid."""
    api.put({"orderId": "A-17"})
    api.world.checks_enabled = False
    api.world.says = lambda pay_id: reply(
        "success" if api.world.now > NOW + 3 * SECOND else "wait", payId=pay_id
    )
    status, shown, headers = api.wait()
    assert (status, shown["status"], api.world.now) == (200, "SUCCEEDED", NOW + 5600)
    assert "Retry-After" not in headers
    assert api.get()[1] == shown


def test_a_waiting_app_gets_pending_when_its_time_is_up(api: Api) -> None:
    """It has waited already, so there is no ``Retry-After``; the body is that of GET."""
    api.put({"orderId": "A-17"})
    status, shown, headers = api.wait("1")
    assert (status, shown["status"], api.world.now) == (200, "PENDING", NOW + SECOND)
    assert "Retry-After" not in headers
    assert api.get()[1] == shown


def test_waiting_for_what_nobody_registered_says_when_to_ask_again(api: Api) -> None:
    """At once, as GET does: else an app that calls again would never pause."""
    status, shown, headers = api.wait()
    assert (status, shown["status"], api.world.now) == (200, "PENDING", NOW)
    assert headers["Retry-After"] == "2"


def test_a_gateway_that_is_down_is_a_stale_answer_to_who_waits(api: Api, output: Output) -> None:
    """Not an error (P7); each question is counted."""
    api.put({"expectedAmount": "5"})
    api.world.checks_enabled = False
    api.world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    output()
    status, shown, headers = api.wait()
    assert (status, shown["status"], shown["stale"]) == (200, "PENDING", True)
    assert "Retry-After" not in headers
    assert sum(output().metrics["LiveChecksFailed"]) == 8


def test_a_table_that_fails_while_an_app_waits_is_a_warning(api: Api, output: Output) -> None:
    """The app is told what was known; the API did not fail."""
    api.put({})
    output()

    def before(call: str) -> None:
        if api.world.now > NOW and call == "batch_get_item":
            raise ZeroDivisionError(CANARY)

    api.world.before = before
    status, shown, _ = api.wait("3")
    assert (status, shown["status"]) == (200, "PENDING")
    written = output()
    assert [line["level"] for line in written.logged] == ["INFO", "WARNING"]
    assert written.logged[-1]["error"] == "ZeroDivisionError"
    assert "ApiFailures" not in written.metrics
    assert CANARY not in written.text


@pytest.mark.parametrize("seconds", ["abc", "-1", "999", "", None, "1,2", "0", "21"])
def test_bad_seconds_are_400(api: Api, seconds: str | None) -> None:
    """Field and rule are named, and nobody is asked. ``1,2``: the parameter came twice."""
    document = assert_problem(api.wait(seconds), 400, "invalid-input")
    assert document["field"] == "seconds"
    assert document["detail"] == "seconds: must be one whole number from 1 to 20"
    assert api.world.asked == []


def test_where_nobody_may_wait_the_answer_is_404(start: Start, world: World) -> None:
    """A type of its own, for an app that then asks by GET; whatever the seconds."""
    app = start("api", MAX_WAIT_SECONDS="0")
    app.handler.service = world.service
    api = Api(lambda _: app, world)
    for seconds in ("20", "abc", None):
        document = assert_problem(api.wait(seconds), 404, "waiting-off")
        assert "GET /payments/{payId}" in document["detail"]
    assert world.asked == []


def test_put_registers_and_follows(api: Api, table: Table) -> None:
    """202 with the payment; the same request again is 202. Every field is optional."""
    for nothing in (None, "", "{}"):
        assert api.put(nothing)[0] == 202
    body = {"orderId": "A-17", "expectedAmount": "19.99", "currency": "USD"}
    for _ in range(2):
        status, shown, headers = api.put(body)
        assert (status, headers["Content-Type"]) == (202, "application/json")
        assert body.items() <= shown.items()
        assert (shown["status"], shown["checks"]) == ("PENDING", 0)
    assert table.item()["orderId"] == "A-17"
    api.world.run(0)
    assert len(api.world.asked) == 1


def test_put_of_another_value_is_409(api: Api) -> None:
    """The field is named; the registered value is not."""
    api.put({"orderId": CANARY})
    document = assert_problem(api.put({"orderId": "other"}), 409, "registration-conflict")
    assert document["field"] == "orderId"
    assert CANARY not in json.dumps(document)


BIG = '{"orderId": "A"' + " " * 16384 + "}"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *(("nonsense", "body"), (BIG, "body"), ({"payId": PAY_ID}, "payId")),
        *(({"expectedAmount": "$5"}, "expectedAmount"), ({"status": "SUCCEEDED"}, "status")),
    ],
)
def test_a_bad_body_is_400(api: Api, table: Table, body: object, field: str) -> None:
    """Field and rule are named, and nothing is stored. ``test_requests`` has every body."""
    document = assert_problem(api.put(body), 400, "invalid-input")
    assert document["field"] == field
    assert table.scan() == []


def test_a_body_may_be_base64(api: Api, table: Table) -> None:
    """API Gateway encodes what it takes for binary."""
    encoded = base64.b64encode(b'{"orderId": "A-17"}').decode()
    assert api.put(encoded, encoded=True)[0] == 202
    assert table.item()["orderId"] == "A-17"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        *((body, "body: ") for body in ("%%%", "a", "é", base64.b64encode(b"\xff\xfe").decode())),
        (base64.b64encode(BIG.encode()).decode(), "16384 bytes"),
    ],
)
def test_bad_base64_is_400(api: Api, body: str, rule: str) -> None:
    """So is base64 of a text that is no JSON in UTF-8, or has over 16 KiB as the caller sent it."""
    document = assert_problem(api.put(body, encoded=True), 400, "invalid-input")
    assert document["field"] == "body"
    assert rule in document["detail"]


def test_query_returns_results_in_the_order_asked(api: Api, table: Table, output: Output) -> None:
    """A payment or a problem for each; a repeated payId once. A fault of ours is an error."""
    api.world.register("b")
    api.world.register("c")
    table.change("c", schemaVersion=2)
    said: dict[str, Said] = {"a": reply(payId="a"), "d": GatewayUnavailable(CANARY, pay_id="d")}
    api.world.says = lambda pay_id: said.get(pay_id, reply("wait", payId=pay_id))
    status, document, _ = api.query({"payIds": ["d", "a", "b", "a", "c"]})
    assert status == 200
    assert list(document) == ["results"]
    down, paid, waits, unreadable = document["results"]
    assert (down["payId"], down["problem"]["type"]) == ("d", PROBLEM + "gateway-unavailable")
    assert set(down) == {"payId", "problem"}
    assert (paid["payId"], paid["status"]) == ("a", "SUCCEEDED")
    assert (waits["payId"], waits["status"]) == ("b", "PENDING")
    assert (unreadable["payId"], unreadable["problem"]["status"]) == ("c", 503)
    written = output()
    assert CANARY not in json.dumps(document)
    assert written.metrics["ApiFailures"] == [1]
    faults = [line["error"] for line in written.logged if line["level"] == "ERROR"]
    assert faults == ["UnreadableItem"]


def test_query_accepts_100_pay_ids(api: Api, output: Output) -> None:
    """Each is checked, and each is counted."""
    api.world.says = lambda pay_id: InvalidReply("", pay_id=pay_id)
    status, document, _ = api.query({"payIds": [str(number) for number in range(100)]})
    assert (status, len(document["results"]), len(api.world.asked)) == (200, 100, 100)
    written = output().metrics
    assert sum(written["LiveChecksFailed"]) == 100
    assert len(written["GatewayLatency"]) == 100


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *((None, "body"), ({}, "payIds"), ({"payIds": ["1"] * 101}, "payIds")),
        *(({"payIds": ["1", "a b"]}, "payIds[1]"), ({"payIds": ["1"], "x": 1}, "x")),
    ],
)
def test_a_bad_query_is_400(api: Api, body: object, field: str) -> None:
    """As a whole; the gateway is not asked."""
    assert assert_problem(api.query(body), 400, "invalid-input")["field"] == field
    assert api.world.asked == []


def test_put_is_503_where_sqs_refuses_the_check(api: Api) -> None:
    """With the time after which to repeat the request."""
    api.world.queue.rejects = lambda _: True
    answer = api.put({})
    assert_problem(answer, 503, "try-again")
    assert answer[2]["Retry-After"] == "5"


@pytest.mark.parametrize("route", ["GET /payments/{payId}", "PUT /payments/{payId}"])
def test_an_unexpected_error_is_500(api: Api, output: Output, route: str) -> None:
    """The log has its type and place, the caller neither."""

    def broken(_: str) -> None:
        raise ZeroDivisionError(CANARY)

    api.world.before = broken
    document = assert_problem(api.call(route), 500, "internal-error")
    written = output()
    assert CANARY not in json.dumps(document) + written.text
    assert "Traceback" not in json.dumps(document)
    assert [line["level"] for line in written.logged].count("ERROR") == 1
    [fault] = [line for line in written.logged if line["level"] == "ERROR"]
    assert (fault["message"], fault["error"]) == ("request failed", "ZeroDivisionError")
    assert fault["where"]
    assert written.metrics["ApiFailures"] == [1]


@pytest.mark.parametrize(
    "said", [GatewayUnavailable(CANARY, pay_id=PAY_ID), InvalidReply(CANARY, pay_id=PAY_ID)]
)
def test_others_faults_are_no_errors_of_the_log(api: Api, output: Output, said: Said) -> None:
    """A 503 or 502 that the gateway causes is a warning: its own alarm tells of it."""
    api.world.says = lambda _: said
    assert api.get()[0] in {502, 503}
    assert api.get("a b")[0] == 400
    api.put({"orderId": "A"})
    assert api.put({"orderId": "B"})[0] == 409
    assert api.put({CANARY: "C"})[0] == 400
    written = output()
    assert {line["level"] for line in written.logged} == {"WARNING"}
    assert CANARY not in written.text
    assert "ApiFailures" not in written.metrics


def test_a_refused_answer_is_logged_with_its_rule(api: Api, output: Output) -> None:
    """A fixed text of ours, never what the gateway sent."""
    rule = "the content type is not JSON or plain text"
    api.world.says = lambda _: InvalidReply(CANARY, pay_id=PAY_ID, rule=rule)
    api.get()
    written = output()
    assert [line["rule"] for line in written.logged if "rule" in line] == [rule]
    assert CANARY not in written.text


def test_the_api_counts_and_logs_its_checks(api: Api, output: Output) -> None:
    """payId, status and answer; one dimension, the stack."""
    api.world.says = lambda pay_id: reply(payId=pay_id)
    api.get()
    written = output()
    assert written.metrics == {
        "LiveChecksAnswered": [1],
        "PaymentsSucceeded": [1],
        "GatewayLatency": [0],
    }
    assert written.dimensions == [["service"]]
    [line] = written.logged
    assert (line["payId"], line["status"], line["answer"]) == (PAY_ID, "SUCCEEDED", "Reply")
    assert line["service"] == api.app.handler.logger.service
