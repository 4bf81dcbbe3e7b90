"""What a reply means for a payment, and what happens next. Pure: no clocks, no I/O.

The status graph: PENDING < UNRESOLVED < FAILED < REVIEW < SUCCEEDED. A reply may only raise
the rank, silence changes nothing, and SUCCEEDED is the end.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from payresult.domain.payment import Payment, Registration, Status, Trouble
from payresult.domain.registration import amount_matches
from payresult.domain.reply import Reply
from payresult.domain.schedule import QUEUE_LIMIT, Schedule, after_trouble, late_check, spread
from payresult.errors import BadReply, GatewayUnavailable

WATCHDOG = 15 * 60 * 1000
"""How long after its planned check a payment counts as lost: SQS's longest delay."""

WATCHDOG_SLACK = 2 * 60 * 1000

Answer = Reply | GatewayUnavailable | BadReply
"""What came of asking."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the deployment decides about following and judging."""

    schedule: Schedule
    failed_values: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Next:
    """What follows a check: the status then, and when and by whom the next one is led.

    ``lead`` is "queue" (a message that SQS holds back until ``check_at``), "sweeper" (at
    ``work_at``), or None: nothing is left to do. ``work_at`` None leaves the watchdog alone.
    """

    status: Status
    attempt: int
    trouble: Trouble | None = None
    lead: Literal["queue", "sweeper"] | None = None
    check_at: int | None = None
    work_at: int | None = None


def is_success(pay_rst: str) -> bool:
    """Say whether *pay_rst* is the gateway's ``success``, in whatever case it writes it.

    The documents show ``success`` and ``SUCCESS``. Nothing is stripped, and only ASCII
    counts: to ``casefold``, a word with a long s is a success too.
    """
    return pay_rst.isascii() and pay_rst.lower() == "success"


def judge(reply: Reply, registration: Registration, failed_values: Collection[str]) -> Status:
    """Return what *reply* alone says of a payment that was registered so."""
    if is_success(reply.pay_rst):
        paid_right = amount_matches(reply.fields.get("payAmount"), registration)
        return Status.SUCCEEDED if paid_right else Status.REVIEW
    return Status.FAILED if reply.pay_rst in failed_values else Status.PENDING


def is_unknown(reply: Reply, failed_values: Collection[str]) -> bool:
    """Say whether nobody told us what this ``payRst`` means."""
    return not is_success(reply.pay_rst) and reply.pay_rst not in failed_values


def raised(stored: Status, said: Status) -> Status:
    """Return the status after a reply that says *said*: the higher rank of the two."""
    return max(stored, said, key=lambda status: status.rank)


def next_of(payment: Payment, answer: Answer, rules: Rules, now: int, chance: float) -> Next:
    """Return what a check of the chain leads to. *chance* in [0, 1) spreads the delays."""
    if isinstance(answer, GatewayUnavailable):
        trouble = _unavailable(payment.last_error, now)
        delay = after_trouble(trouble.tries, answer.retry_after, chance)
        return _planned(payment, Next(payment.status, payment.attempt, trouble), now, delay)
    attempt = payment.attempt + 1
    if isinstance(answer, BadReply):
        then = Next(payment.status, attempt, Trouble("bad_reply", now, 1, answer.http_status))
    else:
        said = judge(answer, payment.registration, rules.failed_values)
        then = Next(raised(payment.status, said), attempt)
    if then.status.rank >= Status.FAILED.rank:
        late = _late(payment, then, now, rules.schedule)
        if late.lead is not None or isinstance(answer, Reply):
            return late
        # The last word of a late check must have a meaning: it is made again, by the schedule.
    delay_then = rules.schedule.after(attempt)
    if delay_then is None:
        return replace(then, status=raised(then.status, Status.UNRESOLVED))
    return _planned(payment, then, now, spread(delay_then, chance))


def after_live_check(payment: Payment, reply: Reply, rules: Rules, now: int) -> Next:
    """Return what an answer leads to that the chain did not ask for.

    The chain keeps its attempt and its plan. Only a payment that nobody follows any more
    and that turns FAILED or REVIEW gets its late checks.
    """
    said = judge(reply, payment.registration, rules.failed_values)
    then = Next(raised(payment.status, said), payment.attempt)
    if then.status is payment.status or payment.work_at is not None:
        return then
    return _late(payment, then, now, rules.schedule)


def _unavailable(last: Trouble | None, now: int) -> Trouble:
    in_a_row = last.tries if last and last.kind == "unavailable" else 0
    return Trouble("unavailable", now, in_a_row + 1)


def _planned(payment: Payment, then: Next, now: int, delay: float) -> Next:
    """Plan the next check *delay* seconds from *now*, or end the following at ``giveUpAt``."""
    if payment.give_up_at <= now:
        return replace(then, status=raised(then.status, Status.UNRESOLVED))
    check_at = min(now + round(delay * 1000), payment.give_up_at)
    if delay > QUEUE_LIMIT:
        return replace(then, lead="sweeper", check_at=check_at, work_at=check_at)
    remaining = (payment.work_at or 0) - check_at
    work_at = check_at + WATCHDOG if remaining < WATCHDOG_SLACK else None
    return replace(then, lead="queue", check_at=check_at, work_at=work_at)


def _late(payment: Payment, then: Next, now: int, schedule: Schedule) -> Next:
    """Plan a late check of a FAILED or REVIEW payment, while it has checks left."""
    if then.status is Status.SUCCEEDED or then.attempt >= schedule.checks:
        return then
    changed = then.status is not payment.status
    changed_at = now if changed or not payment.history else payment.history[-1].at
    check_at = late_check(changed_at, now)
    if check_at is None:
        return then
    return replace(then, lead="sweeper", check_at=check_at, work_at=check_at)
