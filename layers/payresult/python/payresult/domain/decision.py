"""What an answer means for a payment, and when the next check is due. Pure.

PENDING < UNRESOLVED < FAILED < REVIEW < SUCCEEDED: a reply may only raise the rank, and
SUCCEEDED is a terminal status. An answer that is no reply changes no status.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from payresult.domain.payment import CheckError, Payment, Registration, Status
from payresult.domain.registration import amount_matches
from payresult.domain.reply import Reply
from payresult.domain.schedule import MAX_QUEUE_DELAY, Schedule, backoff, jitter, late_check
from payresult.errors import GatewayUnavailable, InvalidReply

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

WATCHDOG_MS = 15 * 60 * 1000
"""A payment counts as lost this long after its planned check: the longest delay of SQS."""

WATCHDOG_SLACK_MS = 2 * 60 * 1000

GatewayResult = Reply | GatewayUnavailable | InvalidReply
"""The result of a query: a reply, or the reason why there is none."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the deployment decides about checks, statuses and events."""

    schedule: Schedule
    environment: str
    failed_pay_rst_values: Collection[str] = ()
    zone: "ZoneInfo | None" = None


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """What follows a check: the status then, and the next check.

    ``via`` is "queue" (a message that SQS delays until ``check_at``), "sweeper" (sent at
    ``work_at``), or None: no check is planned. ``work_at`` None leaves the watchdog unchanged.
    """

    status: Status
    attempt: int
    error: CheckError | None = None
    via: Literal["queue", "sweeper"] | None = None
    check_at: int | None = None
    work_at: int | None = None


def is_success(pay_rst: str) -> bool:
    """Return True if *pay_rst* is ``success`` in any case (the documents show two).

    Nothing is stripped, and only ASCII counts: ``casefold`` would accept a word with a long s.
    """
    return pay_rst.isascii() and pay_rst.lower() == "success"


def status_of_reply(
    reply: Reply, registration: Registration, failed_values: Collection[str]
) -> Status:
    """Return the status that *reply* alone gives a payment with this registration."""
    if is_success(reply.pay_rst):
        matches = amount_matches(reply.fields.get("payAmount"), registration)
        return Status.SUCCEEDED if matches else Status.REVIEW
    return Status.FAILED if reply.pay_rst in failed_values else Status.PENDING


def is_unknown_pay_rst(reply: Reply, failed_values: Collection[str]) -> bool:
    """Return True if the meaning of this ``payRst`` is neither documented nor configured."""
    return not is_success(reply.pay_rst) and reply.pay_rst not in failed_values


def higher_status(stored: Status, new: Status) -> Status:
    """Return the status of the higher rank."""
    return max(stored, new, key=lambda status: status.rank)


def plan_next_check(
    payment: Payment, answer: GatewayResult, rules: Rules, now: int, random_fraction: float
) -> CheckPlan:
    """Return what follows a check from the queue; *random_fraction* in [0, 1) is for jitter."""
    if isinstance(answer, GatewayUnavailable):
        error = _unavailable(payment.last_error, now)
        delay = backoff(error.tries, answer.retry_after, random_fraction)
        return _planned(payment, CheckPlan(payment.status, payment.attempt, error), now, delay)
    attempt = payment.attempt + 1
    if isinstance(answer, InvalidReply):
        error = CheckError("bad_reply", now, 1, now, answer.how, answer.http_status)
        plan = CheckPlan(payment.status, attempt, error)
    else:
        replied = status_of_reply(answer, payment.registration, rules.failed_pay_rst_values)
        plan = CheckPlan(higher_status(payment.status, replied), attempt)
    if plan.status.rank >= Status.FAILED.rank:
        late = _late(payment, plan, now, rules.schedule)
        if late.via is not None or isinstance(answer, Reply):
            return late
        # The last late check needs a reply, so it is repeated, by the schedule.
    delay_then = rules.schedule.after(attempt)
    if delay_then is None:
        return replace(plan, status=higher_status(plan.status, Status.UNRESOLVED))
    return _planned(payment, plan, now, jitter(delay_then, random_fraction))


def plan_after_live_check(payment: Payment, reply: Reply, rules: Rules, now: int) -> CheckPlan:
    """Return what follows a reply to a check that did not come from the queue.

    Attempt and planned check stay as they are. Only a payment without a planned check that
    becomes FAILED or REVIEW gets its late checks.
    """
    replied = status_of_reply(reply, payment.registration, rules.failed_pay_rst_values)
    plan = CheckPlan(higher_status(payment.status, replied), payment.attempt)
    if plan.status is payment.status or payment.work_at is not None:
        return plan
    return _late(payment, plan, now, rules.schedule)


def _unavailable(last: CheckError | None, now: int) -> CheckError:
    if last is None or last.kind != "unavailable":
        return CheckError("unavailable", now, 1, now)
    return CheckError("unavailable", now, last.tries + 1, last.since)


def _planned(payment: Payment, plan: CheckPlan, now: int, delay: float) -> CheckPlan:
    """Plan the next check *delay* seconds from *now*, or none after ``giveUpAt``."""
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
