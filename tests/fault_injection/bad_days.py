"""P1, P5, P7: what goes wrong on a bad day, each with the operation that another one meets.

Each scenario plays with one payment, and says what is wrong in the end; ``item_rules`` judges all
writes. Where two operations meet, each try lets the second one begin one call later.
"""

from collections.abc import Callable, Iterator
from random import Random

from tests.fault_injection.item_writes import history, number, text
from tests.fault_injection.results import Play, Run
from tests.fault_injection.stateful_model import not_told, unheard
from tests.fault_injection.system import System
from tests.support.fake_gateway import DAY, HOUR, MINUTE, SECOND
from tests.support.simulation import START

PAY_ID = "pay-1"
PRICE = {"expectedAmount": "19.99"}
IN_FLIGHT = ("checks: after query", "checks: before record", "checks: after batch_get_item")
MEETINGS = 16
"""A check has fewer calls."""

GIVE_UP_AT = START + 9 * DAY

Scenario = Callable[[System, int], Iterator[str]]
"""Yields what is wrong; the number says where two operations meet."""


def bad_day(scenario: Scenario) -> Play:
    """Return the campaign that plays *scenario*, with another meeting in each try."""

    def play(run: Run) -> None:
        run.faults = run.size
        for each in run.numbers():
            system = System(run.design, Random(run.rng.random()))  # noqa: S311 - repeatable
            run.problems += [*scenario(system, each % MEETINGS + 1), *system.problems]

    return play


def _begin(system: System, payer: str, pause: int) -> None:
    """Send the order of such a payer, and run for a while."""
    system.payer(PAY_ID, payer)
    system.order(PAY_ID, PRICE, [])
    system.run(pause)


def _settled(system: System) -> Iterator[str]:
    """Without faults, the paid payment is told, and nothing is left."""
    system.quiet()
    system.run(12 * DAY)
    yield from not_told(system, {PAY_ID})
    yield from unheard(system)


