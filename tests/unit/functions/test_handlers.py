"""Contract of the four handlers with AWS and the API's callers; P7 and P8 for them.

Each handler is loaded as in a cold start, on moto. Where it asks the gateway, its service is that
of a World: the same code with a scripted gateway.
"""

import base64
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from payresult.aws.items import SHARD_COUNT
from payresult.domain.payment import CheckMessage
from payresult.errors import GatewayUnavailable, InvalidInput, InvalidReply
from payresult.handlers import sweeper
from tests.support.factories import HOUR, MINUTE, NOW, PARTNER, PAY_ID, reply
from tests.support.functions import CONTEXT
from tests.support.tables import Table
from tests.support.world import Said, World

CANARY = "canary-5d1f"
PROBLEM = "urn:payresult:problem:"

Start = Callable[..., ModuleType]


@pytest.fixture
def start(load_app: Start, table: Table) -> Start:
    """Return ``start(name, **environ)``, which loads a handler on the test's own table.

    Call it in the test itself: powertools keeps the stdout that it finds, and pytest replaces
    stdout for each phase of a test.
    """

    def start(name: str, **environ: str) -> ModuleType:
        # A service name for each table: powertools keeps one logger, and its stream, for each.
        own = {"TABLE_NAME": table.name, "POWERTOOLS_SERVICE_NAME": table.name}
        return load_app(name, own | environ)

    return start


_LOADED: dict[str, ModuleType] = {}


def loaded(name: str, start: Start) -> ModuleType:
    """Return a handler that is loaded once for all tests: loading is slow."""
    if name not in _LOADED:
        _LOADED[name] = start(name)
    app = _LOADED[name]
    for handler in logging.getLogger(app.handler.logger.service).handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.stream = sys.stdout  # setStream would flush the closed stream
    return app


@dataclass
class Lines:
    """The output of a handler: the lines of its log, and the values of its metrics by name."""

    text: str
    logged: list[dict[str, Any]]
    metrics: dict[str, list[float]]
    dimensions: list[list[str]]


