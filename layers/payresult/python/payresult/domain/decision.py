"""What an answer means for a payment, and when the next check is due. Pure.

PENDING < UNRESOLVED < EXPIRED < FAILED < REVIEW < SUCCEEDED: a reply may only raise the rank, and
SUCCEEDED is a terminal status. An answer that is no reply changes no status before ``giveUpAt``.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from payresult.domain.payment import ATTENTION_STATUSES, CheckError, Payment, Status
from payresult.domain.registration import amount_is_right
from payresult.domain.reply import Reply
from payresult.domain.schedule import (
    GIVE_UP_GRACE,
    LATE_FOLLOW_FOR,
    MAX_GRACE_AGE,
    MAX_QUEUE_DELAY,
    Schedule,
    backoff,
    expiry,
    jitter,
    late_check,
)
from payresult.errors import GatewayError, GatewayUnavailable

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

WATCHDOG_MS = 15 * 60 * 1000
"""A payment counts as lost this long after its planned check: the longest delay of SQS."""

WATCHDOG_SLACK_MS = 2 * 60 * 1000

GatewayResult = Reply | GatewayError
"""The result of a query: a reply, or the reason why there is none."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the deployment decides about checks, statuses and events."""

    schedule: Schedule
    environment: str
    failed_pay_rst_values: Collection[str] = ()
    zone: "ZoneInfo | None" = None
    retention_days: int = 0


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """What follows a check: the status then, and the next check.

    ``via`` is "queue" (a message that SQS delays until ``check_at``), "sweeper" (sent at
    ``work_at``), or None: no check is planned. ``work_at`` None leaves the watchdog unchanged,
    ``give_up_at`` None leaves that time as it is. ``expires_at``: see Payment. ``duplicate_of`` is
    the payId that a success' order was paid with before.
    """

    status: Status
    attempt: int
    error: CheckError | None = None
    via: Literal["queue", "sweeper"] | None = None
    check_at: int | None = None
    work_at: int | None = None
    give_up_at: int | None = None
    expires_at: int | None = None
    duplicate_of: str | None = None


def is_success(pay_rst: str) -> bool:
    """Return True if *pay_rst* is ``success`` in any case (the documents show two).

    Nothing is stripped, and only ASCII counts: ``casefold`` would accept a word with a long s.
    """
    return pay_rst.isascii() and pay_rst.lower() == "success"


def status_of_reply(reply: Reply, payment: Payment, failed_values: Collection[str]) -> Status:
    """Return the status that *reply* alone gives *payment*."""
    if is_success(reply.pay_rst):
        matches = amount_is_right(payment, reply.fields.get("payAmount"))
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
    """Return what follows a check from the queue; *random_fraction* in [0, 1) is for jitter.

    Only a reply uses an attempt. Everything else is repeated, for an hour also after ``giveUpAt``.
    """
    if not isinstance(answer, Reply):
        return _plan_after_error(payment, answer, rules, now, random_fraction)
    plan = CheckPlan(_status_after(payment, answer, rules), payment.attempt + 1)
    if plan.status.rank >= Status.FAILED.rank:
        return _plan_late_check(payment, plan, rules, now)
    delay = rules.schedule.after(plan.attempt)
    if delay is None or payment.give_up_at <= now:
        return _end(payment, plan, Status.EXPIRED, rules, now)
    return _plan_check(payment, plan, now, jitter(delay, random_fraction))


def plan_after_live_check(payment: Payment, reply: Reply, rules: Rules, now: int) -> CheckPlan:
    """Return what follows a reply to a check that did not come from the queue.

    Attempt and planned check stay as they are, unless the payment becomes FAILED or REVIEW: then
    it gets its late checks.
    """
    plan = CheckPlan(_status_after(payment, reply, rules), payment.attempt)
    if plan.status is payment.status:
        return plan
    return _plan_late_check(payment, plan, rules, now)


def _status_after(payment: Payment, reply: Reply, rules: Rules) -> Status:
    replied = status_of_reply(reply, payment, rules.failed_pay_rst_values)
    return higher_status(payment.status, replied)


def _plan_after_error(
    payment: Payment, answer: GatewayError, rules: Rules, now: int, random_fraction: float
) -> CheckPlan:
    error = _check_error(payment.last_error, answer, now)
    plan = CheckPlan(payment.status, payment.attempt, error)
    if payment.give_up_at + GIVE_UP_GRACE * 1000 <= now:
        return _end(payment, plan, Status.UNRESOLVED, rules, now)
    age = (now - error.since) / 1000
    if payment.give_up_at <= now:
        age = min(age, MAX_GRACE_AGE)
    delay = backoff(error.tries, age, answer.retry_after, random_fraction)
    return _plan_check(payment, plan, now, delay)


def _check_error(last: CheckError | None, answer: GatewayError, now: int) -> CheckError:
    return CheckError(
        kind="unavailable" if isinstance(answer, GatewayUnavailable) else "bad_reply",
        at=now,
        tries=last.tries + 1 if last else 1,
        since=last.since if last else now,
        how=answer.how,
        http_status=answer.http_status,
    )


def _plan_check(payment: Payment, plan: CheckPlan, now: int, delay: float) -> CheckPlan:
    """Plan the next check *delay* seconds from *now*, at ``giveUpAt`` at the latest.

    Once that has passed, it is planned for the end of the grace at the latest.
    """
    grace = GIVE_UP_GRACE * 1000 if payment.give_up_at <= now else 0
    check_at = min(now + round(delay * 1000), payment.give_up_at + grace)
    if delay > MAX_QUEUE_DELAY:
        return replace(plan, via="sweeper", check_at=check_at, work_at=check_at)
    remaining = (payment.work_at or 0) - check_at
    work_at = check_at + WATCHDOG_MS if remaining < WATCHDOG_SLACK_MS else None
    return replace(plan, via="queue", check_at=check_at, work_at=work_at)


def _plan_late_check(payment: Payment, plan: CheckPlan, rules: Rules, now: int) -> CheckPlan:
    """Plan the next late check of a FAILED or REVIEW payment, or none after the second.

    They count from the last entry of the history: the change of status, or what an operator
    did since.
    """
    if plan.status is Status.SUCCEEDED:
        return plan
    changed = plan.status is not payment.status
    since = now if changed or not payment.history else payment.history[-1].at
    check_at = late_check(since, now)
    if check_at is None:
        return _end(payment, plan, plan.status, rules, now)
    latest = now + LATE_FOLLOW_FOR * 1000
    return replace(
        plan,
        via="sweeper",
        check_at=check_at,
        work_at=check_at,
        give_up_at=latest if changed and latest > payment.give_up_at else None,
    )


def _end(payment: Payment, plan: CheckPlan, status: Status, rules: Rules, now: int) -> CheckPlan:
    """Plan no check. Nothing expires that waits for a person."""
    reached = higher_status(plan.status, status)
    changed = reached is not payment.status
    waits = reached in ATTENTION_STATUSES if changed else payment.attention is not None
    return replace(
        plan, status=reached, expires_at=None if waits else expiry(now, rules.retention_days)
    )
