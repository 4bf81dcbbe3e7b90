"""P1, P5, P7: what goes wrong on a bad day, each with the operation that another one meets.

Each scenario plays with one payment, and says what is wrong in the end; ``item_rules`` judges all
writes. Where two operations meet, each try lets the second one begin one call later.
"""

from collections.abc import Callable, Iterator
from random import Random

from tests.fault_injection.item_rules import history, number, text
from tests.fault_injection.results import CampaignRun, OnProgress, Run
from tests.fault_injection.stateful_model import Operation, System, not_told, unheard
from tests.support.fake_gateway import DAY, HOUR, MINUTE, SECOND
from tests.support.oracle import Verdict
from tests.support.simulation import START, ClientWrapper, unwrapped

PAY_ID = "pay-1"
PRICE = {"expectedAmount": "19.99"}
IN_FLIGHT = ("checks: after query", "checks: before record", "checks: after batch_get_item")
MEETINGS = 16
"""A check has fewer calls."""

GIVE_UP_AT = START + 9 * DAY

Scenario = Callable[[System, int], Iterator[str]]
"""Yields what is wrong; the number says where two operations meet."""


def bad_day(scenario: Scenario) -> Run:
    """Return the campaign that plays *scenario*, with another meeting in each try."""

    def run(
        size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
    ) -> CampaignRun:
        problems: list[str] = []
        for each in range(size):
            system = System(wrap, Random(rng.random()))  # noqa: S311 - repeatable
            problems += [*scenario(system, each % MEETINGS + 1), *system.simulation.problems]
            on_progress(each / size)
        return CampaignRun(size, size, Verdict(), tuple(problems))

    return run


def _begin(system: System, payer: str, pause: int) -> None:
    """Send the order of such a payer, and run for a while."""
    system.payer(PAY_ID, payer)
    system.order(PAY_ID, PRICE, [])
    system.run(pause)


def _settled(system: System) -> Iterator[str]:
    """Without faults, the paid payment is told, and nothing is left."""
    system.quiet()
    system.simulation.run(12 * DAY)
    yield from not_told(system, {PAY_ID})
    yield from unheard(system)