def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Return what was written since the last call."""
    text = capsys.readouterr().out
    parsed = [json.loads(line) for line in text.splitlines()]
    metrics: dict[str, list[float]] = {}
    dimensions = []
    for entry in (line for line in parsed if "_aws" in line):
        for group in entry["_aws"]["CloudWatchMetrics"]:
            assert group["Namespace"] == "payresult"
            dimensions += group["Dimensions"]
            for metric in group["Metrics"]:
                metrics.setdefault(metric["Name"], []).extend(entry[metric["Name"]])
    return Lines(text, [line for line in parsed if "_aws" not in line], metrics, dimensions)


# The API


class Api:
    """The api function with the service of a World."""

    def __init__(self, start: Start, world: World) -> None:
        self._start = start
        self.world = world

    @cached_property
    def app(self) -> ModuleType:
        """The module, loaded at its first use."""
        app = loaded("api", self._start)
        app.handler.service = self.world.service
        return app

    def call(
        self, route: str, body: object = None, pay_id: str | None = PAY_ID, *, encoded: bool = False
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Return status, document and headers of the response to a request."""
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route,
            "pathParameters": None if pay_id is None else {"payId": pay_id},
            "isBase64Encoded": encoded,
        }
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        answer = self.app.handler(event, None)
        assert answer["headers"]["Cache-Control"] == "no-store"
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]

    def get(self, pay_id: str | None = PAY_ID) -> tuple[int, dict[str, Any], dict[str, str]]:
        """GET a payment."""
        return self.call("GET /payments/{payId}", pay_id=pay_id)

    def put(
        self, body: object, *, encoded: bool = False
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """PUT a registration."""
        return self.call("PUT /payments/{payId}", body, encoded=encoded)

    def query(self, body: object) -> tuple[int, dict[str, Any], dict[str, str]]:
        """POST a query of several payments."""
        return self.call("POST /payments/query", body, None)


@pytest.fixture
def api(start: Start, table: Table) -> Api:
    """The api function on the test's own table."""
    return Api(start, World(table))


def assert_problem(
    answer: tuple[int, dict[str, Any], dict[str, str]], status: int, kind: str
) -> dict[str, Any]:
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


def test_get_marks_a_stale_payment(api: Api, table: Table) -> None:
    """The gateway is down: what is stored is returned (P7)."""
    api.put({"expectedAmount": "5"})
    api.world.says = lambda _: GatewayUnavailable("down", pay_id=PAY_ID)
    status, shown, _ = api.get()
    assert (status, shown["stale"], shown["expectedAmount"]) == (200, True, "5")
    assert table.item()["status"] == "PENDING"


@pytest.mark.parametrize(
    ("said", "status", "kind", "wait"),
    [
        (GatewayUnavailable(CANARY, pay_id=PAY_ID), 503, "gateway-unavailable", "5"),
        (
            GatewayUnavailable(CANARY, pay_id=PAY_ID, retry_after=30),
            503,
            "gateway-unavailable",
            "30",
        ),
        (
            GatewayUnavailable(CANARY, pay_id=PAY_ID, retry_after=0),
            503,
            "gateway-unavailable",
            "1",
        ),
        (InvalidReply(CANARY, pay_id=PAY_ID), 502, "gateway-bad-reply", None),
    ],
)
def test_get_without_a_reply_and_a_stored_payment_is_503_or_502(
    api: Api, said: Said, status: int, kind: str, wait: str | None
) -> None:
    """Without any text of the gateway."""
    api.world.says = lambda _: said
    answer = api.get()
    assert CANARY not in json.dumps(assert_problem(answer, status, kind))
    assert answer[2].get("Retry-After") == wait


def test_get_of_an_unregistered_payment_is_404_where_registration_is_required(
    start: Start, table: Table
) -> None:
    """And the gateway is not asked."""
    api = Api(start, World(table, require_registration=True))
    assert_problem(api.get(), 404, "not-registered")
    assert api.world.asked == []


@pytest.mark.parametrize("pay_id", ["a:b", "a.b~c", "a" * 128])
def test_a_pay_id_with_a_colon_is_taken_as_api_gateway_decodes_it(
    api: Api, table: Table, pay_id: str
) -> None:
    """An HTTP API decodes path parameters: a caller may write ``%3A`` or a colon."""
    status, shown, _ = api.call("PUT /payments/{payId}", {}, pay_id)
    assert (status, shown["payId"]) == (202, pay_id)
    status, shown, _ = api.get(pay_id)
    assert (status, shown["payId"], [each for each, _ in api.world.asked]) == (
        200,
        pay_id,
        [pay_id],
    )
    assert [item["pk"] for item in table.scan()] == [f"{PARTNER}#{pay_id}"]


@pytest.mark.parametrize("pay_id", ["a b", "", "a" * 129, "é", "a/b", "a#b", "a%3Ab", "-a", None])
def test_a_bad_pay_id_is_400(api: Api, pay_id: str | None) -> None:
    """Field and rule are named, and the gateway is not asked."""
    document = assert_problem(api.get(pay_id), 400, "invalid-input")
    assert document["field"] == "payId"
    assert document["detail"].startswith("payId: ")
    assert api.world.asked == []


def test_put_registers_and_follows(api: Api, table: Table) -> None:
    """202 with the payment; the same request again is 202."""
    body = {"orderId": "A-17", "expectedAmount": "19.99", "currency": "USD"}
    for _ in range(2):
        status, shown, headers = api.put(body)
        assert (status, headers["Content-Type"]) == (202, "application/json")
        assert body.items() <= shown.items()
        assert (shown["status"], shown["checks"]) == ("PENDING", 0)
    assert table.item()["orderId"] == "A-17"
    api.world.run(0)
    assert len(api.world.asked) == 1


@pytest.mark.parametrize("body", [None, "", "{}"])
def test_put_without_fields_registers(api: Api, table: Table, body: str | None) -> None:
    """Every field is optional."""
    assert api.put(body)[0] == 202
    assert table.item()["status"] == "PENDING"


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
        *(("nonsense", "body"), ("[]", "body"), ('{"orderId": "A", "orderId": "B"}', "body")),
        *((BIG, "body"), ({"orderid": "A"}, "orderid"), ({"payId": PAY_ID}, "payId")),
        *(({"orderId": 5}, "orderId"), ({"expectedAmount": 19.99}, "expectedAmount")),
        *(({"expectedAmount": "$5"}, "expectedAmount"), ({"currency": "usd"}, "currency")),
        ({"status": "SUCCEEDED"}, "status"),
    ],
)
def test_a_bad_body_is_400(api: Api, table: Table, body: object, field: str) -> None:
    """Field and rule are named, and nothing is stored."""
    document = assert_problem(api.put(body), 400, "invalid-input")
    assert document["field"] == field
    assert table.scan() == []


