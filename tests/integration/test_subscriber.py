"""events/subscriber deployed beside the system: however often an event comes, it acts once."""

import json
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from sandbox.deploy import ENVIRONMENT, PARTNER_CODE
from sandbox.subscriber import STACK, with_subscriber
from sandbox.waiting import wait_for
from tests.contract.schemas import load
from tests.integration.conftest import System

Item = dict[str, Any]

SECONDS = 60
COPIES = 20
UNREADABLE = "no event"


class Shop:
    """The deployed subscriber, and somebody who listens for its receipts."""

    def __init__(self, system: System, outputs: dict[str, str]) -> None:
        account = system.sandbox.account
        self.outputs = outputs
        self.bus = system.sandbox.stack["EventBusName"]
        self.events = account.client("events")
        self._logs = account.client("logs")
        self._dynamodb = account.client("dynamodb")
        self._sqs = account.client("sqs")
        self._receipts = self._listen(account.client("sns"))
        self._sent: Counter[str] = Counter()

    def put_on_bus(self, envelope: Item) -> None:
        """Send the event of *envelope* once more, as the sweeper or a replay would."""
        entry = {
            "EventBusName": self.bus,
            "Source": envelope["source"],
            "DetailType": envelope["detail-type"],
            "Detail": json.dumps(envelope["detail"]),
        }
        assert self.events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def put_in_queue(self, *bodies: str) -> None:
        """Deliver messages to the subscriber's queue, past the rule."""
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(place), "MessageBody": body}
                for place, body in enumerate(bodies[start : start + 10])
            ]
            self._sqs.send_message_batch(QueueUrl=self.outputs["QueueUrl"], Entries=entries)

    def hide_messages(self, seconds: int) -> None:
        """Set how long a message that failed stays hidden."""
        hidden = {"VisibilityTimeout": str(seconds)}
        self._sqs.set_queue_attributes(QueueUrl=self.outputs["QueueUrl"], Attributes=hidden)

    def said(self, pay_id: str) -> Counter[str]:
        """What the function logged of *pay_id*, each message with how often."""
        return Counter(line["message"] for line in self._lines() if line.get("payId") == pay_id)

    def reasons(self) -> set[str]:
        """Why it refused what it refused."""
        return {line["why"] for line in self._lines() if "why" in line}

    def activations(self, pay_id: str) -> list[Item]:
        """The activations that *pay_id* has led to."""
        found = self._dynamodb.scan(TableName=self.outputs["ActivationsTableName"])["Items"]
        return [item for item in found if item["payId"]["S"] == pay_id]

    def receipts(self, pay_id: str) -> int:
        """How many receipts were asked for so far."""
        while batch := self._sqs.receive_message(
            QueueUrl=self._receipts, MaxNumberOfMessages=10
        ).get("Messages"):
            for message in batch:
                self._sent[json.loads(message["Body"])["payId"]] += 1
                handle = message["ReceiptHandle"]
                self._sqs.delete_message(QueueUrl=self._receipts, ReceiptHandle=handle)
        return self._sent[pay_id]

    def dead_letters(self) -> set[str]:
        """The bodies in its dead-letter queue, which stay there."""
        batch = self._sqs.receive_message(
            QueueUrl=self.outputs["DeadLetterQueueUrl"], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return {message["Body"] for message in batch.get("Messages", [])}

    def _listen(self, sns: Any) -> str:
        """Have the receipts sent to a queue; its URL."""
        topic = self.outputs["ReceiptsTopicArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}}
        statement = allowed | {"Action": "sqs:SendMessage", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        url: str = self._sqs.create_queue(QueueName="receipts", Attributes={"Policy": policy})[
            "QueueUrl"
        ]
        asked = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=asked["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )
        return url

    def _lines(self) -> list[Item]:
        pages = self._logs.get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=self.outputs["LogGroupName"])
        texts = (event["message"].splitlines() for page in found for event in page["events"])
        return [json.loads(line) for lines in texts for line in lines if line.startswith("{")]


@pytest.fixture(scope="module")
def shop(system: System) -> Iterator[Shop]:
    """The subscriber, which leaves when this module is done."""
    outputs = with_subscriber(system.sandbox).subscriber
    assert outputs
    yield Shop(system, outputs)
    system.sandbox.account.client("cloudformation").delete_stack(StackName=STACK)


def envelope(pay_id: str, **metadata: str) -> Item:
    """The event of a payment as the bus delivers it; *metadata* replaces fields of that."""
    made: Item = deepcopy(load("payment-succeeded.json"))
    made["detail"]["data"] |= {"payId": pay_id, "orderId": f"A-{pay_id}"}
    made["detail"]["metadata"] |= {
        "environment": ENVIRONMENT,
        "idempotencyKey": f"PaymentSucceeded:{ENVIRONMENT}:{PARTNER_CODE}:{pay_id}",
    } | metadata
    return made


def test_duplicates_and_redeliveries_are_acted_on_once(system: System, shop: Shop) -> None:
    """From HTTP to the activation; then the same event twice by the bus, and twice by the queue."""
    system.visitor.put("paid-sub-1", orderId="A-sub-1")
    wait_for("the act", lambda: shop.said("paid-sub-1")["activated"], SECONDS)
    before = shop.activations("paid-sub-1")
    assert [item["pk"]["S"] for item in before] == ["ORDER#A-sub-1"]
    wait_for("the audit queue", lambda: system.audit.arrivals("paid-sub-1"), SECONDS)
    (arrival,) = system.audit.arrivals("paid-sub-1")
    for _ in range(2):
        shop.put_on_bus(arrival.envelope)
    shop.put_in_queue(*[json.dumps(arrival.envelope)] * 2)
    wait_for("all copies", lambda: shop.said("paid-sub-1")["activated before"] == 4, SECONDS)
    assert shop.activations("paid-sub-1") == before
    assert shop.receipts("paid-sub-1") == 1


def test_copies_at_the_same_time_are_acted_on_once(shop: Shop) -> None:
    """Several workers at once: whoever loses the race finds it done, or is delivered again."""
    shop.put_in_queue(*[json.dumps(envelope("sub-2"))] * COPIES)
    wait_for("all copies", lambda: shop.said("sub-2").total() == COPIES, SECONDS)
    assert shop.said("sub-2")["activated"] == 1
    assert len(shop.activations("sub-2")) == 1
    assert shop.receipts("sub-2") == 1


@pytest.mark.parametrize(
    ("metadata", "delivered"),
    [({}, True), ({"environment": "prod"}, False), ({"schemaVersion": "2"}, False)],
)
def test_the_rule_lets_only_its_own_events_through(
    shop: Shop, metadata: dict[str, str], *, delivered: bool
) -> None:
    """Of its environment, and in the version that it reads."""
    (rule,) = [
        each
        for each in shop.events.list_rules(EventBusName=shop.bus)["Rules"]
        if each["Name"].startswith(STACK)
    ]
    event = json.dumps(envelope("sub-3", **metadata))
    answer = shop.events.test_event_pattern(EventPattern=rule["EventPattern"], Event=event)
    assert answer["Result"] is delivered


def test_what_it_may_not_act_on_ends_in_its_dead_letter_queue(shop: Shop) -> None:
    """Whole, after five tries, and without an effect; a good neighbour is not held up by it."""
    foreign = json.dumps(envelope("sub-4", environment="prod"))
    later = json.dumps(envelope("sub-4", schemaVersion="2"))
    shop.hide_messages(1)
    shop.put_in_queue(foreign, later, UNREADABLE, json.dumps(envelope("sub-5")))
    wait_for("the good one", lambda: shop.said("sub-5")["activated"], SECONDS)
    bad = {foreign, later, UNREADABLE}
    wait_for("the dead letters", lambda: shop.dead_letters() == bad, SECONDS)
    assert shop.activations("sub-4") == []
    assert {
        "an event of another environment",
        "data.metadata.schemaVersion breaks the rule const",
        "not an event from EventBridge",
    } <= shop.reasons()
