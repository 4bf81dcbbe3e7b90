"""The simulation in which ``item_rules`` judge each write to a payment."""

from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import Any

from tests.fault_injection.item_rules import broken_rules
from tests.fault_injection.item_writes import (
    Answer,
    Invocation,
    Item,
    Write,
    answer_of,
    invocation_of,
    text,
)
from tests.support.fake_gateway import PARTNER, SECOND, Script
from tests.support.memory_table import ItemChange
from tests.support.simulation import ClientWrapper, Simulation, unwrapped

RETENTION = 30 * 86_400
"""Seconds."""

LIVE_CHECK_DISTANCE = 2 * SECOND
Action = Callable[[], object]


class ObservedSimulation(Simulation):
    """The simulation; ``problems`` are the broken rules, in words.

    ``details`` are the events that were written, by payId; an erased payment starts anew.
    ``holders`` are the payIds that each order's marker has named, "" where it was erased;
    ``released`` are the payments that were about to be erased.
    """

    def __init__(self, script: Script, rng: Random, design: ClientWrapper | None) -> None:
        self.problems: list[str] = []
        self.details: defaultdict[str, set[str]] = defaultdict(set)
        self.erased: defaultdict[str, set[str]] = defaultdict(set)
        self.closed: set[str] = set()
        self.holders: defaultdict[str, list[str]] = defaultdict(list)
        self.released: set[str] = set()
        self._epochs: dict[str, int] = {}
        self._running: list[Invocation] = []
        self._number = 0
        self._asked_by_api: dict[str, int] = {}
        wrap = design or unwrapped
        super().__init__(script, rng, wrap=wrap, retention_days=RETENTION // 86_400)
        self.host = self

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Invoke a function, and note what it was asked for."""
        invocation = invocation_of(name, event)
        invocation.stored = frozenset(self.dynamodb.items)
        return self._observed(invocation, lambda: self.functions.invoke(name, event))

    def call(self, function: str, dependency: str, operation: str, request: dict[str, Any]) -> Any:
        """Make a call, and note the gateway's answer."""
        self._number += 1
        if operation != "query" or dependency != "gateway":
            return super().call(function, dependency, operation, request)
        pay_id, at = request["pay_id"], self.now
        response = super().call(function, dependency, operation, request)
        answer = answer_of(response, pay_id, at, self._number)
        self._running[-1].answers[pay_id] = answer
        if function == "api" and f"{PARTNER}#{pay_id}" in self._running[-1].stored:
            if at - self._asked_by_api.get(pay_id, 0) < LIVE_CHECK_DISTANCE:
                self.problems.append(f"{pay_id} was asked about twice in two seconds")
            self._asked_by_api[pay_id] = at
        return response

    def item(self, pay_id: str) -> Item:
        """Return the item of a payment, empty if it is not stored."""
        return self.dynamodb.items.get(f"{PARTNER}#{pay_id}", {})

    def payments(self) -> dict[str, Item]:
        """Return the items of all payments, by payId."""
        items = self.dynamodb.items.values()
        return {str(item["payId"]["S"]): item for item in items if "status" in item}

    def marker(self, order_id: str) -> str | None:
        """Return the payId that the marker of an order names."""
        return text(self.dynamodb.items.get(f"{PARTNER}#order#{order_id}", {}), "payId")

    def last_answer(self, pay_id: str) -> Answer | None:
        """Return what the gateway said last about a payment."""
        queries = [query for query in self.gateway.log if query.pay_id == pay_id]
        return answer_of(queries[-1].response, pay_id, queries[-1].at, 0) if queries else None

    def _observed(self, invocation: Invocation, run: Action) -> Any:
        self._running.append(invocation)
        try:
            return run()
        finally:
            self._running.pop()

    def _on_change(self, change: ItemChange) -> None:
        """Judge a write, and add it to the stream."""
        super()._on_change(change)
        new = change.new
        if "status" not in new:
            self._judge_marker(change.old or {}, new)
            return
        pay_id = str(text(new, "payId"))
        old = change.old or {}
        if text(old, "status") != text(new, "status"):
            self.closed.discard(pay_id)
        write = Write(
            old,
            new,
            self._running[-1],
            self.now,
            self._epochs.get(pay_id, 0),
            pay_id in self.closed,
            tuple(self.holders[str(text(new, "orderId"))]),
        )
        self.problems += [f"{pay_id}: {problem}" for problem in broken_rules(write)]
        if write.starts:
            self._epochs[pay_id] = self._number
        if "event" in new:
            self.details[pay_id].add(str(text(new, "event")))

    def _judge_marker(self, old: Item, new: Item) -> None:
        """A marker names a payment for ever, until it is erased."""
        if old and text(old, "payId") != text(new, "payId"):
            self.problems.append(f"{text(new, 'pk')} names {text(new, 'payId')} now")
        if not old:
            self.holders[str(text(new, "pk")).split("#", 2)[2]].append(str(text(new, "payId")))

    def _note_erased(self, pay_id: str) -> None:
        self.released.discard(pay_id)
        self.closed.discard(pay_id)
        self.erased[pay_id] |= self.details.pop(pay_id, set())
        self._asked_by_api.pop(pay_id, None)