def test_a_body_may_be_base64(api: Api, table: Table) -> None:
    """API Gateway encodes what it takes for binary."""
    encoded = base64.b64encode(b'{"orderId": "A-17"}').decode()
    assert api.put(encoded, encoded=True)[0] == 202
    assert table.item()["orderId"] == "A-17"


@pytest.mark.parametrize("body", ["%%%", "a", "é", base64.b64encode(b"\xff\xfe").decode()])
def test_invalid_base64_is_400(api: Api, body: str) -> None:
    """So is base64 of a text that is no JSON in UTF-8."""
    document = assert_problem(api.put(body, encoded=True), 400, "invalid-input")
    assert document["field"] == "body"


def test_a_large_body_in_base64_is_measured_decoded(api: Api) -> None:
    """The limit is 16 KiB as the caller sent them."""
    encoded = base64.b64encode(BIG.encode()).decode()
    document = assert_problem(api.put(encoded, encoded=True), 400, "invalid-input")
    assert "16384 bytes" in document["detail"]


def test_query_returns_results_in_the_order_asked(api: Api, table: Table) -> None:
    """A payment or a problem for each; a repeated payId once."""
    api.world.register("b")
    api.world.register("c")
    table.change("c", schemaVersion=2)
    said: dict[str, Said] = {
        "a": reply(payId="a"),
        "d": GatewayUnavailable(CANARY, pay_id="d"),
    }
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
    assert CANARY not in json.dumps(document)


