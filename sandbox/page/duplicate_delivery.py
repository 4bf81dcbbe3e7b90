"""A fault that can be switched on: each message is delivered twice.

SQS delivers at least once, so a duplicate is allowed, but rare. Here each message gets one: for
each step of a followed payment, a copy of the message in flight is sent with the same delay. The
subscriber, if it is deployed, gets each event a second time.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.page.timeline import MessageCopy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs import SQSClient

    from sandbox.environment import Sandbox
    from sandbox.page.event_listener import EventListener
    from sandbox.page.inspector import Inspector
    from sandbox.page.subscriber_view import SubscriberView

POLL_SECONDS = 0.3
_MAX_DELAY_SECONDS = 900


class DuplicateDelivery:
    """Sends copies while it is `on`, in a thread that ends with it; `copies` has those sent."""

    def __init__(
        self,
        sandbox: Sandbox,
        inspector: Inspector,
        listener: EventListener,
        subscriber: SubscriberView | None,
    ) -> None:
        self.copies: list[MessageCopy] = []
        self._sqs: SQSClient = sandbox.credentials.client("sqs")
        self._queue_url = sandbox.stack["ChecksQueueUrl"]
        self._inspector = inspector
        self._listener = listener
        self._subscriber = subscriber
        self._copied_steps: set[tuple[str, int]] = set()
        self._copied_deliveries = 0
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None

    @property
    def on(self) -> bool:
        """Whether copies are sent."""
        return self._thread is not None

    def switch(self, *, on: bool) -> None:
        """Start or stop."""
        with self._lock:
            if self._thread:
                self._stop.set()
                self._thread.join()
                self._thread = None
            if on:
                self._stop.clear()
                self._copied_deliveries = len(self._listener.deliveries())
                self._thread = Thread(target=self._run, name="duplicate-delivery", daemon=True)
                self._thread.start()

    def copy_first(self, pay_id: str, body: str) -> None:
        """Send the message that starts a payment once more: when its item is seen, it is done."""
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=body)
        self._keep(pay_id, "the checks queue", body)

    def _run(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            with suppress(BotoCoreError, ClientError, OSError):  # the emulator is busy or stopping
                for item in self._inspector.items():
                    if "nextCheckAt" in item:
                        self._copy_message(item)
                self._copy_events()

    def _copy_message(self, item: Mapping[str, Any]) -> None:
        pay_id, step = item["payId"], int(item["step"])
        if (pay_id, step) in self._copied_steps:
            return
        self._copied_steps.add((pay_id, step))
        now = int(time.time() * 1000)
        delay = -(-(int(item["nextCheckAt"]) - now) // 1000)  # rounded up, as payresult does
        body = json.dumps({"payId": pay_id} | ({"step": step + 1} if step else {}))
        self._sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=body,
            DelaySeconds=min(max(delay, 0), _MAX_DELAY_SECONDS),
        )
        self._keep(pay_id, "the checks queue", body)

    def _copy_events(self) -> None:
        deliveries = self._listener.deliveries()
        new, self._copied_deliveries = deliveries[self._copied_deliveries :], len(deliveries)
        for each in new:
            if self._subscriber:
                self._subscriber.deliver(each.envelope)
                self._keep(each.pay_id, "the subscriber's queue", f"eventId {each.event_id}")

    def _keep(self, pay_id: str, queue: str, text: str) -> None:
        self.copies.append(MessageCopy(int(time.time() * 1000), pay_id, queue, text))
