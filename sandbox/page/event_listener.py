"""A subscriber of the page's own: a rule on the bus and a queue that nobody else reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

    from sandbox.environment import Sandbox

NAME = "payresult-sandbox-page"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event as the bus delivered it, and when (epoch milliseconds)."""

    at: int
    envelope: dict[str, Any]

    @property
    def detail(self) -> dict[str, Any]:
        """The PaymentSucceeded document."""
        found: dict[str, Any] = self.envelope["detail"]
        return found

    @property
    def data(self) -> dict[str, Any]:
        """What the event says of the payment; empty where somebody put other things on the bus."""
        found: dict[str, Any] = self.detail.get("data", {})
        return found

    @property
    def pay_id(self) -> str:
        """The payment it is about."""
        return str(self.data.get("payId"))

    @property
    def event_id(self) -> str:
        """The id by which subscribers know it again."""
        return str(self.detail.get("metadata", {}).get("eventId"))

    @property
    def latency(self) -> float | None:
        """Seconds from `observedAt` (the gateway's answer is here, not yet stored) to the queue."""
        try:
            observed = datetime.fromisoformat(self.data["observedAt"])
        except (KeyError, TypeError, ValueError):
            return None
        return self.at / 1000 - observed.timestamp()


class Tap:
    """Takes a copy of each event from the moment it is made; it reads only when asked."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sqs: SQSClient = sandbox.account.client("sqs")
        self._lock = Lock()
        self._deliveries: list[Delivery] = []
        self._queue_url = self._sqs.create_queue(QueueName=NAME)["QueueUrl"]
        self._subscribe(sandbox)

    def deliveries(self) -> list[Delivery]:
        """All that has come so far, in the order of reading."""
        with self._lock:
            while self._read():
                pass
            return list(self._deliveries)

    def _subscribe(self, sandbox: Sandbox) -> None:
        events: EventBridgeClient = sandbox.account.client("events")
        names = self._sqs.get_queue_attributes(
            QueueUrl=self._queue_url, AttributeNames=["QueueArn"]
        )
        arn, bus = names["Attributes"]["QueueArn"], sandbox.stack["EventBusName"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._queue_url, Attributes={"Policy": policy})
        pattern = json.dumps({"detail-type": ["PaymentSucceeded"]})
        events.put_rule(Name=NAME, EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule=NAME, EventBusName=bus, Targets=[{"Id": "page", "Arn": arn}])

    def _read(self) -> bool:
        batch = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"]
        ).get("Messages", [])
        for message in batch:
            at = int(message["Attributes"]["SentTimestamp"])
            self._deliveries.append(Delivery(at, json.loads(message["Body"])))
        if batch:
            self._sqs.delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(batch)
                ],
            )
        return bool(batch)
