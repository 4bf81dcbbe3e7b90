"""C6, P1 to P7: random runs of all operations together, each write judged by ``item_rules``."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from payresult.errors import PaymentChanged
from tests.fault_injection.item_rules import at_rest, number, right_amount, text
from tests.fault_injection.observed_simulation import ObservedSimulation
from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.fake_aws import Crash
from tests.support.fake_gateway import (
    DAY,
    HOUR,
    HTML_PAGE,
    MINUTE,
    SECOND,
    SILENCE,
    TOO_MANY_REQUESTS,
    TRUNCATED_JSON,
    UNAVAILABLE,
    GatewayResponse,
    json_response,
)
from tests.support.oracle import Verdict
from tests.support.simulation import ClientWrapper, unwrapped

STEPS = 60
PAY_IDS = ("pay-1", "pay-2", "pay-3")
PAUSES = (0, SECOND, 3 * SECOND, MINUTE, HOUR, DAY, 4 * DAY, 10 * DAY, 40 * DAY)
COPIES: tuple[list[int], ...] = ([], [], [0], [SECOND], [40 * SECOND, HOUR], [2 * DAY], [10 * DAY])
"""The additional deliveries of a message, milliseconds after the first one."""

FIELDS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"expectedAmount": "19.99"},
    {"expectedAmount": "19.99", "orderId": "A-17"},
    {"expectedAmount": "1.00", "currency": "USD"},
    {"orderId": "B-4"},
    {"currency": "USD"},
)
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


class Operation(NamedTuple):
    """An operation of ``System`` with its arguments."""

    name: str
    arguments: tuple[Any, ...] = ()


class System:
    """The system, its users, its operators and its gateway."""

    def __init__(self, wrap: ClientWrapper = unwrapped, rng: Random | None = None) -> None:
        self.payers: dict[str, str] = {}
        self.trouble = "", 0
        self.simulation = ObservedSimulation(self._script, rng or Random(1), wrap)  # noqa: S311 - repeatable

    def payer(self, pay_id: str, kind: str) -> None:
        """Let a payer pay, fail, or do nothing; who has paid can only get another amount."""
        if kind in PAID or self.payers.get(pay_id) not in PAID:
            self.payers[pay_id] = kind

    def fail_gateway(self, kind: str, duration: int) -> None:
        """Let the gateway say nothing of use for a while."""
        self.trouble = kind, self.simulation.now + duration

    def order(self, pay_id: str, fields: dict[str, str], copies: list[int]) -> None:
        """Send a message; it, and all that follow from it, is delivered again after *copies*."""
        self.simulation.queue.redeliver_after = lambda: copies
        self.simulation.send_order(pay_id, **fields)

    def put(self, pay_id: str, fields: dict[str, str]) -> None:
        """Register by the API."""
        with suppress(Crash, ClientError):
            self.simulation.put_payment(pay_id, **fields)

    def get(self, pay_id: str) -> None:
        """Look up by the API: what is stored is told, also in an outage."""
        simulation = self.simulation
        stored, asked = bool(simulation.item(pay_id)), len(simulation.gateway.log)
        quiet = max(simulation.nested[0], simulation.fail_in, simulation.crash_in) <= 0
        with suppress(Crash, ClientError):
            status, body = simulation.look_up(pay_id)
            item = simulation.item(pay_id)
            if not (stored and quiet and item):
                return
            if status != 200:
                simulation.problems.append(f"{pay_id} is stored, and GET gives {status}")
            elif len(simulation.gateway.log) > asked:
                answer = simulation.last_answer(pay_id)
                in_vain = answer is not None and answer.kind == "trouble"
                if body.get("stale", False) is not in_vain:
                    simulation.problems.append(f"{pay_id}: stale={body.get('stale')} ({answer})")

    def deliver(self) -> None:
        """Deliver a batch of messages."""
        if self.simulation.queue.next_visible_at() <= self.simulation.now:
            self.simulation.deliver_messages()

    def change(self) -> None:
        """Deliver changes of the table to the publisher."""
        if self.simulation.stream:
            self.simulation.deliver_changes()

    def sweep(self) -> None:
        """Invoke the sweeper. It takes no time, also where it crashes within another invocation."""
        now = self.simulation.now
        self.simulation.sweep()
        self.simulation.now = now

    def wait(self, pause: int) -> None:
        """Advance the clock without any delivery."""
        self.simulation.now += pause

    def run(self, pause: int) -> None:
        """Run for a while: not for days while the sweeper repeats everything each few minutes."""
        repeated = not self.simulation.checks_enabled or self.simulation.bus.call_error()
        self.simulation.run(min(pause, 6 * HOUR) if repeated else pause)

    def crash(self, calls: int) -> None:
        """Let an invocation die after a number of calls."""
        self.simulation.crash_in = calls

    def throttle(self, calls: int) -> None:
        """Let a call of AWS fail."""
        self.simulation.fail_in = calls

    def during(self, calls: int, operation: Operation) -> None:
        """Let an operation happen inside of another one, after a number of calls."""
        self.simulation.nested = calls, lambda: self.apply(operation)

    def fail_bus(self, code: str | None) -> None:
        """Let PutEvents fail, or succeed again."""
        self.simulation.bus.call_error = lambda: code

    def switch(self, name: str, *, on: bool) -> None:
        """Switch the stream, the sweeper or the event source of the queue on or off."""
        setattr(self.simulation, f"{name}_enabled", on)

    def operate(self, command: str, pay_id: str) -> None:
        """Run an operator's command."""
        with suppress(Crash, ClientError, PaymentChanged):
            getattr(self.simulation, command)(pay_id)

    def expire(self) -> None:
        """Let DynamoDB delete what may be deleted."""
        self.simulation.expire()

    def apply(self, operation: Operation) -> None:
        """Run an operation."""
        name, arguments = operation
        if name == "switch":
            self.switch(arguments[0], on=arguments[1])
        else:
            getattr(self, name)(*arguments)

    def quiet(self) -> None:
        """End all faults."""
        simulation = self.simulation
        simulation.crash_in = simulation.fail_in = 0
        simulation.nested = 0, lambda: None
        simulation.checks_enabled = True
        simulation.queue.redeliver_after = list
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