def restart_meets_late_check(system: System, meeting: int) -> Iterator[str]:
    """A FAILED payment is registered again while its late check is under way, and paid later."""
    _begin(system, "fail", HOUR // 2)

    def register_again() -> None:
        system.payer(PAY_ID, "waiting")
        if meeting % 2:
            system.put(PAY_ID, {})
        else:
            system.order(PAY_ID, {}, [])
            system.deliver()

    system.simulation.interrupt = IN_FLIGHT[meeting % len(IN_FLIGHT)], register_again
    system.run(2 * HOUR)
    system.run(DAY)
    system.payer(PAY_ID, "paid")
    yield from _settled(system)


def accept_meets_late_check(system: System, meeting: int) -> Iterator[str]:
    """A payment in REVIEW is accepted while its last late check is under way."""
    _begin(system, "another amount", DAY - HOUR if meeting % 2 else MINUTE)
    call = IN_FLIGHT[meeting % len(IN_FLIGHT)]
    system.simulation.interrupt = call, lambda: system.operate("accept", PAY_ID)
    system.run(2 * HOUR)
    yield from _succeeded(system, "accepted")


def accept_after_nine_days(system: System, meeting: int) -> Iterator[str]:
    """A payment in REVIEW for ten days is accepted, and the gateway fails for some minutes."""
    _begin(system, "an odd amount" if meeting % 2 else "no amount", DAY)
    system.wait(9 * DAY)
    system.operate("accept", PAY_ID)
    system.fail_gateway("503", meeting * MINUTE)
    system.run(HOUR)
    yield from _succeeded(system, "accepted on day 10")


def accept_of_another_text(system: System, meeting: int) -> Iterator[str]:
    """The gateway reports another amount while the shown one is accepted: nothing is."""
    _begin(system, "an odd amount", MINUTE)
    system.payer(PAY_ID, "another amount")
    system.during(2 + meeting % 2, Operation("get", (PAY_ID,)))
    system.operate("accept", PAY_ID)
    system.payer(PAY_ID, "an odd amount")
    system.run(HOUR)
    if "acceptedPayAmount" in system.simulation.item(PAY_ID):
        yield "an amount was accepted that was no longer reported"


def accepted_and_ordered_again(system: System, _meeting: int) -> Iterator[str]:
    """The order service sends the order of an accepted payment again: no dead letter."""
    _begin(system, "an odd amount", HOUR)
    system.operate("accept", PAY_ID)
    system.run(HOUR)
    yield from _succeeded(system, "accepted")
    system.order(PAY_ID, PRICE, [SECOND])
    system.run(HOUR)
    if system.simulation.queue.dead_letters:
        yield "the same order is a dead letter after its payment was accepted"


def failed_and_paid_on_day_2(system: System, meeting: int) -> Iterator[str]:
    """The customer tries again two days after a failure, and the order comes again."""
    _begin(system, "fail", 2 * DAY + HOUR)
    if len(system.simulation.gateway.log) != 3:
        yield f"{len(system.simulation.gateway.log)} questions: at once, after 1 h, after 24 h"
    system.payer(PAY_ID, "paid")
    if meeting % 2:
        system.order(PAY_ID, PRICE, [SECOND])
    else:
        system.put(PAY_ID, PRICE)
    system.run(HOUR)
    yield from _succeeded(system, "paid on day 2")


def mapping_dead(system: System, meeting: int) -> Iterator[str]:
    """The event source of the queue is off for nine days; who pays meanwhile is told after it."""
    _begin(system, "waiting", meeting * 4 * SECOND)
    system.simulation.checks_enabled = False
    system.payer(PAY_ID, "paid" if meeting % 2 else "waiting")
    system.simulation.run(GIVE_UP_AT + 2 * HOUR - system.simulation.now)
    unsettled = text(system.simulation.item(PAY_ID), "status")
    if unsettled not in {"UNRESOLVED", "SUCCEEDED"}:
        yield f"{unsettled} two hours after the end, and no check was made for nine days"
    yield from _settled(system)


def paid_at_the_end(system: System, meeting: int) -> Iterator[str]:
    """The gateway fails until minutes before ``giveUpAt``: the check at that time sees it."""
    _begin(system, "waiting", DAY)
    system.fail_gateway("HTML" if meeting % 2 else "503", GIVE_UP_AT - MINUTE - START - DAY)
    system.run(8 * DAY - 2 * MINUTE)
    system.payer(PAY_ID, "paid")
    system.run(2 * HOUR)
    yield from _succeeded(system, "paid before giveUpAt")


def hiccup_at_the_end(system: System, meeting: int) -> Iterator[str]:
    """The check at ``giveUpAt`` meets a gateway that is down for a minute: it is repeated."""
    _begin(system, "waiting", DAY)
    system.fail_gateway("503", 7 * DAY)
    system.run(8 * DAY - 2 * MINUTE)
    system.fail_gateway("silence", 2 * MINUTE + meeting * 4 * SECOND)
    system.payer(PAY_ID, "paid")
    system.run(2 * HOUR)
    yield from _succeeded(system, "paid before giveUpAt, asked again after it")


def erased(system: System, meeting: int) -> Iterator[str]:
    """A follow-up comes after its payment was erased: it is not stored anew."""
    system.order(PAY_ID, PRICE, [])
    system.deliver()
    system.simulation.queue.redeliver_after = lambda: [2 * DAY]
    system.run(meeting * SECOND)
    system.payer(PAY_ID, "paid")
    system.run(DAY)
    system.operate("forget", PAY_ID)
    if system.simulation.payments():
        yield "the payment was not erased"
    system.payer(PAY_ID, "another amount")
    system.run(3 * DAY)
    if system.simulation.payments():
        yield f"an erased payment is {text(system.simulation.item(PAY_ID), 'status')} again"


def amend_meets_success(system: System, meeting: int) -> Iterator[str]:
    """An amount is registered while a success without one is written."""
    system.order(PAY_ID, {}, [])
    system.run(MINUTE)
    system.payer(PAY_ID, "paid")
    system.wait(20 * SECOND)
    system.during(meeting, Operation("deliver"))
    system.put(PAY_ID, {"expectedAmount": "5.00"})
    yield from _settled(system)


def crash_before_metric(system: System, meeting: int) -> Iterator[str]:
    """A check dies after its write of REVIEW: the item still waits for a person."""
    system.payer(PAY_ID, "another amount")
    system.order(PAY_ID, PRICE, [])
    system.crash(meeting)
    system.run(HOUR)
    system.quiet()
    system.run(HOUR)
    if "attention" not in system.simulation.item(PAY_ID):
        yield f"{text(system.simulation.item(PAY_ID), 'status')} waits for nobody"


def failed_each_minute(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """A FAILED payment is queued each minute, *size* times: the item stops growing."""
    system = System(wrap, Random(rng.random()))  # noqa: S311 - repeatable
    simulation, sizes = system.simulation, set[int]()
    system.payer(PAY_ID, "fail")
    for minute in range(size):
        system.order(PAY_ID, PRICE, [])
        system.run(MINUTE)
        simulation.now = START + (minute + 1) * MINUTE
        if minute >= 100:  # two entries of the history for each restart, 51 are kept
            sizes.add(len(str(simulation.item(PAY_ID))))
        on_progress(minute / size)
    item, asked = simulation.item(PAY_ID), len(simulation.gateway.log)
    problems = simulation.problems[:5]
    if sizes and max(sizes) - min(sizes) > 100:  # the counters get longer
        problems.append(f"the item has {min(sizes)} to {max(sizes)} characters")
    if not size / 2 < asked <= size + 2 or number(item, "attempt") == 0 or not history(item):
        problems.append(f"{asked} questions for {size} messages")
    return CampaignRun(size, size, Verdict(), tuple(problems))


def _succeeded(system: System, why: str) -> Iterator[str]:
    status = text(system.simulation.item(PAY_ID), "status")
    if status != "SUCCEEDED" or not system.simulation.bus.log:
        yield f"{why}: the payment is {status}"