def test_query_accepts_100_pay_ids(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is checked, and each is counted."""
    api.world.says = lambda pay_id: InvalidReply("", pay_id=pay_id)
    status, document, _ = api.query({"payIds": [str(number) for number in range(100)]})
    assert (status, len(document["results"]), len(api.world.asked)) == (200, 100, 100)
    written = lines(capsys).metrics
    assert sum(written["LiveChecksFailed"]) == 100
    assert len(written["GatewayLatency"]) == 100


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *((None, "body"), ("", "body"), ({}, "payIds"), ({"payIds": []}, "payIds")),
        *(({"payIds": ["1"] * 101}, "payIds"), ({"payIds": ["1", "a b"]}, "payIds[1]")),
        *(({"payIds": "1"}, "payIds"), ({"payIds": ["1"], "x": 1}, "x")),
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
def test_an_unexpected_error_is_500_without_a_stack_trace(
    api: Api, capsys: pytest.CaptureFixture[str], route: str
) -> None:
    """The log has its type and place, the caller neither."""

    def broken(_: str) -> None:
        raise ZeroDivisionError(CANARY)

    api.world.before = broken
    document = assert_problem(api.call(route), 500, "internal-error")
    written = lines(capsys)
    assert CANARY not in json.dumps(document) + written.text
    assert "Traceback" not in json.dumps(document)
    assert [line["level"] for line in written.logged].count("ERROR") == 1
    [fault] = [line for line in written.logged if line["level"] == "ERROR"]
    assert (fault["message"], fault["error"]) == ("request failed", "ZeroDivisionError")
    assert fault["where"]
    assert written.metrics["ApiFailures"] == [1]


def test_a_fault_of_ours_in_one_result_of_many_is_an_error_of_the_log(
    api: Api, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """Although the response as a whole is a 200."""
    api.world.register("c")
    table.change("c", schemaVersion=2)
    capsys.readouterr()
    assert api.query({"payIds": ["a", "c"]})[0] == 200
    written = lines(capsys)
    assert written.metrics["ApiFailures"] == [1]
    faults = [line for line in written.logged if line["level"] == "ERROR"]
    assert [(line["message"], line["error"]) for line in faults] == [
        ("request failed", "UnreadableItem")
    ]


@pytest.mark.parametrize(
    "said",
    [GatewayUnavailable(CANARY, pay_id=PAY_ID), InvalidReply(CANARY, pay_id=PAY_ID)],
)
def test_a_fault_of_the_gateway_or_of_a_caller_is_no_error_of_the_log(
    api: Api, capsys: pytest.CaptureFixture[str], said: Said
) -> None:
    """A 503 or 502 that the gateway causes is a warning: its own alarm tells of it."""
    api.world.says = lambda _: said
    assert api.get()[0] in {502, 503}
    assert api.get("a b")[0] == 400
    api.put({"orderId": "A"})
    assert api.put({"orderId": "B"})[0] == 409
    written = lines(capsys)
    assert {line["level"] for line in written.logged} == {"WARNING"}
    assert "ApiFailures" not in written.metrics


def test_a_refused_answer_is_logged_with_its_rule(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fixed text of ours, never what the gateway sent."""
    rule = "the content type is not JSON or plain text"
    api.world.says = lambda _: InvalidReply(CANARY, pay_id=PAY_ID, rule=rule)
    api.get()
    written = lines(capsys)
    assert [line["rule"] for line in written.logged if "rule" in line] == [rule]
    assert CANARY not in written.text


def test_the_api_counts_and_logs_its_checks(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """payId, status and answer; one dimension, the stack."""
    api.world.says = lambda pay_id: reply(payId=pay_id)
    api.get()
    written = lines(capsys)
    assert written.metrics == {
        "LiveChecksAnswered": [1],
        "PaymentsSucceeded": [1],
        "GatewayLatency": [0],
    }
    assert written.dimensions == [["service"]]
    [line] = written.logged
    assert (line["payId"], line["status"], line["answer"]) == (PAY_ID, "SUCCEEDED", "Reply")
    assert line["service"] == api.app.handler.logger.service


def test_the_api_logs_no_text_of_a_caller_or_of_the_gateway(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    """No body, no sign, no customer text, whatever goes wrong (P8)."""
    fields = dict.fromkeys(("payAmount", "payResultDate", "servicePlanShowName"), CANARY)
    api.put({"orderId": CANARY})
    api.put({"orderId": CANARY + "2"})
    api.put({CANARY: CANARY})
    api.put(CANARY)
    api.put({"currency": CANARY})
    api.get(f"{CANARY} ")
    api.query({"payIds": [f"{CANARY} "]})
    for said in (reply(CANARY, **fields), reply(**fields), InvalidReply(CANARY, pay_id=PAY_ID)):
        api.world.now += HOUR
        api.world.says = lambda _, said=said: said  # type: ignore[misc]  # mypy cannot infer it
        api.get()
    assert CANARY not in capsys.readouterr().out


# The checks queue


class Checks:
    """The checks function with the processor of a World."""

    def __init__(self, start: Start, world: World) -> None:
        self._start = start
        self.world = world

    @cached_property
    def app(self) -> ModuleType:
        """The module, loaded at its first use."""
        app = loaded("checks", self._start)
        app.handler.processor = self.world.processor
        return app

    def deliver(self, *bodies: object) -> list[int]:
        """Deliver a batch, and return the indexes of the messages that failed."""
        records = [
            {
                "messageId": f"id-{number}",
                "receiptHandle": "handle",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
            }
            for number, body in enumerate(bodies)
        ]
        answer = self.app.handler({"Records": records}, None)
        assert list(answer) == ["batchItemFailures"]
        return sorted(int(each["itemIdentifier"][3:]) for each in answer["batchItemFailures"])


@pytest.fixture
def checks(start: Start, table: Table) -> Checks:
    """The checks function on the test's own table."""
    return Checks(start, World(table))


@pytest.mark.parametrize(
    ("envelope", "remedy"),
    [
        ({"Type": "Notification", "TopicArn": CANARY, "Message": CANARY}, "raw message delivery"),
        ({"detail-type": CANARY, "detail": {"payId": CANARY}}, "InputTransformer"),
    ],
)
def test_the_log_names_the_envelope_of_a_message_and_the_remedy(
    checks: Checks, capsys: pytest.CaptureFixture[str], envelope: dict[str, Any], remedy: str
) -> None:
    """And nothing that is in it."""
    assert checks.deliver(envelope) == [0]
    written = lines(capsys)
    [rule] = [line["rule"] for line in written.logged if "rule" in line]
    assert remedy in rule
    assert CANARY not in written.text


def test_the_batch_response_names_exactly_the_failed_messages(checks: Checks, table: Table) -> None:
    """Malformed, conflicting, unreadable; the others are done, a follow-up of nothing dropped."""
    checks.world.register("unreadable")
    table.change("unreadable", schemaVersion=2)
    failed = checks.deliver(
        {"payId": "a"},
        "nonsense",
        {"payId": "b", "orderId": "A"},
        {"payId": "b", "orderId": "B"},
        {"payId": "unreadable"},
        {"payIds": ["c", "d"]},
        {"payIds": ["e", "a b"]},
        {"payId": "a", "unknown": 1},
        {"payId": "f", "step": 1},
    )
    assert failed == [1, 3, 4, 6, 7]
    assert sorted(pay_id for pay_id, _ in checks.world.asked) == ["a", "b"]
    bodies = [message.body for message in checks.world.queue.waiting]
    assert [body for body in bodies if "step" not in body] == ['{"payId":"c"}', '{"payId":"d"}']


def test_an_outage_fails_no_message(checks: Checks) -> None:
    """A failure of the gateway is not a failure of the message (P7)."""
    checks.world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    assert checks.deliver({"payId": "a"}, {"payId": "b"}) == []


def test_a_batch_of_malformed_messages_fails_as_a_whole(checks: Checks) -> None:
    """The gateway is not asked."""
    assert checks.deliver("", "[]", "{}") == [0, 1, 2]
    assert checks.world.asked == []


def test_a_list_that_sqs_refuses_in_part_fails(checks: Checks) -> None:
    """It is delivered again."""
    checks.world.queue.rejects = lambda entry: '"b"' in entry["MessageBody"]
    assert checks.deliver({"payIds": ["a", "b"]}, {"payId": "c"}) == [0]


def test_the_checks_function_counts_and_logs(
    checks: Checks, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers, changes of status, and refused messages."""
    said: dict[str, Said] = {
        "paid": reply(payId="paid"),
        "odd": reply("what", payId="odd"),
        "down": GatewayUnavailable(CANARY, pay_id="down"),
        "bad": InvalidReply(CANARY, pay_id="bad"),
        "review": reply(payId="review", payAmount="6"),
        "fail": reply("fail", payId="fail"),
    }
    checks.world.says = lambda pay_id: said[pay_id]
    bodies = [{"payId": pay_id, "expectedAmount": "5"} for pay_id in ("review",)]
    checks.deliver(*bodies, *({"payId": name} for name in said if name != "review"), "nonsense")
    written = lines(capsys)
    counted = {name: sum(values) for name, values in written.metrics.items()}
    expected = {
        "ChecksAnswered": 4,
        "ChecksUnanswered": 1,
        "BadReplies": 1,
        "UnknownPayRst": 1,
        "PaymentsSucceeded": 1,
        "PaymentsFailed": 1,
        "PaymentsInReview": 1,
        "MessagesRefused": 1,
    }
    assert expected.items() <= counted.items()
    assert len(written.metrics["GatewayLatency"]) == 6
    assert {tuple(each) for each in written.dimensions} == {("service",)}
    by_pay_id = {line["payId"]: line for line in written.logged if "payId" in line}
    assert by_pay_id["paid"]["status"] == "SUCCEEDED"
    assert by_pay_id["down"]["answer"] == "GatewayUnavailable"
    assert by_pay_id["paid"]["service"] == checks.app.handler.logger.service


def test_the_checks_function_logs_no_text_of_a_message_or_of_the_gateway(
    checks: Checks, capsys: pytest.CaptureFixture[str]
) -> None:
    """No message, no reply, no orderId in the log (P8)."""
    fields = dict.fromkeys(("payAmount", "payResultDate", "servicePlanShowName"), CANARY)
    checks.world.says = lambda pay_id: reply(CANARY, payId=pay_id, **fields)
    checks.deliver(
        CANARY,
        {"payId": "a", CANARY: CANARY},
        {"payId": f"{CANARY} "},
        {"payId": "a", "orderId": CANARY},
        {"payId": "a", "orderId": f"{CANARY}2"},
        {"payId": "a", "currency": CANARY},
    )
    assert CANARY not in capsys.readouterr().out


# The publisher


@pytest.fixture
def aws(table: Table) -> Iterator[dict[str, str]]:
    """A bus and a queue on moto, as environment variables of a function."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name=table.name)
    url = sqs.create_queue(QueueName=table.name)["QueueUrl"]
    yield {"EVENT_BUS_NAME": table.name, "QUEUE_URL": url}
    events.delete_event_bus(Name=table.name)
    sqs.delete_queue(QueueUrl=url)


def paid(table: Table, *pay_ids: str) -> World:
    """Return a World in which *pay_ids* are paid and their events unsent."""
    world = World(table)
    world.says = lambda pay_id: reply(payId=pay_id)
    world.follow(*(CheckMessage(pay_id) for pay_id in pay_ids))
    return world


def record(pay_id: str, new: str | None, old: str | None = None) -> dict[str, Any]:
    """Return a record of the stream, in which ``eventState`` goes from *old* to *new*."""

    def image(state: str | None) -> dict[str, Any]:
        known = {"pk": {"S": f"{PARTNER}#{pay_id}"}, "payId": {"S": pay_id}}
        return known | ({} if state is None else {"eventState": {"S": state}})

    return {
        "eventID": "x",
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"pk": {"S": f"{PARTNER}#{pay_id}"}},
            "NewImage": image(new),
            "OldImage": image(old),
            "SequenceNumber": f"seq-{pay_id}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def test_the_publisher_sends_and_marks_new_events(
    start: Start, table: Table, aws: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of them once."""
    paid(table, "a", "b")
    app = start("publisher", **aws)
    event = {"Records": [record("a", "PENDING"), record("b", "PENDING"), record("b", "PENDING")]}
    assert app.handler(event, None) == {"batchItemFailures": []}
    assert [table.item(pay_id)["eventState"] for pay_id in "ab"] == ["SENT", "SENT"]
    written = lines(capsys)
    assert (written.metrics["EventsSent"], written.metrics["EventsRefused"]) == ([2], [0])
    assert CANARY not in written.text


def test_the_publisher_handles_an_insert(start: Start, table: Table, aws: dict[str, str]) -> None:
    """A payment that is stored by its success has no old image."""
    paid(table, "a")
    app = start("publisher", **aws)
    inserted = record("a", "PENDING")
    del inserted["dynamodb"]["OldImage"]
    assert app.handler({"Records": [inserted]}, None) == {"batchItemFailures": []}
    assert table.item("a")["eventState"] == "SENT"


@pytest.mark.parametrize(
    ("new", "old"), [("PENDING", "PENDING"), ("SENT", "PENDING"), (None, None), ("SENT", "SENT")]
)
def test_the_publisher_ignores_every_other_change(
    start: Start, table: Table, aws: dict[str, str], new: str | None, old: str | None
) -> None:
    """A postponed event is left to the sweeper."""
    paid(table, "a")
    before = table.item("a")
    app = start("publisher", **aws)
    assert app.handler({"Records": [record("a", new, old)]}, None) == {"batchItemFailures": []}
    assert table.item("a") == before


def test_the_publisher_reports_the_records_of_refused_events(
    start: Start, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """By sequence number in ``batchItemFailures``; an exception would fail the batch."""
    app = start("publisher")
    world = paid(table, "a", "b", "c")
    world.bus.entry_error = lambda detail: None if '"payId":"a"' in detail else "InternalFailure"
    app.handler.outbox = world.outbox
    capsys.readouterr()
    answer = app.handler({"Records": [record(pay_id, "PENDING") for pay_id in "abc"]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": f"seq-{it}"} for it in "bc"]}
    assert [table.item(pay_id)["eventState"] for pay_id in "abc"] == ["SENT", "PENDING", "PENDING"]
    assert table.item("b")["workAt"] == NOW + MINUTE
    written = lines(capsys)
    assert (written.metrics["EventsSent"], written.metrics["EventsRefused"]) == ([1], [2])
    assert [(line["payId"], line["code"]) for line in written.logged] == [
        (pay_id, "InternalFailure") for pay_id in "bc"
    ]


# The sweeper


def test_the_sweeper_sends_what_is_due(
    start: Start, table: Table, aws: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Events to the bus, checks to the queue; expired payments are given up."""
    world = paid(table, "paid")
    for pay_id in ("lost", "expired", "unreadable"):
        world.register(pay_id)
    long_ago = NOW - 10 * 24 * HOUR * 100  # earlier than the clock of any machine
    table.change("paid", workAt=long_ago)
    table.change("lost", workAt=long_ago, nextCheckAt=long_ago, giveUpAt=4 * 10**12)
    table.change("expired", workAt=long_ago, nextCheckAt=long_ago, giveUpAt=long_ago)
    table.change("unreadable", workAt=long_ago, schemaVersion=2)
    table.put({"pk": "P000819#other", "workShard": "CHECK#1", "workAt": long_ago})
    waiting = {"attention": f"{PARTNER}#REVIEW", "attentionSince": long_ago}
    table.put({"pk": f"{PARTNER}#review"} | waiting)
    capsys.readouterr()
    app = start("sweeper", **aws)
    assert app.handler({}, CONTEXT) is None
    assert table.item("paid")["eventState"] == "SENT"
    assert table.item("expired")["status"] == "UNRESOLVED"
    received = boto3.client("sqs").receive_message(
        QueueUrl=aws["QUEUE_URL"], MaxNumberOfMessages=10
    )
    assert [m["Body"] for m in received["Messages"]] == ['{"payId":"lost","step":1}']
    written = lines(capsys)
    expected = {
        "SweeperHeartbeat": [1],
        "EventsSent": [1],
        "EventsUnsent": [0],
        "PaymentsUnresolved": [1],
        "UnreadableItems": [1],
        "OtherPartnerItems": [1],
        "AttentionNew": [1],  # the payment that was given up
        "AttentionTotal": [2],
    }
    assert expected.items() <= written.metrics.items()
    assert written.dimensions == [["service"], ["service"]]
    logged = {line["payId"]: line["message"] for line in written.logged}
    assert logged == {
        "lost": "check sent",
        "expired": "given up",
        "unreadable": "item unreadable",
    }


def test_the_sweeper_reports_what_bus_and_queue_refused(
    start: Start, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """For the alarms; the invocation succeeds."""
    world = paid(table, "paid")
    world.register("lost")
    world.bus.entry_error = lambda _: "InternalFailure"
    world.queue.rejects = lambda _: True
    world.now = NOW + HOUR
    app = start("sweeper")
    app.handler.sweeper = world.sweeper
    capsys.readouterr()
    app.handler({}, CONTEXT)
    written = lines(capsys)
    assert (written.metrics["EventsUnsent"], written.metrics["ChecksOverdue"]) == ([1], [1])
    logged = {line["payId"]: line["message"] for line in written.logged}
    assert logged == {"paid": "event refused", "lost": "check not queued"}


def test_the_sweeper_reports_before_it_fails(
    start: Start, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """Heartbeat, metrics and gauges are written; then the first error fails the invocation."""
    world = paid(table, "paid")
    world.register("lost")
    world.now = NOW + HOUR
    app = start("sweeper")
    app.handler.sweeper = world.sweeper

    def before(name: str) -> None:
        if name == "send_message_batch":
            raise EndpointConnectionError(endpoint_url="https://sqs.invalid")

    world.before = before
    capsys.readouterr()
    with pytest.raises(EndpointConnectionError):
        app.handler({}, CONTEXT)
    written = lines(capsys)
    expected = {"SweeperHeartbeat": [1], "EventsSent": [1], "AttentionTotal": [0]}
    assert expected.items() <= written.metrics.items()


def test_the_sweeper_reports_although_a_count_fails(
    start: Start, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other gauge is written; then the error fails the invocation."""
    world = paid(table, "paid")
    world.now = NOW - NOW % (10 * MINUTE) + MINUTE  # PaymentsFollowed is not counted
    app = start("sweeper")
    app.handler.sweeper = world.sweeper
    made = count(1)

    def before(name: str) -> None:
        if name == "query" and next(made) == 2 * SHARD_COUNT + 1:  # the first count
            raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid")

    world.before = before
    capsys.readouterr()
    with pytest.raises(EndpointConnectionError):
        app.handler({}, CONTEXT)
    written = lines(capsys).metrics
    assert (written["SweeperHeartbeat"], written["AttentionTotal"]) == ([1], [0])
    assert "AttentionNew" not in written


def test_the_sweeper_does_not_name_every_unreadable_item(
    start: Start,
    table: Table,
    aws: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They come back each minute; the metric counts them all."""
    world = World(table)
    for pay_id in "abc":
        world.register(pay_id)
        table.change(pay_id, workAt=1, schemaVersion=2)
    app = start("sweeper", **aws)
    monkeypatch.setattr(sweeper, "MAX_NAMED", 2)  # 100, which would take long here
    capsys.readouterr()
    app.handler({}, CONTEXT)
    written = lines(capsys)
    assert (len(written.logged), written.metrics["UnreadableItems"]) == (2, [3])


# All functions


@pytest.mark.parametrize("name", ["api", "checks", "publisher", "sweeper"])
def test_a_function_does_not_start_in_a_bad_environment(start: Start, name: str) -> None:
    """The cold start fails with the variable and the rule."""
    with pytest.raises(InvalidInput, match=r"^PARTNER_CODE: must be 1 to 32 letters"):
        start(name, PARTNER_CODE="P 1")


@pytest.mark.parametrize("name", ["api", "checks"])
def test_a_function_that_asks_the_gateway_does_not_start_with_an_http_url(
    start: Start, name: str
) -> None:
    """The other two do not ask it, so they do not read its URL."""
    with pytest.raises(InvalidInput, match=r"^GATEWAY_BASE_URL: must start with https://"):
        start(name, GATEWAY_BASE_URL="http://example.com")
