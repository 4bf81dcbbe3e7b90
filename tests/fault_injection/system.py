"""The simulation with users, operators and nested calls; ``item_rules`` judge each write."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any, cast

from botocore.exceptions import ClientError

from payresult.aws import operator_updates
from payresult.aws.dynamodb import PaymentRepository, require_readable
from payresult.aws.items import to_payment
from payresult.domain.payment import Payment
from payresult.errors import PaymentChanged, ReadIncomplete
from tests.fault_injection.item_writes import Invocation, at_rest, number
from tests.fault_injection.observed_simulation import RETENTION, Action, ObservedSimulation
from tests.support.fake_aws import Call, Crash
from tests.support.fake_gateway import (
    HOUR,
    HTML_PAGE,
    PARTNER,
    SILENCE,
    TOO_MANY_REQUESTS,
    TRUNCATED_JSON,
    UNAVAILABLE,
    GatewayResponse,
    json_response,
)
from tests.support.simulation import ClientWrapper

PAID: dict[str, dict[str, Any]] = {
    "paid": {"payAmount": "$19.99"},
    "paid, a number": {"payAmount": 19.99},
    "another amount": {"payAmount": "$1.00"},
    "an odd amount": {"payAmount": "19,99 €"},
    "no amount": {"payAmount": None},
}
TROUBLE = {
    "silence": SILENCE,
    "503": UNAVAILABLE,
    "429": TOO_MANY_REQUESTS._replace(retry_after="1200"),
    "HTML": HTML_PAGE,
    "half": TRUNCATED_JSON,
    "JSON": GatewayResponse(200, b'{"code":"500","msg":"system error"}'),
    "404": GatewayResponse(404, b'{"code":"404"}'),
    "another payment": json_response("other", "success"),
    "number": GatewayResponse(200, b'{"partnerCode":"P000818","payId":"pay-1","payRst":1}'),
}


Operation = tuple[Any, ...]
"""The name of a method of ``System`` and its arguments; "set" sets an attribute."""


class System(ObservedSimulation):
    """The system, its users, its operators and its gateway.

    ``crash_in`` and ``fail_in`` count the calls until an invocation dies or a call of AWS fails,
    ``nested`` is an action with the number of calls until it happens, inside of another one;
    ``interrupt`` is one with the call after which it happens, once.
    """

    def __init__(self, design: ClientWrapper | None, rng: Random) -> None:
        self.payers: dict[str, str] = {}
        self.trouble = "", 0
        self.crash_in = self.fail_in = 0
        self.nested: tuple[int, Action] = (0, lambda: None)
        self.interrupt: tuple[str, Action] = ("", lambda: None)
        super().__init__(self._script, rng, design)
        self.on_call = self._disturb
        client = cast("Any", self.connect("operator", "table"))
        self._payments = PaymentRepository(client, "payments", PARTNER)

    def payer(self, pay_id: str, kind: str) -> None:
        """Let a payer pay, fail, or do nothing; who has paid can only get another amount."""
        if kind in PAID or self.payers.get(pay_id) not in PAID:
            self.payers[pay_id] = kind

    def fail_gateway(self, kind: str, duration: int) -> None:
        """Let the gateway say nothing of use for a while."""
        self.trouble = kind, self.now + duration

    def order(self, pay_id: str, fields: dict[str, str], copies: list[int]) -> None:
        """Send a message; it, and all that follow from it, is delivered again after *copies*."""
        self.queue.redeliver_after = lambda: copies
        self.send_order(pay_id, **fields)

    def put(self, pay_id: str, fields: dict[str, str]) -> None:
        """Register by the API."""
        with suppress(Crash, ClientError):
            self.put_payment(pay_id, **fields)

    def get(self, pay_id: str) -> None:
        """Look up by the API: what is stored is told, also in an outage."""
        stored, asked = bool(self.item(pay_id)), len(self.gateway.log)
        quiet = max(self.nested[0], self.fail_in, self.crash_in) <= 0
        with suppress(Crash, ClientError):
            status, body = self.look_up(pay_id)
            item = self.item(pay_id)
            if not (stored and quiet and item):
                return
            if status != 200:
                self.problems.append(f"{pay_id} is stored, and GET gives {status}")
            elif len(self.gateway.log) > asked:
                answer = self.last_answer(pay_id)
                in_vain = answer is not None and answer.kind == "trouble"
                if body.get("stale", False) is not in_vain:
                    self.problems.append(f"{pay_id}: stale={body.get('stale')} ({answer})")

    def deliver(self) -> None:
        """Deliver a batch of messages."""
        if self.queue.next_visible_at() <= self.now:
            self.deliver_messages()

    def change(self) -> None:
        """Deliver changes of the table to the publisher."""
        if self.stream:
            self.deliver_changes()

    def sweep_at_once(self) -> None:
        """Invoke the sweeper. It takes no time, also where it crashes within another invocation."""
        now = self.now
        self.sweep()
        self.now = now

    def wait(self, pause: int) -> None:
        """Advance the clock without any delivery."""
        self.now += pause

    def go_on(self, pause: int) -> None:
        """Run for a while: not for days while the sweeper repeats everything each few minutes."""
        repeated = not self.checks_enabled or self.bus.call_error()
        self.run(min(pause, 6 * HOUR) if repeated else pause)

    def during(self, calls: int, operation: Operation) -> None:
        """Let an operation happen inside of another one, after a number of calls."""
        self.nested = calls, lambda: self.apply(operation)

    def fail_bus(self, code: str | None) -> None:
        """Let PutEvents fail, or succeed again."""
        self.bus.call_error = lambda: code

    def operate(self, command: str, pay_id: str) -> None:
        """Run an operator's command."""
        with suppress(Crash, ClientError, PaymentChanged):
            getattr(self, command)(pay_id)

    def apply(self, operation: Operation) -> None:
        """Run an operation: set an attribute, or call a method."""
        name, *arguments = operation
        (partial(setattr, self) if name == "set" else getattr(self, name))(*arguments)

    def quiet(self) -> None:
        """End all faults."""
        self.crash_in = self.fail_in = 0
        self.nested = 0, lambda: None
        self.checks_enabled = True
        self.queue.redeliver_after = list
        self.trouble = "", 0
        self.fail_bus(None)

    def _script(self, pay_id: str, _earlier_queries: int, now: int) -> GatewayResponse:
        kind, until = self.trouble
        if now < until:
            return TROUBLE[kind]
        payer = self.payers.get(pay_id, "waiting")
        if payer in PAID:
            return json_response(pay_id, "success", **PAID[payer])
        return json_response(pay_id, payer)

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
