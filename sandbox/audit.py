"""Reads the audit queue all the time, and keeps what arrived."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event as the bus delivered it, and when the queue took it in (epoch seconds)."""

    at: float
    envelope: dict[str, Any]

    @property
    def detail(self) -> dict[str, Any]:
        """The PaymentSucceeded document."""
        found: dict[str, Any] = self.envelope["detail"]
        return found

    @property
    def event_id(self) -> str:
        """Our id, by which subscribers know a repeated event."""
        return str(self.detail["metadata"]["eventId"])

    @property
    def latency(self) -> float:
        """Seconds from `observedAt` (the gateway's answer is here, not yet stored) to the queue."""
        return self.at - datetime.fromisoformat(self.detail["data"]["observedAt"]).timestamp()


class AuditQueueReader:
    """Takes events off the audit queue while it is entered; `arrivals` has those of a payment.

    With *leave* they are there again at its end, for whoever reads the queue next.
    """

    def __init__(self, sqs: SQSClient, queue_url: str, *, leave: bool = False) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._leave = leave
        self._left: dict[str, str] = {}
        self._arrivals: list[Arrival] = []
        self._done = Event()
        self._thread = Thread(target=self._read, name="audit-queue-reader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        for receipt in self._left.values():
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt, VisibilityTimeout=0
            )

    def arrivals(self, pay_id: str) -> list[Arrival]:
        """The events of *pay_id* so far, oldest first."""
        return [each for each in self._arrivals if each.detail["data"]["payId"] == pay_id]

    def _read(self) -> None:
        while not self._done.is_set():
            batch = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=1,
                AttributeNames=["SentTimestamp"],
            )
            for message in batch.get("Messages", []):
                self._keep(message)

    def _keep(self, message: MessageTypeDef) -> None:
        at, receipt = int(message["Attributes"]["SentTimestamp"]) / 1000, message["ReceiptHandle"]
        if message["MessageId"] not in self._left:  # it comes again where the demo takes long
            self._arrivals.append(Arrival(at, json.loads(message["Body"])))
        if self._leave:
            self._left[message["MessageId"]] = receipt
        else:
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=receipt)
