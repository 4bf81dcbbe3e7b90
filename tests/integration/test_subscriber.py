"""Contract of events/subscriber: it acts once, however often an event is delivered (P3)."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest

from sandbox.deploy import ENVIRONMENT_NAME, PARTNER_CODE
from sandbox.subscriber import STACK_NAME, VISIBILITY_SECONDS, deploy_subscriber
from sandbox.waiting import wait_for
from tests.integration.conftest import System
from tests.support.schemas import load

Item = dict[str, Any]

SECONDS = 60
DUPLICATES = 20
UNREADABLE = "no event"


class Subscriber:
    """The deployed subscriber, and a queue that gets its receipts."""

    def __init__(self, system: System, outputs: dict[str, str]) -> None:
        credentials = system.sandbox.credentials
        self.outputs = outputs
        self.bus = system.sandbox.stack["EventBusName"]
        self.events = credentials.client("events")
        self._logs = credentials.client("logs")
        self._dynamodb = credentials.client("dynamodb")
        self._sqs = credentials.client("sqs")
        self._receipts = self._listen(credentials.client("sns"))
        self._receipt_counts: Counter[str] = Counter()

    def put_on_bus(self, envelope: Item) -> None:
        """Send the event of *envelope* again, as the sweeper or a replay does."""
        entry = {
            "EventBusName": self.bus,
            "Source": envelope["source"],
            "DetailType": envelope["detail-type"],
            "Detail": json.dumps(envelope["detail"]),
        }
        assert self.events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def put_in_queue(self, *bodies: str) -> None:
        """Send messages to the subscriber's queue, past the rule."""
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(number), "MessageBody": body}
                for number, body in enumerate(bodies[start : start + 10])
            ]
            self._sqs.send_message_batch(QueueUrl=self.outputs["QueueUrl"], Entries=entries)

    @contextmanager
    def short_visibility(self) -> Iterator[None]:
        """A message that failed is delivered again after a second."""
        self._set_visibility_timeout(1)
        try:
            yield
        finally:
            self._set_visibility_timeout(VISIBILITY_SECONDS)

    def processed(self) -> bool:
        """Whether its queue is empty: no message waits, and none is being processed."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(
            QueueUrl=self.outputs["QueueUrl"], AttributeNames=names
        )["Attributes"]
        return not any(int(found[name]) for name in names)

    def reasons(self) -> set[str]:
        """The reasons that it logged for rejected messages.

        The emulator may have the last lines of an invocation only after the next one.
        """
        return {line["why"] for line in self._lines() if "why" in line}

    def activations(self, pay_id: str) -> list[Item]:
        """The activations of *pay_id*."""
        return self._items("ActivationsTableName", pay_id)

    def refunds(self, pay_id: str) -> list[Item]:
        """The refunds that are noted for *pay_id*."""
        return self._items("RefundsTableName", pay_id)

    def receipts(self, pay_id: str) -> int:
        """The number of receipts for *pay_id* so far."""
        while batch := self._sqs.receive_message(
            QueueUrl=self._receipts, MaxNumberOfMessages=10
        ).get("Messages"):
            for message in batch:
                self._receipt_counts[json.loads(message["Body"])["payId"]] += 1
                handle = message["ReceiptHandle"]
                self._sqs.delete_message(QueueUrl=self._receipts, ReceiptHandle=handle)
        return self._receipt_counts[pay_id]

    def dead_letters(self) -> set[str]:
        """The bodies in its dead-letter queue; they stay there."""
        batch = self._sqs.receive_message(
            QueueUrl=self.outputs["DeadLetterQueueUrl"], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return {message["Body"] for message in batch.get("Messages", [])}

    def _listen(self, sns: Any) -> str:
        """Subscribe a new queue to the receipts; its URL."""
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

    def _set_visibility_timeout(self, seconds: int) -> None:
        attributes = {"VisibilityTimeout": str(seconds)}
        self._sqs.set_queue_attributes(QueueUrl=self.outputs["QueueUrl"], Attributes=attributes)

    def _items(self, table: str, pay_id: str) -> list[Item]:
        found = self._dynamodb.scan(TableName=self.outputs[table])["Items"]
        return [item for item in found if item["payId"]["S"] == pay_id]

    def _lines(self) -> list[Item]:
        pages = self._logs.get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=self.outputs["LogGroupName"])
        texts = (event["message"].splitlines() for page in found for event in page["events"])
        return [json.loads(line) for lines in texts for line in lines if line.startswith("{")]


@pytest.fixture(scope="module")
def subscriber(system: System) -> Subscriber:
    """The subscriber on the bus of this file's system."""
    outputs = deploy_subscriber(system.sandbox).subscriber
    assert outputs
    return Subscriber(system, outputs)


