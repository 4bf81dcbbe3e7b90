"""All that the page shows, as one JSON document for each poll."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from sandbox.command_line import CommandFailed
from sandbox.gateway_control import played
from sandbox.page.invariants import Guarantee, Observations, check_guarantees
from sandbox.page.payment_table import View, newest, payment_table, with_current
from sandbox.page.timeline import Records, describe_subscriber, item_document, timeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.command_line import CommandLine
    from sandbox.gateway import SimulatedGateway
    from sandbox.page.actions import Actions
    from sandbox.page.duplicate_delivery import DuplicateDelivery
    from sandbox.page.event_listener import Delivery, EventListener
    from sandbox.page.inspector import Inspector
    from sandbox.page.subscriber_view import SubscriberView

MAX_AGE_SECONDS = 0.9
"""How old the guarantees' figures may be, so that several open pages cost no more than one."""

MAX_TIME_SHARE = 0.1
"""The share of the time that evaluating the guarantees may take in a large table."""

_EXPLAINED = (
    *("why", "next", "attention", "person", "order"),
    *("answeredChecks", "maxAnsweredChecks"),
)
"""What the page shows of `explain --json`."""

_NOT_STORED = "Nothing is stored: nobody registered this payment, or its message was not processed."


@dataclass(frozen=True, slots=True)
class Sources:
    """What the page reads from; `gateway` is None for an external one."""

    gateway: SimulatedGateway | None
    inspector: Inspector
    listener: EventListener
    subscriber: SubscriberView | None
    duplicates: DuplicateDelivery
    command_line: CommandLine


class State:
    """Combines what the table, the events, the subscriber and the gateway's log have."""

    def __init__(self, sources: Sources, actions: Actions) -> None:
        self._sources = sources
        self._actions = actions
        self._lock = Lock()
        self._evaluate_at = 0.0
        self._items: Sequence[Mapping[str, Any]] = ()
        self._guarantees: Sequence[Guarantee] = ()
        self._waiting_messages = 0

    def document(self, view: View) -> dict[str, Any]:
        """The document for a page that shows *view*."""
        sources = self._sources
        deliveries = sources.listener.deliveries()
        payment = self._payment(view.pay_id, deliveries) if view.pay_id else None
        with self._lock:
            if time.monotonic() >= self._evaluate_at or self._has_changed(payment):
                self._evaluate(deliveries)
            items, guarantees = self._items, self._guarantees
        latest = newest(items)
        payment = payment or (self._payment(latest, deliveries) if latest else None)
        current = payment["item"] if payment else {}
        return {
            "now": int(time.time() * 1000),
            "simulated": sources.gateway is not None,
            "faults": self._actions.faults(),
            "copies": len(sources.duplicates.copies),
            "playing": played(sources.gateway) if sources.gateway else [],
            "payments": payment_table(with_current(items, current), view),
            "events": len({each.event_id for each in deliveries}),
            "waitingMessages": self._waiting_messages,
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
        inspector, gateway = self._sources.inspector, self._sources.gateway
        dead_letters = inspector.dead_letters()
        started = time.monotonic()
        requests = gateway.requests() if gateway else None
        inspector.read_logs({each.sign for each in requests or ()})
        self._items = inspector.items()
        self._waiting_messages = inspector.waiting_messages()
        self._guarantees = check_guarantees(
            Observations(
                now=time.time(),
                requests=requests,
                items=self._items,
                deliveries=deliveries,
                dead_letters=dead_letters,
                leaks=inspector.leaks,
                lines=inspector.lines,
                stream_was_stopped=self._actions.stream_was_stopped,
            )
        )
        ended = time.monotonic()
        self._evaluate_at = ended + max(MAX_AGE_SECONDS, (ended - started) / MAX_TIME_SHARE)

    def _payment(self, pay_id: str, all_deliveries: Sequence[Delivery]) -> dict[str, Any]:
        sources = self._sources
        item = sources.inspector.client.item(pay_id)
        records = Records(
            item=item,
            requests=sources.gateway.requests(pay_id) if sources.gateway else None,
            deliveries=[each for each in all_deliveries if each.pay_id == pay_id],
            copies=[each for each in sources.duplicates.copies if each.pay_id == pay_id],
            log=sources.inspector.lines_about(pay_id),
            subscriber=sources.subscriber.entries(pay_id) if sources.subscriber else (),
        )
        event = json.loads(item["event"]) if "event" in item else None
        document = {
            "payId": pay_id,
            "item": item_document(item),
            "explained": self._explain(pay_id) if item else {"why": [_NOT_STORED], "next": []},
            "event": event,
            "timeline": [each._asdict() for each in timeline(records)],
        }
        if any(each.status for each in records.requests or ()):
            # A reply settled it: the log may have its line only with the function's next one.
            settled = item.get("status") == "SUCCEEDED"
            document["played"] = {"rule": None if settled else sources.inspector.rules.get(pay_id)}
        if sources.subscriber:
            activation = sources.subscriber.activation(event) if event else {}
            document["subscriber"] = describe_subscriber(records.subscriber, activation)
        return document

    def _explain(self, pay_id: str) -> dict[str, Any]:
        """What `payresult explain` says of it."""
        try:
            (found,) = self._sources.command_line.run("explain", pay_id)
        except CommandFailed:
            return {"why": [f"`cli/payresult explain {pay_id} --sandbox` failed."], "next": []}
        if "why" not in found:
            return {"why": [_NOT_STORED], "next": []}
        return {name: found[name] for name in _EXPLAINED if name in found}
