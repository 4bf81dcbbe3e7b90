"""All that the page shows, as one JSON document for each time it asks."""

from __future__ import annotations

import json
import time
from threading import Lock
from typing import TYPE_CHECKING, Any

from sandbox.page.invariants import Promise, World, promises
from sandbox.page.timeline import shown_item, timeline, told_of_acts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.gateway import SimulatedGateway
    from sandbox.page.actions import Actions
    from sandbox.page.duplicate_delivery import Doubling
    from sandbox.page.event_listener import Delivery, Tap
    from sandbox.page.inspector import Look
    from sandbox.page.subscriber_view import Shop

RECENT = 8
FRESH_SECONDS = 0.9
"""How old the evidence may be; however many pages ask, it is not counted more often."""

MOST_OF_THE_TIME = 0.1
"""Which part of the time may go into counting, once there is much to count."""


class State:
    """Puts together what `look`, `tap` and the gateway know."""

    def __init__(
        self,
        gateway: SimulatedGateway | None,
        look: Look,
        tap: Tap,
        shop: Shop | None,
        deeds: Actions,
        doubling: Doubling,
    ) -> None:
        self._gateway = gateway
        self._look = look
        self._tap = tap
        self._shop = shop
        self._deeds = deeds
        self._doubling = doubling
        self._lock = Lock()
        self._count_at = 0.0
        self._items: Sequence[Mapping[str, Any]] = ()
        self._promises: Sequence[Promise] = ()

    def document(self, pay_id: str | None) -> dict[str, Any]:
        """The document; *pay_id* is the payment that is watched."""
        deliveries = self._tap.deliveries()
        payment = self._payment(pay_id, deliveries) if pay_id else None
        with self._lock:
            if time.monotonic() >= self._count_at or self._is_news(payment):
                self._count(deliveries)
            items, counted = self._items, self._promises
        return {
            "now": int(time.time() * 1000),
            "simulated": self._gateway is not None,
            "faults": self._deeds.faults(),
            "copies": len(self._doubling.copies),
            "recent": _recent(items),
            "promises": [promise._asdict() for promise in counted],
            "payment": payment,
        }

    def _is_news(self, payment: Mapping[str, Any] | None) -> bool:
        """Whether the watched payment is further than it was when all were counted."""
        if payment is None or not payment["item"]:
            return False
        known = {item["payId"]: item["status"] for item in self._items}
        return bool(known.get(payment["payId"]) != payment["item"]["status"])

    def _count(self, deliveries: Sequence[Delivery]) -> None:
        began = time.monotonic()
        seen = self._gateway.requests() if self._gateway else None
        self._look.read_logs({each.sign for each in seen or ()})
        self._items = self._look.items()
        self._promises = promises(
            World(
                now=time.time(),
                seen=seen,
                items=self._items,
                deliveries=deliveries,
                letters=self._look.letters(),
                leaks=self._look.leaks,
                lines=self._look.lines,
                stream_was_stopped=self._deeds.stream_was_stopped,
            )
        )
        ended = time.monotonic()
        self._count_at = ended + max(FRESH_SECONDS, (ended - began) / MOST_OF_THE_TIME)

    def _payment(self, pay_id: str, all_deliveries: Sequence[Delivery]) -> dict[str, Any]:
        item = self._look.visitor.item(pay_id)
        seen = self._gateway.requests(pay_id) if self._gateway else None
        deliveries = [each for each in all_deliveries if each.pay_id == pay_id]
        copies = [each for each in self._doubling.copies if each.pay_id == pay_id]
        event = json.loads(item["event"]) if "event" in item else None
        acts = self._shop.acts(pay_id) if self._shop else []
        line = timeline(item, seen, deliveries, copies, acts)
        told = {
            "payId": pay_id,
            "item": shown_item(item),
            "event": event,
            "line": [each._asdict() for each in line],
        }
        if self._shop:
            activation = self._shop.activation(event) if event else {}
            told["act"] = told_of_acts(acts, activation)
        return told


def _recent(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    latest = sorted(items, key=lambda item: int(item["createdAt"]), reverse=True)[:RECENT]
    return [{"payId": item["payId"], "status": item["status"]} for item in latest]
