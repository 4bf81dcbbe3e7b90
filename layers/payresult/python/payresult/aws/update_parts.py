"""Parts that several writes share: starts, plans, statuses and the history. Pure."""

from typing import Any

from payresult.aws import items
from payresult.aws.expressions import Update
from payresult.domain.decision import CheckPlan
from payresult.domain.payment import (
    ATTENTION_STATUSES,
    Payment,
    Registration,
    Status,
    StatusChange,
    Trigger,
)
from payresult.domain.reply import Reply
from payresult.domain.schedule import FOLLOW_FOR

# Passes unless the new status is lower than the stored one.
RANK_NOT_FALLING = "#rank <= :rank"

MAX_HISTORY = 51
"""Entries: the first and the last 50. An item has 400 KB, and a success must always fit."""


def identity(payment: Payment) -> dict[str, Any]:
    """Return the attributes that an item gets once."""
    return {
        "partnerCode": payment.partner_code,
        "payId": payment.pay_id,
        "schemaVersion": items.SCHEMA_VERSION,
        "createdAt": payment.created_at,
        "giveUpAt": payment.give_up_at,
    }


def registered_values(registration: Registration) -> dict[str, Any]:
    """Return what is registered, by attribute."""
    values = items.registration_values(registration)
    return {name: value for name, value in values.items() if value is not None}


def require_registration_unchanged(update: Update, payment: Payment) -> None:
    """Require the registration that the decision and the event were made with."""
    update.require_unchanged(**items.registration_values(payment.registration))


def start(update: Update, payment: Payment, now: int) -> None:
    """Begin the schedule anew.

    Its giveUpAt differs from all earlier ones, so that no answer to an earlier query is
    recorded as an answer of the new schedule.
    """
    update.require_unchanged(giveUpAt=payment.give_up_at)
    update.set(
        attempt=0,
        giveUpAt=max(now + FOLLOW_FOR * 1000, payment.give_up_at + 1),
        nextCheckAt=now,
    )
    update.remove("lastError", "expiresAt")


def require_as_decided(update: Update, payment: Payment, plan: CheckPlan) -> None:
    """Require what the decision was made with, so that no change is in the history twice."""
    update.require(RANK_NOT_FALLING, rank=plan.status.rank)
    update.require_unchanged(giveUpAt=payment.give_up_at)
    if plan.status is not payment.status:
        update.require_unchanged(status=payment.status.value)
    if plan.status is Status.REVIEW:
        require_registration_unchanged(update, payment)
        update.require_unchanged(**items.accepted_values(payment))


def record_check(
    update: Update,
    payment: Payment,
    plan: CheckPlan,
    reply: Reply | None,
    now: int,
    trigger: Trigger,
) -> None:
    """Write what every check records, and the change of status if there is one."""
    update.set(lastCheckedAt=now)
    update.increment("checks")
    if reply is not None:
        update.set(reply=items.reply_value(reply))
        update.set(lastAnsweredAt=max(now, payment.last_answered_at or 0))
    else:
        update.set(lastUnansweredAt=max(now, payment.last_unanswered_at or 0))
    if plan.error is not None:
        update.set(lastError=items.check_error_value(plan.error))
    else:
        update.remove("lastError")
    if plan.status is not payment.status:
        pay_rst = reply.pay_rst if reply else None
        change_status(update, payment, plan.status, now, trigger, pay_rst)


def change_status(
    update: Update,
    payment: Payment,
    status: Status,
    now: int,
    trigger: Trigger,
    pay_rst: str | None = None,
) -> None:
    """Set the status, and with it whether the payment waits for a person.

    Whether a success does is its own decision: it may be the second one of an order.
    """
    update.set(status=status.value, rank=status.rank)
    append_history(update, payment, StatusChange(now, payment.status, status, trigger, pay_rst))
    if status in ATTENTION_STATUSES:
        wait_for_person(update, payment, status.value, now)
    elif payment.status in ATTENTION_STATUSES and status is not Status.SUCCEEDED:
        update.remove("attention", "attentionSince")


def wait_for_person(update: Update, payment: Payment, reason: str, now: int) -> None:
    """Let the payment wait for a person: *reason* is REVIEW, UNRESOLVED or DUPLICATE."""
    update.set(attention=items.attention(payment.partner_code, reason), attentionSince=now)


def append_history(update: Update, payment: Payment, change: StatusChange) -> None:
    """Append an entry; a full history loses its second one.

    A full one is written as it was read, so an entry of an operator may get lost that was added
    since: the caller's conditions hold for changes of the status only.
    """
    entry = items.status_change_value(change)
    if len(payment.history) < MAX_HISTORY:
        update.append("history", entry)
        return
    kept = (payment.history[0], *payment.history[-(MAX_HISTORY - 2) :])
    update.set(history=[*map(items.status_change_value, kept), entry])


def write_plan(update: Update, payment: Payment, plan: CheckPlan) -> None:
    """Write the time of the next check, and change the index only where it must."""
    if plan.give_up_at is not None:
        update.set(giveUpAt=plan.give_up_at)
    if plan.expires_at is not None:
        update.set(expiresAt=plan.expires_at)
    elif payment.expires_at is not None:
        update.remove("expiresAt")
    if plan.via is None:
        update.remove("nextCheckAt", "workShard", "workAt")
        return
    update.set(nextCheckAt=plan.check_at)
    if plan.work_at is not None:
        set_watchdog(update, payment.pay_id, plan.work_at)


def set_watchdog(update: Update, pay_id: str, work_at: int) -> None:
    """Let the sweeper look after the check at *work_at*."""
    update.set(workShard=items.shard("CHECK", pay_id), workAt=work_at)
