"""Receives the events for the page, by a rule and a queue that only the page uses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from sandbox.event_queue import create_event_queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from sandbox.environment import Sandbox

RESOURCE_NAME = "payresult-sandbox-page"


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
        """The payment in the event; empty if the event is not from payresult."""
        found: dict[str, Any] = self.detail.get("data", {})
        return found

    @property
    def pay_id(self) -> str:
        """The payId of the payment."""
        return str(self.data.get("payId"))

    @property
    def event_id(self) -> str:
        """The `eventId`, by which subscribers detect duplicates."""
        return str(self.detail.get("metadata", {}).get("eventId"))

    @property
    def latency(self) -> float | None:
        """Seconds from `observedAt` (the reply was read, not yet stored) to the queue."""
        try:
            observed = datetime.fromisoformat(self.data["observedAt"])
        except (KeyError, TypeError, ValueError):
            return None
        return self.at / 1000 - observed.timestamp()


class EventListener:
    """Receives each event after its creation; reads the queue when `deliveries` is called."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sqs: SQSClient = sandbox.credentials.client("sqs")
        self._lock = Lock()
        self._deliveries: list[Delivery] = []
        self._queue_url = create_event_queue(sandbox, RESOURCE_NAME)

    def deliveries(self) -> list[Delivery]:
        """All events received so far, in the order they were read."""
        with self._lock:
            while self._read():
                pass
            return list(self._deliveries)

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
