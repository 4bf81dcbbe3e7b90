"""Contract of the checks function with SQS; P7 and P8 for it."""

import json
from functools import cached_property
from types import ModuleType
from typing import Any

import pytest

from payresult.errors import GatewayUnavailable, InvalidReply
from tests.support.factories import reply
from tests.support.tables import Table
from tests.support.world import Said, World
from tests.unit.handlers.conftest import Load, Output

CANARY = "canary-5d1f"


class Checks:
    """The checks function with the processor of a World."""

    def __init__(self, load: Load, world: World) -> None:
        self._load = load
        self.world = world

    @cached_property
    def app(self) -> ModuleType:
        """The module, loaded at its first use, in the test itself."""
        app = self._load("checks")
        app.handler.processor = self.world.processor
        return app

    def deliver(self, *bodies: object, sent_at: int = 0) -> list[int]:
        """Deliver a batch sent at *sent_at*; return the indexes of the messages that failed."""
        records = [
            {
                "messageId": f"id-{number}",
                "receiptHandle": "handle",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(sent_at)},
                "eventSource": "aws:sqs",
            }
            for number, body in enumerate(bodies)
        ]
        answer = self.app.handler({"Records": records}, None)
        assert list(answer) == ["batchItemFailures"]
        return sorted(int(each["itemIdentifier"][3:]) for each in answer["batchItemFailures"])


@pytest.fixture
def checks(loaded: Load, world: World) -> Checks:
    """The checks function on the test's own table."""
    return Checks(loaded, world)


@pytest.mark.parametrize(
    ("envelope", "remedy"),
    [
        ({"Type": "Notification", "TopicArn": CANARY, "Message": CANARY}, "raw message delivery"),
        ({"detail-type": CANARY, "detail": {"payId": CANARY}}, "InputTransformer"),
    ],
)
def test_the_log_names_the_remedy(
    checks: Checks, output: Output, envelope: dict[str, Any], remedy: str
) -> None:
    """And nothing that is in it."""
    assert checks.deliver(envelope) == [0]
    written = output()
    [rule] = [line["rule"] for line in written.logged if "rule" in line]
    assert remedy in rule
    assert CANARY not in written.text


def test_the_response_names_what_failed(checks: Checks, table: Table, output: Output) -> None:
    """The others are done, a follow-up of nothing dropped. The sender's errors count apart."""
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
    assert failed == [1, 3, 4, 6, 7]  # 4 is unreadable, the others malformed or contradictory
    metrics = output().metrics
    assert (metrics["MessagesRefused"], metrics["MessagesFailed"]) == ([4], [1])
    assert sorted(pay_id for pay_id, _ in checks.world.asked) == ["a", "b"]
    bodies = [message.body for message in checks.world.queue.waiting]
    assert [body for body in bodies if "step" not in body] == ['{"payId":"c"}', '{"payId":"d"}']


def test_a_batch_of_malformed_messages_fails_as_a_whole(checks: Checks) -> None:
    """The gateway is not asked."""
    assert checks.deliver("", "[]", "{}") == [0, 1, 2]
    assert checks.world.asked == []


def test_a_list_that_sqs_refuses_in_part_fails(checks: Checks) -> None:
    """It is delivered again."""
    checks.world.queue.rejects = lambda entry: '"b"' in entry["MessageBody"]
    assert checks.deliver({"payIds": ["a", "b"]}, {"payId": "c"}) == [0]


def test_only_a_message_sent_after_the_end_starts_the_checks_again(checks: Checks) -> None:
    """By the SentTimestamp of SQS, which a redelivery keeps (P1)."""
    checks.world.says = lambda pay_id: reply("fail", payId=pay_id)
    asked = []
    for sent_at in (0, checks.world.now, checks.world.now + 1):
        assert checks.deliver({"payId": "a"}, sent_at=sent_at) == []
        asked += [len(checks.world.asked)]
    assert asked == [1, 1, 2]


def test_the_checks_function_counts_and_logs(checks: Checks, output: Output) -> None:
    """Answers, changes of status, refused messages; an outage fails no message (P7)."""
    said: dict[str, Said] = {
        "paid": reply(payId="paid"),
        "odd": reply("what", payId="odd"),
        "down": GatewayUnavailable(CANARY, pay_id="down"),
        "bad": InvalidReply(CANARY, pay_id="bad"),
        "fail": reply("fail", payId="fail"),
        "review": reply(payId="review", payAmount="6"),
    }
    checks.world.says = lambda pay_id: said[pay_id]
    bodies = [{"payId": pay_id} for pay_id in said]
    bodies[-1]["expectedAmount"] = "5"
    assert checks.deliver(*bodies, "nonsense") == [len(said)]
    written = output()
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