def random_operations(rng: Random, count: int = STEPS) -> list[Operation]:
    """Return random operations, each independent of the others."""
    return [_random_operation(rng) for _ in range(count)]


def _random_operation(rng: Random, *, nested: bool = False) -> Operation:
    pay_id = rng.choice(PAY_IDS)
    choices: list[tuple[int, Callable[[], Operation]]] = [
        (8, lambda: Operation("order", (pay_id, rng.choice(FIELDS), rng.choice(COPIES)))),
        (5, lambda: Operation("put", (pay_id, rng.choice(FIELDS)))),
        (6, lambda: Operation("get", (pay_id,))),
        (6, lambda: Operation("deliver")),
        (3, lambda: Operation("sweep")),
        (7, lambda: Operation("operate", (rng.choice(("accept", "close", "forget")), pay_id))),
        (6, lambda: Operation("payer", (pay_id, rng.choice(("waiting", "fail", "fail", *PAID))))),
    ]
    if not nested:
        kinds, pauses = list(TROUBLE), PAUSES[3:]
        choices += [
            (4, lambda: Operation("fail_gateway", (rng.choice(kinds), rng.choice(pauses)))),
            (3, lambda: Operation("change")),
            (4, lambda: Operation("wait", (rng.choice(PAUSES),))),
            (12, lambda: Operation("run", (rng.choice(PAUSES),))),
            (4, lambda: Operation("crash", (rng.randint(1, 14),))),
            (2, lambda: Operation("throttle", (rng.randint(1, 14),))),
            (9, lambda: _random_nested(rng)),
            (
                2,
                lambda: Operation("fail_bus", (rng.choice((None, None, "timeout", "Throttling")),)),
            ),
            (3, lambda: Operation("switch", (rng.choice(SWITCHES), rng.random() < 0.6))),
            (1, lambda: Operation("expire")),
        ]
    weights = [weight for weight, _ in choices]
    [(_, make)] = rng.choices(choices, weights)
    return make()


SWITCHES = ("stream", "sweeper", "checks")


def _random_nested(rng: Random) -> Operation:
    return Operation("during", (rng.randint(1, 14), _random_operation(rng, nested=True)))


def problems_of(operations: Sequence[Operation], wrap: ClientWrapper = unwrapped) -> list[str]:
    """Run *operations*, then everything to its end; return what went wrong first."""
    system = System(wrap)
    for operation in operations:
        system.apply(operation)
        if system.simulation.problems:
            return system.simulation.problems
    return next((found for found in _ends(system) if found), [])


