"""All that the page shows, as one JSON document for each poll."""

from __future__ import annotations

import json
import time
from threading import Lock
from typing import TYPE_CHECKING, Any

from sandbox.gateway_control import played
from sandbox.page.invariants import Guarantee, Observations, check_guarantees
from sandbox.page.timeline import describe_subscriber, item_document, timeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.gateway import SimulatedGateway
    from sandbox.page.actions import Actions
    from sandbox.page.duplicate_delivery import DuplicateDelivery
    from sandbox.page.event_listener import Delivery, EventListener
    from sandbox.page.inspector import Inspector
    from sandbox.page.subscriber_view import SubscriberView

MAX_RECENT = 8
MAX_AGE_SECONDS = 0.9
"""How old the guarantees' figures may be, so that several open pages cost no more than one."""

MAX_TIME_SHARE = 0.1
"""The share of the time that evaluating the guarantees may take in a large table."""


class State:
    """Combines what the table, the events, the subscriber and the gateway's log have."""

    def __init__(
        self,
        gateway: SimulatedGateway | None,
        inspector: Inspector,
        listener: EventListener,
        subscriber: SubscriberView | None,
        actions: Actions,
        duplicates: DuplicateDelivery,
    ) -> None:
        self._gateway = gateway
        self._inspector = inspector
        self._listener = listener
        self._subscriber = subscriber
        self._actions = actions
        self._duplicates = duplicates
        self._lock = Lock()
        self._evaluate_at = 0.0
        self._items: Sequence[Mapping[str, Any]] = ()
        self._guarantees: Sequence[Guarantee] = ()

    def document(self, pay_id: str | None) -> dict[str, Any]:
        """The document; *pay_id* is the payment that the page shows in detail."""
        deliveries = self._listener.deliveries()
        payment = self._payment(pay_id, deliveries) if pay_id else None
        with self._lock:
            if time.monotonic() >= self._evaluate_at or self._has_changed(payment):
                self._evaluate(deliveries)
            items, guarantees = self._items, self._guarantees
        return {
            "now": int(time.time() * 1000),
            "simulated": self._gateway is not None,
            "faults": self._actions.faults(),
            "copies": len(self._duplicates.copies),
            "playing": played(self._gateway) if self._gateway else [],
            "recent": _recent(items),
            "guarantees": [each._asdict() for each in guarantees],
            "payment": payment,
        }

    def _has_changed(self, payment: Mapping[str, Any] | None) -> bool:
        """Whether the payment's status differs from the last evaluation."""
        if payment is None or not payment["item"]:
            return False
        known = {item["payId"]: item["status"] for item in self._items}
        return bool(known.get(payment["payId"]) != payment["item"]["status"])

    def _evaluate(self, deliveries: Sequence[Delivery]) -> None:
        started = time.monotonic()
        requests = self._gateway.requests() if self._gateway else None
        self._inspector.read_logs({each.sign for each in requests or ()})
        self._items = self._inspector.items()
        self._guarantees = check_guarantees(
            Observations(
                now=time.time(),
                requests=requests,
                items=self._items,
                deliveries=deliveries,
                dead_letters=self._inspector.dead_letters(),
                leaks=self._inspector.leaks,
                lines=self._inspector.lines,
                stream_was_stopped=self._actions.stream_was_stopped,
            )
        )
        ended = time.monotonic()
        self._evaluate_at = ended + max(MAX_AGE_SECONDS, (ended - started) / MAX_TIME_SHARE)

    def _payment(self, pay_id: str, all_deliveries: Sequence[Delivery]) -> dict[str, Any]:
        item = self._inspector.client.item(pay_id)
        requests = self._gateway.requests(pay_id) if self._gateway else None
        deliveries = [each for each in all_deliveries if each.pay_id == pay_id]
        copies = [each for each in self._duplicates.copies if each.pay_id == pay_id]
        event = json.loads(item["event"]) if "event" in item else None
        entries = self._subscriber.entries(pay_id) if self._subscriber else []
        document = {
            "payId": pay_id,
            "item": item_document(item),
            "event": event,
            "timeline": [
                each._asdict() for each in timeline(item, requests, deliveries, copies, entries)
            ],
        }
        if any(each.status for each in requests or ()):
            document["played"] = {"rule": self._inspector.rules.get(pay_id)}
        if self._subscriber:
            activation = self._subscriber.activation(event) if event else {}
            document["subscriber"] = describe_subscriber(entries, activation)
        return document


def _recent(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    latest = sorted(items, key=lambda item: int(item["createdAt"]), reverse=True)[:MAX_RECENT]
    return [{"payId": item["payId"], "status": item["status"]} for item in latest]
