"""Reads the events that the deployed system delivers to its audit queue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event as the bus delivered it, and when the queue received it (epoch seconds)."""

    at: float
    envelope: dict[str, Any]

    @property
    def detail(self) -> dict[str, Any]:
        """The PaymentSucceeded document."""
        found: dict[str, Any] = self.envelope["detail"]
        return found

    @property
    def event_id(self) -> str:
        """The `eventId`, by which subscribers detect duplicates."""
        return str(self.detail["metadata"]["eventId"])

    @property
    def latency(self) -> float:
        """Seconds from `observedAt` (the reply was read, not yet stored) to the queue."""
        return self.at - datetime.fromisoformat(self.detail["data"]["observedAt"]).timestamp()


class AuditQueueReader:
    """Reads the audit queue whenever `arrivals` is called, and keeps all events read so far.

    The events read are deleted from the queue; with *leave* they are visible again after exit.
    """

    def __init__(self, sqs: SQSClient, queue_url: str, *, leave: bool = False) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._leave = leave
        self._lock = Lock()
        self._receipts: dict[str, str] = {}
        self._arrivals: list[Arrival] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for receipt in self._receipts.values():
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt, VisibilityTimeout=0
            )

    def arrivals(self, pay_id: str) -> list[Arrival]:
        """The events of *pay_id* so far, oldest first."""
        with self._lock:
            while self._read():
                pass
            return [each for each in self._arrivals if each.detail["data"]["payId"] == pay_id]

    def _read(self) -> bool:
        """Read one batch; whether there was one."""
        batch = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"]
        ).get("Messages", [])
        for message in batch:
            self._keep(message)
        return bool(batch)

    def _keep(self, message: MessageTypeDef) -> None:
        at, receipt = int(message["Attributes"]["SentTimestamp"]) / 1000, message["ReceiptHandle"]
        if message["MessageId"] not in self._receipts:  # visible again in a demo that takes long
            self._arrivals.append(Arrival(at, json.loads(message["Body"])))
        if self._leave:
            self._receipts[message["MessageId"]] = receipt
        else:
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=receipt)
