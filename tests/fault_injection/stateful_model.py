"""C6, P1 to P7: random runs of all operations together, each write judged by ``item_rules``."""

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random

from tests.fault_injection.item_writes import at_rest, number, right_amount, text
from tests.fault_injection.results import Run
from tests.fault_injection.system import PAID, TROUBLE, Operation, System
from tests.support.fake_gateway import DAY, HOUR, MINUTE, SECOND
from tests.support.simulation import ClientWrapper

STEPS = 60
PAY_IDS = ("pay-1", "pay-2", "pay-3")
PAUSES = (0, SECOND, 3 * SECOND, MINUTE, HOUR, DAY, 4 * DAY, 10 * DAY, 40 * DAY)
COPIES: tuple[list[int], ...] = ([], [], [0], [SECOND], [40 * SECOND, HOUR], [2 * DAY], [10 * DAY])
"""The additional deliveries of a message, milliseconds after the first one."""

FIELDS: tuple[dict[str, str], ...] = (
    *({}, {}, {"expectedAmount": "19.99"}, {"expectedAmount": "19.99", "orderId": "A-17"}),
    *({"expectedAmount": "1.00", "currency": "USD"}, {"orderId": "B-4"}, {"currency": "USD"}),
)
COMMANDS = ("accept", "close", "forget")
SWITCHES = ("stream_enabled", "sweeper_enabled", "checks_enabled")

_Make = Callable[[Random, str], Operation]
ALWAYS: tuple[tuple[int, _Make], ...] = (
    (8, lambda rng, key: ("order", key, rng.choice(FIELDS), rng.choice(COPIES))),
    (5, lambda rng, key: ("put", key, rng.choice(FIELDS))),
    (6, lambda _, key: ("get", key)),
    (6, lambda *_: ("deliver",)),
    (3, lambda *_: ("sweep_at_once",)),
    (7, lambda rng, key: ("operate", rng.choice(COMMANDS), key)),
    (6, lambda rng, key: ("payer", key, rng.choice(("waiting", "fail", "fail", *PAID)))),
)
"""Operations with their weights."""

ALONE: tuple[tuple[int, _Make], ...] = (
    (4, lambda rng, _: ("fail_gateway", rng.choice([*TROUBLE]), rng.choice(PAUSES[3:]))),
    (3, lambda *_: ("change",)),
    (4, lambda rng, _: ("wait", rng.choice(PAUSES))),
    (12, lambda rng, _: ("go_on", rng.choice(PAUSES))),
    (4, lambda rng, _: ("set", "crash_in", rng.randint(1, 14))),
    (2, lambda rng, _: ("set", "fail_in", rng.randint(1, 14))),
    (9, lambda rng, _: ("during", rng.randint(1, 14), random_operation(rng, ALWAYS))),
    (2, lambda rng, _: ("fail_bus", rng.choice((None, None, "timeout", "Throttling")))),
    (3, lambda rng, _: ("set", rng.choice(SWITCHES), rng.random() < 0.6)),
    (1, lambda *_: ("expire",)),
)
"""Those that do not happen inside of another one."""


def random_operation(rng: Random, choices: Sequence[tuple[int, _Make]]) -> Operation:
    """Return a random one of *choices*."""
    pay_id = rng.choice(PAY_IDS)
    [(_, make)] = rng.choices(choices, [weight for weight, _ in choices])
    return make(rng, pay_id)


def problems_of(operations: Sequence[Operation], design: ClientWrapper | None = None) -> list[str]:
    """Run *operations*, then everything to its end; return what went wrong first."""
    system = System(design, Random(1))  # noqa: S311 - the same for the same operations
    for operation in operations:
        system.apply(operation)
        if system.problems:
            return system.problems
    return next((found for found in _ends(system) if found), [])


