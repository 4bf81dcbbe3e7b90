"""C27, once per order: at most one payment of an order has an event without duplicateOf.

Each further one names the first one and waits for a person, whatever crashes, races or is lost.
"""

import json
from collections.abc import Iterator
from contextlib import suppress

from botocore.exceptions import ClientError

from tests.fault_injection.bad_days import bad_day
from tests.fault_injection.item_writes import text
from tests.fault_injection.races import InterleavingScheduler
from tests.fault_injection.results import Play, Run
from tests.fault_injection.stateful_model import not_told
from tests.fault_injection.system import System
from tests.support.fake_aws import Call, Crash
from tests.support.fake_gateway import (
    DAY,
    HOUR,
    MINUTE,
    PARTNER,
    SECOND,
    json_response,
)
from tests.support.simulation import Simulation

ORDER = "A-17"
PAYMENTS = tuple(f"pay-{number}" for number in range(6))
AMOUNT = {"expectedAmount": "19.99"}

CRASH_POINTS = (
    "checks: before claim order",
    "checks: after claim order",
    "checks: before succeed",
    "checks: after succeed",
    "api: after claim order",
    "api: after succeed",
    "publisher: after mark",
    "publisher: before expire order",
)
"""The calls between mark, success and the marker's expiry at which an invocation may end."""

LOST = ("claim order", "succeed", "mark", "expire order", "register", "amend", "claim")
"""The kinds of writes whose answer is lost."""

LOSS_PROBABILITY = 0.3
CRASH_PROBABILITY = 0.5


def _everything_paid(run: Run) -> Simulation:
    """Return a simulation in which everything is paid, and may expire."""
    return run.simulate(lambda pay_id, *_: json_response(pay_id, "success"), retention_days=30)


def wrong_orders(
    simulation: Simulation, order_id: str, pay_ids: tuple[str, ...], *, late: bool = False
) -> Iterator[str]:
    """Yield what is wrong with the paid payments of an order, without faults at the end.

    *late*: the order was registered after the events were made, which name neither it nor a first
    payment.
    """
    items = {pay_id: simulation.dynamodb.items[f"{PARTNER}#{pay_id}"] for pay_id in pay_ids}
    marker = simulation.dynamodb.items.get(f"{PARTNER}#order#{order_id}", {})
    holder = text(marker, "payId")
    waiting = {each for each in pay_ids if text(items[each], "attention")}
    if holder not in pay_ids or waiting != set(pay_ids) - {holder}:
        yield f"{order_id} is held by {holder}, and {sorted(waiting)} wait for a person"
    told = {each: _told(simulation, each) for each in pay_ids}
    expected = {each: {None if late or each == holder else holder} for each in pay_ids}
    if told != expected:
        yield f"{order_id} is held by {holder}, and its events say {told}"


def _told(simulation: Simulation, pay_id: str) -> set[str | None]:
    """Return what the events of a payment on the bus say: none is an empty set."""
    events = [json.loads(detail)["data"] for _, detail in simulation.bus.log]
    return {each.get("duplicateOf") for each in events if each["payId"] == pay_id}


def six_at_once(run: Run) -> None:
    """Six payIds of one order are paid at the same time: one first, five duplicates, six events."""
    for _ in run.numbers():
        simulation = _race(run)
        run.judge(simulation, set(PAYMENTS))
        run.problems += wrong_orders(simulation, ORDER, PAYMENTS)


def _race(run: Run) -> Simulation:
    simulation = _everything_paid(run)
    simulation.queue.batch_size = 1
    scheduler = InterleavingScheduler(run.rng)

    def switch(_: Call) -> None:
        simulation.faults += 1
        scheduler.yield_turn()

    for pay_id in PAYMENTS:  # before the race: an event without its order would not be told apart
        simulation.put_payment(pay_id, orderId=ORDER, **AMOUNT)
    simulation.on_call = switch
    scheduler.run(
        [
            *[simulation.deliver_messages] * 6,
            *[lambda: simulation.get_payment(run.rng.choice(PAYMENTS))] * 2,
            simulation.deliver_changes,
            simulation.sweep,
        ]
    )
    simulation.run_to_completion()
    return simulation


def order_crash_at(point: str) -> Play:
    """Return the campaign in which every second invocation (at random) ends at *point*.

    Each order has three payments.
    """

    def play(run: Run) -> None:
        simulation = _everything_paid(run)
        simulation.queue.redeliver_after = lambda: [run.rng.choice((0, SECOND, 40 * SECOND))]

        def crash(call: Call) -> None:
            if str(call) == point and run.rng.random() < CRASH_PROBABILITY:
                simulation.crash()

        simulation.on_call = crash
        _play_orders(run, simulation, by_api=point.startswith("api"))
        run.problems += [] if run.faults else [f"never reached {point}"]

    return play


