"""A fault to switch on: each message is there twice.

SQS promises at least one delivery, so a second one is allowed, and rare. Here it is the rule: for
each step of a followed payment a copy of the message in flight is sent, to arrive with it; and the
subscriber, where there is one, gets each event once more.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.page.timeline import Copy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs import SQSClient

    from sandbox.environment import Sandbox
    from sandbox.page.event_listener import Tap
    from sandbox.page.inspector import Look
    from sandbox.page.subscriber_view import Shop

PAUSE_SECONDS = 0.3
_QUEUE_LIMIT = 900


class Doubling:
    """Sends the copies while it is `on`; `copies` has what was sent."""

    def __init__(self, sandbox: Sandbox, look: Look, tap: Tap, shop: Shop | None) -> None:
        self.copies: list[Copy] = []
        self._sqs: SQSClient = sandbox.account.client("sqs")
        self._queue_url = sandbox.stack["ChecksQueueUrl"]
        self._look = look
        self._tap = tap
        self._shop = shop
        self._steps: set[tuple[str, int]] = set()
        self._delivered = 0
        self._off: Event | None = None

    @property
    def on(self) -> bool:
        """Whether messages are doubled."""
        return self._off is not None

    def switch(self, *, on: bool) -> None:
        """Begin or end."""
        if self._off:
            self._off.set()
        self._off = Event() if on else None
        if self._off:
            self._delivered = len(self._tap.deliveries())
            Thread(target=self._run, args=(self._off,), daemon=True).start()

    def _run(self, off: Event) -> None:
        while not off.wait(PAUSE_SECONDS):
            with suppress(BotoCoreError, ClientError, OSError):  # busy, or ending
                for item in self._look.items():
                    if "nextCheckAt" in item:
                        self._double_message(item)
                self._double_events()

    def _double_message(self, item: Mapping[str, Any]) -> None:
        pay_id, step = item["payId"], int(item["step"])
        if (pay_id, step) in self._steps:
            return
        self._steps.add((pay_id, step))
        now = int(time.time() * 1000)
        delay = -(-(int(item["nextCheckAt"]) - now) // 1000)  # rounded up, as payresult does
        body = json.dumps({"payId": pay_id} | ({"step": step + 1} if step else {}))
        self._sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=body,
            DelaySeconds=min(max(delay, 0), _QUEUE_LIMIT),
        )
        self.copies.append(Copy(now, pay_id, "the checks queue", body))

    def _double_events(self) -> None:
        deliveries = self._tap.deliveries()
        fresh, self._delivered = deliveries[self._delivered :], len(deliveries)
        for each in fresh:
            if self._shop:
                self._shop.deliver(each.envelope)
                told = "the subscriber's queue", f"eventId {each.event_id}"
                self.copies.append(Copy(int(time.time() * 1000), each.pay_id, *told))
