"""C27, once per order: at most one payment of an order has an event without duplicateOf.

Each further one names the first one and waits for a person, whatever crashes, races or is lost.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from random import Random

from botocore.exceptions import ClientError

from tests.fault_injection.item_rules import text
from tests.fault_injection.races import InterleavingScheduler
from tests.fault_injection.results import CampaignRun, OnProgress, Run
from tests.fault_injection.stateful_model import Operation, System, not_told
from tests.support.fake_aws import Call, Crash
from tests.support.fake_gateway import (
    DAY,
    HOUR,
    MINUTE,
    PARTNER,
    SECOND,
    GatewayResponse,
    json_response,
)
from tests.support.oracle import Verdict, merged
from tests.support.simulation import ClientWrapper, Simulation, unwrapped

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
RETENTION_DAYS = 30


def paid(pay_id: str, _earlier_queries: int, _now: int) -> GatewayResponse:
    """Return a response for a payment that is paid."""
    return json_response(pay_id, "success")


def new_simulation(rng: Random, wrap: ClientWrapper = unwrapped) -> Simulation:
    """Return a simulation in which everything is paid, and may expire."""
    return Simulation(paid, rng, wrap=wrap, retention_days=RETENTION_DAYS)


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


def six_at_once(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """Six payIds of one order are paid at the same time: one first, five duplicates, six events."""
    verdicts: list[Verdict] = []
    problems: list[str] = []
    switches = 0
    for number in range(size):
        simulation = _race(rng, wrap)
        verdicts.append(simulation.verdict(set(PAYMENTS)))
        problems += wrong_orders(simulation, ORDER, PAYMENTS)
        switches += simulation.faults
        on_progress(number / size)
    return CampaignRun(size, switches, merged(verdicts), tuple(problems))


def _race(rng: Random, wrap: ClientWrapper) -> Simulation:
    simulation = new_simulation(rng, wrap)
    simulation.queue.batch_size = 1
    scheduler = InterleavingScheduler(rng)

    def switch(_: Call) -> None:
        simulation.faults += 1
        scheduler.yield_turn()

    for pay_id in PAYMENTS:  # before the race: an event without its order would not be told apart
        simulation.put_payment(pay_id, orderId=ORDER, **AMOUNT)
    simulation.on_call = switch
    scheduler.run(
        [
            *[simulation.deliver_messages] * 6,
            *[lambda: simulation.get_payment(rng.choice(PAYMENTS))] * 2,
            simulation.deliver_changes,
            simulation.sweep,
        ]
    )
    simulation.run_to_completion()
    return simulation


def order_crash_at(point: str) -> Run:
    """Return the campaign in which every second invocation (at random) ends at *point*.

    Each order has three payments.
    """

    def run(
        size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
    ) -> CampaignRun:
        simulation = new_simulation(rng, wrap)
        simulation.queue.redeliver_after = lambda: [rng.choice((0, SECOND, 40 * SECOND))]

        def crash(call: Call) -> None:
            if str(call) == point and rng.random() < CRASH_PROBABILITY:
                simulation.crash()

        simulation.on_call = crash
        by_api = point.startswith("api")
        done = play_orders(simulation, size, by_api=by_api, on_progress=on_progress)
        missed = () if simulation.faults else (f"never reached {point}",)
        return CampaignRun(size, done.faults, done.verdict, done.problems + missed)

    return run


def lost_answers(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """A third of the writes are made, and their answers lost: an error in their place."""
    simulation = new_simulation(rng, wrap)

    def lose(call: Call) -> None:
        lost = call.when == "after" and call.kind in LOST and call.function != "publisher"
        if lost and rng.random() < LOSS_PROBABILITY:
            simulation.faults += 1
            raise ClientError({"Error": {"Code": "RequestTimeout"}}, call.kind)

    simulation.on_call = lose
    return play_orders(simulation, size, by_api=True, on_progress=on_progress)


def play_orders(
    simulation: Simulation, size: int, *, by_api: bool, on_progress: OnProgress
) -> CampaignRun:
    """Send *size* orders of three payments each, have them settled, and judge them."""
    orders = {f"A-{number}": tuple(f"pay-{number}-{n}" for n in range(3)) for number in range(size)}
    for number, (order_id, pay_ids) in enumerate(orders.items()):
        for pay_id in pay_ids:
            if by_api:
                _get_registered(simulation, pay_id, order_id)
            else:
                simulation.send_order(pay_id, orderId=order_id, **AMOUNT)
        simulation.run(SECOND)
        on_progress(number / size)
    simulation.run(DAY)
    faults = simulation.faults
    simulation.run_to_completion()
    every = {pay_id for pay_ids in orders.values() for pay_id in pay_ids}
    problems = (wrong_orders(simulation, *order) for order in orders.items())
    found = tuple(each for several in problems for each in several)
    return CampaignRun(size, faults, simulation.verdict(every), found)


def _get_registered(simulation: Simulation, pay_id: str, order_id: str) -> None:
    """PUT and GET a payment, again after an error, as callers do."""
    for _ in range(25):
        with suppress(Crash, ClientError):
            done = simulation.put_payment(pay_id, orderId=order_id, **AMOUNT) < 500
            if done and simulation.get_payment(pay_id) < 500:
                return
        simulation.run(3 * SECOND)


# Scenarios of ``bad_days``: with operators, and each write judged by ``item_rules``.


def late_orders(system: System, meeting: int) -> Iterator[str]:
    """The orderIds are registered after the success, each again after a crash or a lost answer."""
    pay_ids = PAYMENTS[:3]
    for pay_id in pay_ids:
        system.payer(pay_id, "paid")
        system.get(pay_id)
    system.run(HOUR)
    for pay_id in pay_ids:
        (system.crash if meeting % 2 else system.throttle)(meeting)
        if meeting % 3:
            system.put(pay_id, {"orderId": ORDER})
        else:
            system.order(pay_id, {"orderId": ORDER}, [SECOND])
            system.run(MINUTE)
        system.quiet()
        system.put(pay_id, {"orderId": ORDER})
    system.run(HOUR)
    yield from wrong_orders(system.simulation, ORDER, pay_ids, late=True)


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
    system.during(meeting, Operation("put", (first, {"expectedAmount": "5.00"})))
    system.get(first)
    system.quiet()
    system.order(second, {"orderId": ORDER}, [])
    system.run(HOUR)
    marked = system.simulation.marker(ORDER)
    waits = text(system.simulation.item(second), "attention")
    if (marked == first) is not (waits == f"{PARTNER}#DUPLICATE"):
        yield f"the order is marked by {marked}, the second payment waits as {waits}"
    yield from not_told(system, {second})


def forgotten(system: System, meeting: int) -> Iterator[str]:
    """The first payment is erased, and its marker before it; a duplicate leaves the marker alone.

    Where the operator's command dies in between, it is repeated.
    """
    first, second, third = PAYMENTS[:3]
    for pay_id in (first, second):
        system.payer(pay_id, "paid")
        system.order(pay_id, {"orderId": ORDER}, [])
        system.run(HOUR)
    simulation = system.simulation
    system.operate("close", second)
    erased = second if meeting % 2 else first
    system.crash(meeting // 2)
    system.operate("forget", erased)
    system.quiet()
    system.operate("forget", erased)
    if simulation.item(erased):
        yield f"{erased} was not erased"
    if simulation.marker(ORDER) != (first if erased == second else None):
        yield f"{erased} was erased, and the marker names {simulation.marker(ORDER)}"
    system.payer(third, "paid")
    system.order(third, {"orderId": ORDER}, [])
    system.run(HOUR)
    told = _told(simulation, third)
    if told != {first if erased == second else None}:
        yield f"{erased} was erased, and the next payment says {told}"
    yield from simulation.problems