def _ends(system: System) -> Iterator[list[str]]:
    """Yield what is wrong after a run without faults, after a nudge, and after all is accepted."""
    system.quiet()
    followed = {
        pay_id
        for pay_id, item in system.payments().items()
        if "workAt" in item and (number(item, "giveUpAt") or 0) > system.now
    }
    system.stream_enabled = system.sweeper_enabled = True
    system.run(12 * DAY)
    system.queue.redrive()
    system.run(12 * DAY)
    yield system.problems + list(unheard(system)) + list(not_told(system, followed))
    system.now += SECOND
    for pay_id in system.payments():
        system.send_order(pay_id)
    system.run(HOUR)
    yield system.problems + list(not_told(system, set(system.payments())))
    for pay_id in system.payments():
        system.accept(pay_id)
    system.run(HOUR)
    yield system.problems + list(_unpaid(system))
    system.run(12 * DAY)
    yield system.problems + list(unheard(system)) + list(_false(system))
    yield list(told_as_first(system))


def unheard(system: System) -> Iterator[str]:
    """P5: everything is settled, at rest, or waits for a person."""
    for pay_id, item in system.payments().items():
        status = text(item, "status")
        if status == "PENDING" or not at_rest(item):
            yield f"{pay_id} is left {status}, {text(item, 'workShard')}"
        if ("attention" in item) is ("expiresAt" in item):
            yield f"{pay_id} is {status} at rest, {sorted(item)}"


def told_as_first(system: System) -> Iterator[str]:
    """Once per order: of its stored payments at most one has an event without duplicateOf.

    Where none has, a DUPLICATE waited for a person. A payment whose erasure was begun is none.
    """
    firsts: dict[str, list[str]] = {}
    for pay_id, item in system.payments().items():
        data = json.loads(text(item, "event") or '{"data": {}}')["data"]
        if "orderId" in data and "duplicateOf" not in data and pay_id not in system.released:
            firsts.setdefault(data["orderId"], []).append(pay_id)
    for order_id, pay_ids in firsts.items():
        if len(pay_ids) > 1:
            yield f"{order_id} has several first payments: {pay_ids}"


def not_told(system: System, expected: set[str]) -> Iterator[str]:
    """P1: what is paid and was asked about has its event, or waits in REVIEW."""
    told = {pay_id for pay_id, details in _told(system).items() if details}
    for pay_id in expected & system.payments().keys():
        item, payer = system.item(pay_id), system.payers.get(pay_id)
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
    for pay_id, item in system.payments().items():
        paid = system.payers.get(pay_id) in PAID
        if paid and text(item, "status") != "SUCCEEDED":
            yield f"{pay_id} was accepted, and is {text(item, 'status')}"


def _told(system: System) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for _, detail in system.bus.log:
        told.setdefault(detail.partition('"payId":"')[2].partition('"')[0], set()).add(detail)
    return told


def _false(system: System) -> Iterator[str]:
    """P2, P3: an event on the bus is the one that was written with the success."""
    for pay_id, details in _told(system).items():
        if not details <= system.details[pay_id] | system.erased[pay_id]:
            yield f"{pay_id}: an event that nobody wrote"
        if pay_id in system.payments() and len(system.details[pay_id]) > 1:
            yield f"{pay_id}: two events"


def _shortened(operations: Sequence[Operation]) -> tuple[list[Operation], list[str]]:
    """Return *operations* without those that the problem does not need, and the problem."""
    left = list(operations)
    found = problems_of(left)
    for position in reversed(range(len(left))):
        fewer = left[:position] + left[position + 1 :]
        if problems := problems_of(fewer):
            left, found = fewer, problems
    return left, found


def compare_with_model(run: Run) -> None:
    """Make runs of STEPS operations; a run with a problem is shortened and ends all."""
    for tried in run.numbers():
        operations = [random_operation(run.rng, (*ALWAYS, *ALONE)) for _ in range(STEPS)]
        if problems := problems_of(operations, run.design):
            if run.design is None:  # of a control the problem is enough
                operations, problems = _shortened(operations)
            run.tries, run.faults = tried + 1, 0
            run.problems += [*problems[:3], f"{operations}"]
            return
        run.faults += STEPS
