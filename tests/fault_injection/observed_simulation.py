"""A simulation in which each write is judged by ``item_rules``, with operators and nested calls."""

import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, cast

from botocore.exceptions import ClientError

from payresult.aws import operator_updates
from payresult.aws.dynamodb import PaymentRepository, require_readable
from payresult.aws.items import to_payment
from payresult.domain.payment import Payment
from payresult.errors import PaymentChanged, ReadIncomplete
from tests.fault_injection.item_rules import (
    Answer,
    Invocation,
    Item,
    Write,
    answer_of,
    at_rest,
    broken_rules,
    number,
    text,
)
from tests.support.fake_aws import Call, Crash
from tests.support.fake_gateway import PARTNER, SECOND, Script
from tests.support.memory_table import ItemChange
from tests.support.simulation import ClientWrapper, Simulation, unwrapped

Action = Callable[[], object]
RETENTION = 30 * 86_400
"""Seconds."""

LIVE_CHECK_DISTANCE = 2 * SECOND


class ObservedSimulation(Simulation):
    """The simulation; ``problems`` are the broken rules, in words.

    ``crash_in`` and ``fail_in`` count the calls until an invocation dies or a call of AWS fails,
    ``nested`` is an action with the number of calls until it happens, inside of another one;
    ``interrupt`` is one with the call after which it happens, once.
    ``details`` are the events that were written, by payId; an erased payment starts anew.
    ``holders`` are the payIds that each order's marker has named, "" where it was erased;
    ``released`` are the payments that were about to be erased.
    """

    def __init__(self, script: Script, rng: Random, wrap: ClientWrapper = unwrapped) -> None:
        self.problems: list[str] = []
        self.crash_in = self.fail_in = 0
        self.nested: tuple[int, Action] = (0, lambda: None)
        self.interrupt: tuple[str, Action] = ("", lambda: None)
        self.details: defaultdict[str, set[str]] = defaultdict(set)
        self.erased: defaultdict[str, set[str]] = defaultdict(set)
        self.closed: set[str] = set()
        self.holders: defaultdict[str, list[str]] = defaultdict(list)
        self.released: set[str] = set()
        self._epochs: dict[str, int] = {}
        self._running: list[Invocation] = []
        self._number = 0
        self._asked_by_api: dict[str, int] = {}
        super().__init__(script, rng, wrap=wrap, retention_days=RETENTION // 86_400)
        self.host = self
        self.on_call = self._disturb
        client = cast("Any", self.connect("operator", "table"))
        self._payments = PaymentRepository(client, "payments", PARTNER)

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

    # An operator

    def accept(self, pay_id: str) -> None:
        """Accept what the gateway reports, as the command `accept` does."""
        self._operate(pay_id, lambda payment: operator_updates.accept(payment, "r", self.now))

    def close(self, pay_id: str) -> None:
        """End the attention, as the command `close` does."""
        if "attention" not in self.item(pay_id):
            return
        was_closed = pay_id in self.closed
        self.closed.add(pay_id)
        if not self._operate(pay_id, self._close):
            # It may have been closed meanwhile, by another operator.
            if not was_closed and "attention" in self.item(pay_id):
                self.closed.discard(pay_id)
            return
        self._payments.orders.expire(to_payment(self.item(pay_id)))

    def _close(self, payment: Payment) -> Any:
        """Decide about its expiry by the payment that is read, as the command does."""
        expires_at = self.now // 1000 + RETENTION if payment.work_at is None else None
        return operator_updates.close(payment, "r", self.now, expires_at)

    def forget(self, pay_id: str) -> None:
        """Erase a payment; refused while something is planned, unsent or in attention."""
        item = self.item(pay_id)
        if item and at_rest(item) and "attention" not in item:
            self.released.add(pay_id)
            self._payments.forget(to_payment(item))

    def expire(self) -> None:
        """Delete what may be deleted, as DynamoDB's time to live does."""
        for pay_id, item in self.payments().items():
            if (number(item, "expiresAt") or self.now) * 1000 < self.now:
                self.dynamodb.delete(f"{PARTNER}#{pay_id}")
                self._note_erased(pay_id)
        for pk, item in list(self.dynamodb.items.items()):
            if "status" not in item and (number(item, "expiresAt") or self.now) * 1000 < self.now:
                self.dynamodb.delete(pk)

    def marker(self, order_id: str) -> str | None:
        """Return the payId that the marker of an order names."""
        return text(self.dynamodb.items.get(f"{PARTNER}#order#{order_id}", {}), "payId")

    def _operate(self, pay_id: str, update: Callable[[Payment], Any]) -> bool:
        try:
            stored = require_readable(self._payments.get_many([pay_id]).get(pay_id))
        except ReadIncomplete:
            return False
        if stored is None:
            return False
        invocation, write = Invocation("operator", asked={pay_id}), update(stored)
        try:
            self._observed(invocation, lambda: self._payments.write(pay_id, write))
        except PaymentChanged:
            return False
        return True

    def _note_erased(self, pay_id: str) -> None:
        self.released.discard(pay_id)
        self.closed.discard(pay_id)
        self.erased[pay_id] |= self.details.pop(pay_id, set())
        self._asked_by_api.pop(pay_id, None)

    # Observation

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

    def last_answer(self, pay_id: str) -> Answer | None:
        """Return what the gateway said last about a payment."""
        queries = [query for query in self.gateway.log if query.pay_id == pay_id]
        return answer_of(queries[-1].response, pay_id, queries[-1].at, 0) if queries else None

    def _disturb(self, call: Call) -> None:
        """Let the running invocation die, a call fail, or another action happen first."""
        if (call.kind, call.when) == ("delete_item", "after") and "#" not in call.pay_id:
            self._note_erased(call.pay_id)  # before another action stores it anew
        calls, action = self.nested
        self.nested = calls - 1, action
        if calls == 1:
            with suppress(Crash):
                action()
        if str(call) == self.interrupt[0]:
            action = self.interrupt[1]
            self.interrupt = "", lambda: None
            action()
        self.crash_in -= 1
        self.fail_in -= 1
        if self.crash_in == 0:
            self.crash()
        if self.fail_in == 0 and call.when == "before" and call.kind != "query":
            self.faults += 1
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, call.kind)


def invocation_of(function: str, event: dict[str, Any]) -> Invocation:
    """Return what a function is asked for: messages without ``step``, or a registration."""
    invocation = Invocation(function)
    for record in event.get("Records", []) if function == "checks" else []:
        try:
            body = json.loads(record["body"])
            if "step" not in body and "payId" in body:
                sent_at = int(record["attributes"]["SentTimestamp"])
                invocation.messages.setdefault(body["payId"], []).append(sent_at)
        except ValueError:
            continue
    if str(event.get("routeKey")).startswith("PUT"):
        invocation.asked.add(event["pathParameters"]["payId"])
    return invocation