def lost_answers(run: Run) -> None:
    """A third of the writes are made, and their answers lost: an error in their place."""
    simulation = _everything_paid(run)

    def lose(call: Call) -> None:
        lost = call.when == "after" and call.kind in LOST and call.function != "publisher"
        if lost and run.rng.random() < LOSS_PROBABILITY:
            simulation.faults += 1
            raise ClientError({"Error": {"Code": "RequestTimeout"}}, call.kind)

    simulation.on_call = lose
    _play_orders(run, simulation, by_api=True)


def _play_orders(run: Run, simulation: Simulation, *, by_api: bool) -> None:
    """Send orders of three payments each, have them settled, and judge them."""
    orders: dict[str, tuple[str, ...]] = {}
    for number in run.numbers():
        order_id = f"A-{number}"
        orders[order_id] = tuple(f"pay-{number}-{n}" for n in range(3))
        for pay_id in orders[order_id]:
            if by_api:
                _get_registered(simulation, pay_id, order_id)
            else:
                simulation.send_order(pay_id, orderId=order_id, **AMOUNT)
        simulation.run(SECOND)
    simulation.run(DAY)
    simulation.run_to_completion()
    run.judge(simulation, set().union(*orders.values()))
    for order_id, pay_ids in orders.items():
        run.problems += wrong_orders(simulation, order_id, pay_ids)


def _get_registered(simulation: Simulation, pay_id: str, order_id: str) -> None:
    """PUT and GET a payment, again after an error, as callers do."""
    for _ in range(25):
        with suppress(Crash, ClientError):
            done = simulation.put_payment(pay_id, orderId=order_id, **AMOUNT) < 500
            if done and simulation.get_payment(pay_id) < 500:
                return
        simulation.run(3 * SECOND)


after_success = order_crash_at("checks: after succeed")

# Scenarios of ``bad_days``: with operators, and each write judged by ``item_rules``.


@bad_day
def late_orders(system: System, meeting: int) -> Iterator[str]:
    """The orderIds are registered after the success, each again after a crash or a lost answer."""
    pay_ids = PAYMENTS[:3]
    for pay_id in pay_ids:
        system.payer(pay_id, "paid")
        system.get(pay_id)
    system.run(HOUR)
    for pay_id in pay_ids:
        setattr(system, "crash_in" if meeting % 2 else "fail_in", meeting)
        if meeting % 3:
            system.put(pay_id, {"orderId": ORDER})
        else:
            system.order(pay_id, {"orderId": ORDER}, [SECOND])
            system.run(MINUTE)
        system.quiet()
        system.put(pay_id, {"orderId": ORDER})
    system.run(HOUR)
    yield from wrong_orders(system, ORDER, pay_ids, late=True)


@bad_day
def amount_after_the_mark(system: System, meeting: int) -> Iterator[str]:
    """Another amount is registered while the first success is written: its order has no event.

    Or it has one, if the success was faster. The second payment is a DUPLICATE in each case.
    """
    first, second = PAYMENTS[:2]
    system.payer(first, "waiting")
    system.order(first, {"orderId": ORDER}, [])
    system.run(MINUTE)
    for pay_id in (first, second):
        system.payer(pay_id, "paid")
    system.wait(20 * SECOND)
    system.during(meeting, ("put", first, {"expectedAmount": "5.00"}))
    system.get(first)
    system.quiet()
    system.order(second, {"orderId": ORDER}, [])
    system.run(HOUR)
    marked = system.marker(ORDER)
    waits = text(system.item(second), "attention")
    if (marked == first) is not (waits == f"{PARTNER}#DUPLICATE"):
        yield f"the order is marked by {marked}, the second payment waits as {waits}"
    yield from not_told(system, {second})


@bad_day
def forgotten(system: System, meeting: int) -> Iterator[str]:
    """The first payment is erased, and its marker before it; a duplicate leaves the marker alone.

    Where the operator's command dies in between, it is repeated.
    """
    first, second, third = PAYMENTS[:3]
    for pay_id in (first, second):
        system.payer(pay_id, "paid")
        system.order(pay_id, {"orderId": ORDER}, [])
        system.run(HOUR)
    system.operate("close", second)
    erased = second if meeting % 2 else first
    system.crash_in = meeting // 2
    system.operate("forget", erased)
    system.quiet()
    system.operate("forget", erased)
    if system.item(erased):
        yield f"{erased} was not erased"
    if system.marker(ORDER) != (first if erased == second else None):
        yield f"{erased} was erased, and the marker names {system.marker(ORDER)}"
    system.payer(third, "paid")
    system.order(third, {"orderId": ORDER}, [])
    system.run(HOUR)
    told = _told(system, third)
    if told != {first if erased == second else None}:
        yield f"{erased} was erased, and the next payment says {told}"
    yield from system.problems