def envelope(pay_id: str, **metadata: str) -> Item:
    """The event of a payment as the bus delivers it; *metadata* replaces members."""
    made: Item = deepcopy(load("payment-succeeded.json"))
    made["detail"]["data"] |= {"payId": pay_id, "orderId": f"A-{pay_id}"}
    made["detail"]["metadata"] |= {
        "environment": ENVIRONMENT_NAME,
        "idempotencyKey": f"PaymentSucceeded:{ENVIRONMENT_NAME}:{PARTNER_CODE}:{pay_id}",
    } | metadata
    return made


def test_duplicates_and_redeliveries_lead_to_one_activation(
    system: System, subscriber: Subscriber
) -> None:
    """From PUT to activation; then the same event twice on the bus, and twice in the queue."""
    system.client.put("paid-sub-1", orderId="A-sub-1")
    before = wait_for("activated", lambda: subscriber.activations("paid-sub-1"), SECONDS)
    assert [item["pk"]["S"] for item in before] == ["ORDER#A-sub-1"]
    [arrival] = wait_for("arrived", lambda: system.audit.arrivals("paid-sub-1"), SECONDS)
    for _ in range(2):
        subscriber.put_on_bus(arrival.envelope)
    subscriber.put_in_queue(*[json.dumps(arrival.envelope)] * 2)
    wait_for("on the bus", lambda: len(system.audit.arrivals("paid-sub-1")) == 3, SECONDS)
    wait_for("all processed", subscriber.processed, SECONDS)
    assert subscriber.activations("paid-sub-1") == before
    assert subscriber.receipts("paid-sub-1") == 1


def test_duplicates_at_the_same_time_lead_to_one_activation(subscriber: Subscriber) -> None:
    """Several workers at once: those that lose the race find it activated, or fail and retry."""
    subscriber.put_in_queue(*[json.dumps(envelope("sub-2"))] * DUPLICATES)
    wait_for("all processed", subscriber.processed, SECONDS)
    assert len(subscriber.activations("sub-2")) == 1
    assert subscriber.receipts("sub-2") == 1


def test_the_second_payment_of_an_order_is_noted_for_its_refund(
    system: System, subscriber: Subscriber
) -> None:
    """From two PUTs to one activation and one refund."""
    system.client.put("paid-sub-6", orderId="A-sub-6")
    wait_for("activated", lambda: subscriber.activations("paid-sub-6"), SECONDS)
    system.client.put("paid-sub-7", orderId="A-sub-6")
    [refund] = wait_for("refund noted", lambda: subscriber.refunds("paid-sub-7"), SECONDS)
    assert refund["duplicateOf"]["S"] == "paid-sub-6"
    assert len(subscriber.activations("paid-sub-6")) == 1
    assert subscriber.activations("paid-sub-7") == []
    assert subscriber.receipts("paid-sub-7") == 0


@pytest.mark.parametrize(
    ("metadata", "delivered"),
    [({}, True), ({"environment": "prod"}, False), ({"schemaVersion": "2"}, False)],
)
def test_the_rule_matches_only_its_own_events(
    subscriber: Subscriber, metadata: dict[str, str], *, delivered: bool
) -> None:
    """Of its environment, and with the schema version that it reads."""
    (rule,) = [
        each
        for each in subscriber.events.list_rules(EventBusName=subscriber.bus)["Rules"]
        if each["Name"].startswith(STACK_NAME)
    ]
    event = json.dumps(envelope("sub-3", **metadata))
    response = subscriber.events.test_event_pattern(EventPattern=rule["EventPattern"], Event=event)
    assert response["Result"] is delivered


def test_an_event_that_is_not_for_it_ends_in_its_dead_letter_queue(subscriber: Subscriber) -> None:
    """Unchanged, after five receives, without an activation; a valid event is not delayed."""
    foreign = json.dumps(envelope("sub-4", environment="prod"))
    later = json.dumps(envelope("sub-4", schemaVersion="2"))
    rejected = {foreign, later, UNREADABLE}
    with subscriber.short_visibility():
        subscriber.put_in_queue(*rejected, json.dumps(envelope("sub-5")))
        wait_for("the valid one", lambda: subscriber.activations("sub-5"), SECONDS)
        wait_for("the dead letters", lambda: subscriber.dead_letters() == rejected, SECONDS)
    assert subscriber.activations("sub-4") == []
    assert {
        "an event of another environment",
        "data.metadata.schemaVersion breaks the rule const",
        "not an event from EventBridge",
    } <= subscriber.reasons()
