"""What a reply means for a payment, and what happens next. Pure: no clocks, no I/O.

The status graph: PENDING < UNRESOLVED < FAILED < REVIEW < SUCCEEDED. A reply may only raise
the rank, silence changes nothing, and SUCCEEDED is the end.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from payresult.domain.payment import CheckError, Payment, Registration, Status
from payresult.domain.registration import amount_matches
from payresult.domain.reply import Reply
from payresult.domain.schedule import MAX_QUEUE_DELAY, Schedule, backoff, jitter, late_check
from payresult.errors import GatewayUnavailable, InvalidReply

WATCHDOG_MS = 15 * 60 * 1000
"""How long after its planned check a payment counts as lost: SQS's longest delay."""

WATCHDOG_SLACK_MS = 2 * 60 * 1000

GatewayResult = Reply | GatewayUnavailable | InvalidReply
"""What came of asking."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the deployment decides about following and judging."""

    schedule: Schedule
    failed_values: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """What follows a check: the status then, and when and by whom the next one is led.

    ``via`` is "queue" (a message that SQS holds back until ``check_at``), "sweeper" (at
    ``work_at``), or None: nothing is left to do. ``work_at`` None leaves the watchdog alone.
    """

    status: Status
    attempt: int
    error: CheckError | None = None
    via: Literal["queue", "sweeper"] | None = None
    check_at: int | None = None
    work_at: int | None = None


def is_success(pay_rst: str) -> bool:
    """Say whether *pay_rst* is the gateway's ``success``, in whatever case it writes it.

    The documents show ``success`` and ``SUCCESS``. Nothing is stripped, and only ASCII
    counts: to ``casefold``, a word with a long s is a success too.
    """
    return pay_rst.isascii() and pay_rst.lower() == "success"


def status_of_reply(
    reply: Reply, registration: Registration, failed_values: Collection[str]
) -> Status:
    """Return what *reply* alone says of a payment that was registered so."""
    if is_success(reply.pay_rst):
        paid_right = amount_matches(reply.fields.get("payAmount"), registration)
        return Status.SUCCEEDED if paid_right else Status.REVIEW
    return Status.FAILED if reply.pay_rst in failed_values else Status.PENDING


def is_unknown_pay_rst(reply: Reply, failed_values: Collection[str]) -> bool:
    """Say whether nobody told us what this ``payRst`` means."""
    return not is_success(reply.pay_rst) and reply.pay_rst not in failed_values


def higher_status(stored: Status, said: Status) -> Status:
    """Return the status after a reply that says *said*: the higher rank of the two."""
    return max(stored, said, key=lambda status: status.rank)


def plan_next_check(
    payment: Payment, answer: GatewayResult, rules: Rules, now: int, random_fraction: float
) -> CheckPlan:
    """Return what a check of the chain leads to. *chance* in [0, 1) spreads the delays."""
    if isinstance(answer, GatewayUnavailable):
        error = _unavailable(payment.last_error, now)
        delay = backoff(error.tries, answer.retry_after, random_fraction)
        return _planned(payment, CheckPlan(payment.status, payment.attempt, error), now, delay)
    attempt = payment.attempt + 1
    if isinstance(answer, InvalidReply):
        plan = CheckPlan(
            payment.status, attempt, CheckError("bad_reply", now, 1, answer.http_status)
        )
    else:
        said = status_of_reply(answer, payment.registration, rules.failed_values)
        plan = CheckPlan(higher_status(payment.status, said), attempt)
    if plan.status.rank >= Status.FAILED.rank:
        late = _late(payment, plan, now, rules.schedule)
        if late.via is not None or isinstance(answer, Reply):
            return late
        # The last word of a late check must have a meaning: it is made again, by the schedule.
    delay_then = rules.schedule.after(attempt)
    if delay_then is None:
        return replace(plan, status=higher_status(plan.status, Status.UNRESOLVED))
    return _planned(payment, plan, now, jitter(delay_then, random_fraction))


def plan_after_live_check(payment: Payment, reply: Reply, rules: Rules, now: int) -> CheckPlan:
    """Return what an answer leads to that the chain did not ask for.

    The chain keeps its attempt and its plan. Only a payment that nobody follows any more
    and that turns FAILED or REVIEW gets its late checks.
    """
    said = status_of_reply(reply, payment.registration, rules.failed_values)
    plan = CheckPlan(higher_status(payment.status, said), payment.attempt)
    if plan.status is payment.status or payment.work_at is not None:
        return plan
    return _late(payment, plan, now, rules.schedule)


def _unavailable(last: CheckError | None, now: int) -> CheckError:
    in_a_row = last.tries if last and last.kind == "unavailable" else 0
    return CheckError("unavailable", now, in_a_row + 1)


def _planned(payment: Payment, plan: CheckPlan, now: int, delay: float) -> CheckPlan:
    """Plan the next check *delay* seconds from *now*, or end the following at ``giveUpAt``."""
    if payment.give_up_at <= now:
        return replace(plan, status=higher_status(plan.status, Status.UNRESOLVED))
    check_at = min(now + round(delay * 1000), payment.give_up_at)
    if delay > MAX_QUEUE_DELAY:
        return replace(plan, via="sweeper", check_at=check_at, work_at=check_at)
    remaining = (payment.work_at or 0) - check_at
    work_at = check_at + WATCHDOG_MS if remaining < WATCHDOG_SLACK_MS else None
    return replace(plan, via="queue", check_at=check_at, work_at=work_at)


def _late(payment: Payment, plan: CheckPlan, now: int, schedule: Schedule) -> CheckPlan:
    """Plan a late check of a FAILED or REVIEW payment, while it has checks left."""
    if plan.status is Status.SUCCEEDED or plan.attempt >= schedule.checks:
        return plan
    changed = plan.status is not payment.status
    changed_at = now if changed or not payment.history else payment.history[-1].at
    check_at = late_check(changed_at, now)
    if check_at is None:
        return plan
    return replace(plan, via="sweeper", check_at=check_at, work_at=check_at)