@bad_day
def restart_meets_check(system: System, meeting: int) -> Iterator[str]:
    """A FAILED payment is registered again while its late check is under way, and paid later."""
    _begin(system, "fail", HOUR // 2)

    def register_again() -> None:
        system.payer(PAY_ID, "waiting")
        if meeting % 2:
            system.put(PAY_ID, {})
        else:
            system.order(PAY_ID, {}, [])
            system.deliver()

    system.interrupt = IN_FLIGHT[meeting % len(IN_FLIGHT)], register_again
    system.run(2 * HOUR)
    system.run(DAY)
    system.payer(PAY_ID, "paid")
    yield from _settled(system)


@bad_day
def accept_meets_check(system: System, meeting: int) -> Iterator[str]:
    """A payment in REVIEW is accepted while its last late check is under way."""
    _begin(system, "another amount", DAY - HOUR if meeting % 2 else MINUTE)
    call = IN_FLIGHT[meeting % len(IN_FLIGHT)]
    system.interrupt = call, lambda: system.operate("accept", PAY_ID)
    system.run(2 * HOUR)
    yield from _succeeded(system, "accepted")


@bad_day
def accept_after_nine_days(system: System, meeting: int) -> Iterator[str]:
    """A payment in REVIEW for ten days is accepted, and the gateway fails for some minutes."""
    _begin(system, "an odd amount" if meeting % 2 else "no amount", DAY)
    system.wait(9 * DAY)
    system.operate("accept", PAY_ID)
    system.fail_gateway("503", meeting * MINUTE)
    system.run(HOUR)
    yield from _succeeded(system, "accepted on day 10")


@bad_day
def accept_of_another_text(system: System, meeting: int) -> Iterator[str]:
    """The gateway reports another amount while the shown one is accepted: nothing is."""
    _begin(system, "an odd amount", MINUTE)
    system.payer(PAY_ID, "another amount")
    system.during(2 + meeting % 2, ("get", PAY_ID))
    system.operate("accept", PAY_ID)
    system.payer(PAY_ID, "an odd amount")
    system.run(HOUR)
    if "acceptedPayAmount" in system.item(PAY_ID):
        yield "an amount was accepted that was no longer reported"


@bad_day
def accepted_and_again(system: System, _meeting: int) -> Iterator[str]:
    """The order service sends the order of an accepted payment again: no dead letter."""
    _begin(system, "an odd amount", HOUR)
    system.operate("accept", PAY_ID)
    system.run(HOUR)
    yield from _succeeded(system, "accepted")
    system.order(PAY_ID, PRICE, [SECOND])
    system.run(HOUR)
    if system.queue.dead_letters:
        yield "the same order is a dead letter after its payment was accepted"


@bad_day
def failed_and_paid_on_day_2(system: System, meeting: int) -> Iterator[str]:
    """The customer tries again two days after a failure, and the order comes again."""
    _begin(system, "fail", 2 * DAY + HOUR)
    if len(system.gateway.log) != 3:
        yield f"{len(system.gateway.log)} questions: at once, after 1 h, after 24 h"
    system.payer(PAY_ID, "paid")
    if meeting % 2:
        system.order(PAY_ID, PRICE, [SECOND])
    else:
        system.put(PAY_ID, PRICE)
    system.run(HOUR)
    yield from _succeeded(system, "paid on day 2")


@bad_day
def mapping_dead(system: System, meeting: int) -> Iterator[str]:
    """The event source of the queue is off for nine days; who pays meanwhile is told after it."""
    _begin(system, "waiting", meeting * 4 * SECOND)
    system.checks_enabled = False
    system.payer(PAY_ID, "paid" if meeting % 2 else "waiting")
    system.run(GIVE_UP_AT + 2 * HOUR - system.now)
    unsettled = text(system.item(PAY_ID), "status")
    if unsettled not in {"UNRESOLVED", "SUCCEEDED"}:
        yield f"{unsettled} two hours after the end, and no check was made for nine days"
    yield from _settled(system)


@bad_day
def paid_at_the_end(system: System, meeting: int) -> Iterator[str]:
    """The gateway fails until minutes before ``giveUpAt``: the check at that time sees it."""
    _begin(system, "waiting", DAY)
    system.fail_gateway("HTML" if meeting % 2 else "503", GIVE_UP_AT - MINUTE - START - DAY)
    system.run(8 * DAY - 2 * MINUTE)
    system.payer(PAY_ID, "paid")
    system.run(2 * HOUR)
    yield from _succeeded(system, "paid before giveUpAt")


@bad_day
def hiccup_at_the_end(system: System, meeting: int) -> Iterator[str]:
    """The check at ``giveUpAt`` meets a gateway that is down for a minute: it is repeated."""
    _begin(system, "waiting", DAY)
    system.fail_gateway("503", 7 * DAY)
    system.run(8 * DAY - 2 * MINUTE)
    system.fail_gateway("silence", 2 * MINUTE + meeting * 4 * SECOND)
    system.payer(PAY_ID, "paid")
    system.run(2 * HOUR)
    yield from _succeeded(system, "paid before giveUpAt, asked again after it")


@bad_day
def erased(system: System, meeting: int) -> Iterator[str]:
    """A follow-up comes after its payment was erased: it is not stored anew."""
    system.order(PAY_ID, PRICE, [])
    system.deliver()
    system.queue.redeliver_after = lambda: [2 * DAY]
    system.run(meeting * SECOND)
    system.payer(PAY_ID, "paid")
    system.run(DAY)
    system.operate("forget", PAY_ID)
    if system.payments():
        yield "the payment was not erased"
    system.payer(PAY_ID, "another amount")
    system.run(3 * DAY)
    if system.payments():
        yield f"an erased payment is {text(system.item(PAY_ID), 'status')} again"


@bad_day
def amend_meets_success(system: System, meeting: int) -> Iterator[str]:
    """An amount is registered while a success without one is written."""
    system.order(PAY_ID, {}, [])
    system.run(MINUTE)
    system.payer(PAY_ID, "paid")
    system.wait(20 * SECOND)
    system.during(meeting, ("deliver",))
    system.put(PAY_ID, {"expectedAmount": "5.00"})
    yield from _settled(system)


@bad_day
def crash_before_metric(system: System, meeting: int) -> Iterator[str]:
    """A check dies after its write of REVIEW: the item still waits for a person."""
    system.payer(PAY_ID, "another amount")
    system.order(PAY_ID, PRICE, [])
    system.crash_in = meeting
    system.run(HOUR)
    system.quiet()
    system.run(HOUR)
    if "attention" not in system.item(PAY_ID):
        yield f"{text(system.item(PAY_ID), 'status')} waits for nobody"


def failed_each_minute(run: Run) -> None:
    """A FAILED payment is queued each minute: the item stops growing."""
    system = System(run.design, Random(run.rng.random()))  # noqa: S311 - repeatable
    sizes = set[int]()
    system.payer(PAY_ID, "fail")
    for minute in run.numbers():
        system.order(PAY_ID, PRICE, [])
        system.run(MINUTE)
        system.now = START + (minute + 1) * MINUTE
        if minute >= 100:  # two entries of the history for each restart, 51 are kept
            sizes.add(len(str(system.item(PAY_ID))))
    item, asked = system.item(PAY_ID), len(system.gateway.log)
    run.faults = run.size
    run.problems += system.problems[:5]
    if sizes and max(sizes) - min(sizes) > 100:  # the counters get longer
        run.problems.append(f"the item has {min(sizes)} to {max(sizes)} characters")
    if (
        not run.size / 2 < asked <= run.size + 2
        or number(item, "attempt") == 0
        or not history(item)
    ):
        run.problems.append(f"{asked} questions for {run.size} messages")


def _succeeded(system: System, why: str) -> Iterator[str]:
    status = text(system.item(PAY_ID), "status")
    if status != "SUCCEEDED" or not system.bus.log:
        yield f"{why}: the payment is {status}"