def _ends(system: System) -> Iterator[list[str]]:
    """Yield what is wrong after a run without faults, after a nudge, and after all is accepted."""
    simulation = system.simulation
    system.quiet()
    followed = {
        pay_id
        for pay_id, item in simulation.payments().items()
        if "workAt" in item and (number(item, "giveUpAt") or 0) > simulation.now
    }
    simulation.stream_enabled = simulation.sweeper_enabled = True
    simulation.run(12 * DAY)
    simulation.queue.redrive()
    simulation.run(12 * DAY)
    yield simulation.problems + list(unheard(system)) + list(not_told(system, followed))
    simulation.now += SECOND
    for pay_id in simulation.payments():
        simulation.send_order(pay_id)
    simulation.run(HOUR)
    yield simulation.problems + list(not_told(system, set(simulation.payments())))
    for pay_id in simulation.payments():
        simulation.accept(pay_id)
    simulation.run(HOUR)
    yield simulation.problems + list(_unpaid(system))
    simulation.run(12 * DAY)
    yield simulation.problems + list(unheard(system)) + list(_false(simulation))
    yield list(told_as_first(simulation))


def unheard(system: System) -> Iterator[str]:
    """P5: everything is settled, at rest, or waits for a person."""
    for pay_id, item in system.simulation.payments().items():
        status = text(item, "status")
        if status == "PENDING" or not at_rest(item):
            yield f"{pay_id} is left {status}, {text(item, 'workShard')}"
        if ("attention" in item) is ("expiresAt" in item):
            yield f"{pay_id} is {status} at rest, {sorted(item)}"


def told_as_first(simulation: ObservedSimulation) -> Iterator[str]:
    """Once per order: of its stored payments at most one has an event without duplicateOf.

    Where none has, a DUPLICATE waited for a person. A payment whose erasure was begun is none.
    """
    firsts: dict[str, list[str]] = {}
    for pay_id, item in simulation.payments().items():
        data = json.loads(text(item, "event") or '{"data": {}}')["data"]
        if "orderId" in data and "duplicateOf" not in data and pay_id not in simulation.released:
            firsts.setdefault(data["orderId"], []).append(pay_id)
    for order_id, pay_ids in firsts.items():
        if len(pay_ids) > 1:
            yield f"{order_id} has several first payments: {pay_ids}"


def not_told(system: System, expected: set[str]) -> Iterator[str]:
    """P1: what is paid and was asked about has its event, or waits in REVIEW."""
    told = {pay_id for pay_id, details in _told(system.simulation).items() if details}
    for pay_id in expected & system.simulation.payments().keys():
        item, payer = system.simulation.item(pay_id), system.payers.get(pay_id)
        if payer not in PAID or text(item, "status") == "SUCCEEDED":
            lost = text(item, "status") == "SUCCEEDED" and pay_id not in told
        else:
            amount = PAID[payer]["payAmount"]
            right = right_amount(item, None if amount is None else str(amount))
            lost = right or text(item, "status") != "REVIEW"
        if lost:
            yield f"{pay_id} is paid ({payer}) and {text(item, 'status')}, event: {pay_id in told}"


def _unpaid(system: System) -> Iterator[str]:
    """P1: after `accept` each payment that is reported as paid has its event."""
    for pay_id, item in system.simulation.payments().items():
        paid = system.payers.get(pay_id) in PAID
        if paid and text(item, "status") != "SUCCEEDED":
            yield f"{pay_id} was accepted, and is {text(item, 'status')}"


def _told(simulation: ObservedSimulation) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for _, detail in simulation.bus.log:
        told.setdefault(detail.partition('"payId":"')[2].partition('"')[0], set()).add(detail)
    return told


def _false(simulation: ObservedSimulation) -> Iterator[str]:
    """P2, P3: an event on the bus is the one that was written with the success."""
    for pay_id, details in _told(simulation).items():
        if not details <= simulation.details[pay_id] | simulation.erased[pay_id]:
            yield f"{pay_id}: an event that nobody wrote"
        if pay_id in simulation.payments() and len(simulation.details[pay_id]) > 1:
            yield f"{pay_id}: two events"


def shortened(
    operations: Sequence[Operation], wrap: ClientWrapper = unwrapped
) -> tuple[list[Operation], list[str]]:
    """Return *operations* without those that the problem does not need, and the problem."""
    left = list(operations)
    found = problems_of(left, wrap)
    for position in reversed(range(len(left))):
        fewer = left[:position] + left[position + 1 :]
        if problems := problems_of(fewer, wrap):
            left, found = fewer, problems
    return left, found


def compare_with_model(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """Make *size* runs of STEPS operations; a run with a problem is shortened and ends all."""
    for run in range(size):
        operations = random_operations(rng)
        if problems_of(operations, wrap):
            short, problems = shortened(operations, wrap)
            return CampaignRun(run + 1, 0, Verdict(), (*problems[:3], f"{short}"))
        on_progress(run / size)
    return CampaignRun(size, size * STEPS, Verdict())
