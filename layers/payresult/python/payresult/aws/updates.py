"""Each write to a payment's item: what it sets, under which named condition. Pure."""

from payresult.aws import items
from payresult.aws.expressions import Update
from payresult.aws.update_parts import (
    append_history,
    change_status,
    identity,
    record_check,
    registered_values,
    require_as_decided,
    require_registration_unchanged,
    set_watchdog,
    start,
    wait_for_person,
    write_plan,
)
from payresult.domain.decision import CheckPlan
from payresult.domain.event import Event
from payresult.domain.payment import (
    DUPLICATE,
    Payment,
    Registration,
    Status,
    StatusChange,
    Trigger,
)
from payresult.domain.reply import Reply
from payresult.domain.schedule import GIVE_UP_GRACE

NEW = "attribute_not_exists(#pk)"
STORED = "attribute_exists(#pk)"
# Passes once for each step: of two messages with the same step, one fails.
NEXT_STEP = "#step < :step"
# Passes for the first success: of a payment that is not stored, or that has a lower status.
NOT_SUCCEEDED = (
    "(attribute_not_exists(#rank) OR #rank < :succeeded) AND attribute_not_exists(#eventId)"
)
# Passes if the status is the one that was read, so that the history has no gap.
STATUS_AS_READ = "attribute_not_exists(#status) OR #status = :read_status"
# Passes while this event is not marked as sent.
EVENT_UNSENT = "#eventId = :eventId AND #eventState = :unsent"
# Passes for a stored payment that has not succeeded, unless a later query failed as well.
UNANSWERED_SINCE = (
    "#rank < :succeeded AND (attribute_not_exists(#lastUnansweredAt) OR #lastUnansweredAt < :now)"
)
# Passes an hour after giveUpAt; FAILED and REVIEW are never given up.
GIVEN_UP = "#giveUpAt <= :latest AND #rank < :failed"

EVENT_GRACE_MS = 60_000
"""The time that the stream has before the sweeper sends an event."""

REGISTRATION_WATCHDOG_MS = 15 * 60_000

CLAIM_MS = 10 * 60_000
"""The time that a check has before the sweeper sends it again: three receives from the checks
queue, with a visibility time-out under 3 min each."""


def create(payment: Payment, trigger: Trigger) -> Update:
    """Store a new payment."""
    update = Update()
    update.require(NEW)
    update.set(
        **identity(payment),
        **registered_values(payment.registration),
        attempt=0,
        step=0,
        checks=0,
    )
    update.set(status=payment.status.value, rank=payment.status.rank)
    append_history(update, payment, StatusChange(payment.created_at, None, payment.status, trigger))
    update.set(nextCheckAt=payment.created_at)  # at once
    set_watchdog(update, payment.pay_id, payment.created_at + REGISTRATION_WATCHDOG_MS)
    return update


def amend(
    payment: Payment, registration: Registration, duplicate_since: int | None = None
) -> Update:
    """Set what is registered; the status must be the one that this was checked against.

    *duplicate_since*: the order, which was not known when the payment succeeded, has another one.
    """
    update = Update()
    update.require_unchanged(status=payment.status.value)
    require_registration_unchanged(update, payment)
    update.set(**registered_values(registration))
    if duplicate_since is not None:
        wait_for_person(update, payment, DUPLICATE, duplicate_since)
        update.remove("expiresAt")
    return update


def restart(payment: Payment, registration: Registration, now: int, trigger: Trigger) -> Update:
    """Start the checks again, and set what is registered. No other write lowers the rank."""
    update = Update()
    require_registration_unchanged(update, payment)
    update.require_unchanged(status=payment.status.value, attention=payment.attention)
    start(update, payment, now)
    update.set(**registered_values(registration))
    change_status(update, payment, Status.PENDING, now, trigger)
    set_watchdog(update, payment.pay_id, now + REGISTRATION_WATCHDOG_MS)
    return update


def claim_live(payment: Payment, now: int) -> Update:
    """Claim a live check; fails if another caller claimed it first."""
    update = Update()
    update.require(STORED)
    update.require_unchanged(lastCheckedAt=payment.last_checked_at)
    update.set(lastCheckedAt=now)
    return update


def note_unanswered(now: int) -> Update:
    """Note that the gateway, asked outside the chain, did not say anything."""
    update = Update()
    update.require(UNANSWERED_SINCE, succeeded=Status.SUCCEEDED.rank, now=now)
    update.set(lastUnansweredAt=now)
    return update


def record_step(
    payment: Payment, plan: CheckPlan, reply: Reply | None, *, now: int, step: int
) -> Update:
    """Record a check from the queue that was no success, and the plan of the next one."""
    update = Update()
    update.require(NEXT_STEP, step=step)
    require_as_decided(update, payment, plan)
    record_check(update, payment, plan, reply, now, "queue")
    update.set(step=step, attempt=plan.attempt)
    write_plan(update, payment, plan)
    return update


def record_live(
    payment: Payment, plan: CheckPlan, reply: Reply, *, now: int, trigger: Trigger
) -> Update:
    """Record a live check that was no success. ``step`` and ``attempt`` stay as they are."""
    update = Update()
    require_as_decided(update, payment, plan)
    record_check(update, payment, plan, reply, now, trigger)
    if plan.work_at is not None:
        write_plan(update, payment, plan)
    return update


def succeed(
    payment: Payment, plan: CheckPlan, reply: Reply, event: Event, *, now: int, trigger: Trigger
) -> Update:
    """Make the payment SUCCEEDED and create its event; the payment need not be stored before."""
    update = Update()
    update.require(NOT_SUCCEEDED, succeeded=Status.SUCCEEDED.rank)
    update.require(STATUS_AS_READ, read_status=payment.status.value)
    require_registration_unchanged(update, payment)
    update.require_unchanged(**items.accepted_values(payment))
    update.set_if_absent(**identity(payment))
    record_check(update, payment, plan, reply, now, trigger)
    update.set(attempt=plan.attempt, eventId=event.event_id, event=event.detail)
    update.set(eventState="PENDING", workShard=items.shard("EVENT", payment.pay_id))
    update.set(workAt=now + EVENT_GRACE_MS)
    update.remove("nextCheckAt", "expiresAt")
    if plan.duplicate_of is None:
        update.remove("attention", "attentionSince")
    else:
        wait_for_person(update, payment, DUPLICATE, now)
    return update


def mark_sent(event: Event, now: int, expires_at: int | None, attention: str | None) -> Update:
    """Mark the event as sent; the item may be deleted at *expires_at* (seconds since 1970).

    Nothing expires that waits for a person: *attention* is as it was read, and has to be still.
    """
    update = Update()
    update.require(EVENT_UNSENT, eventId=event.event_id, unsent="PENDING")
    update.set(eventState="SENT", eventSentAt=now)
    update.remove("workShard", "workAt")
    update.require_unchanged(attention=attention)
    if expires_at is not None and attention is None:
        update.set(expiresAt=expires_at)
    return update


def postpone_event(event: Event, until: int) -> Update:
    """Let the sweeper send the event at *until*."""
    update = Update()
    update.require(EVENT_UNSENT, eventId=event.event_id, unsent="PENDING")
    update.set(workAt=until)
    return update


def claim_due(payment: Payment, now: int) -> Update:
    """Claim a due check before it is sent; fails if another sweeper claimed it first."""
    update = Update()
    update.require_unchanged(workShard=payment.work_shard, workAt=payment.work_at)
    update.set(workAt=now + CLAIM_MS)
    return update


def give_up(payment: Payment, now: int) -> Update:
    """Plan no more checks of a payment after its giveUpAt, and make it UNRESOLVED."""
    update = Update()
    update.require_unchanged(
        workShard=payment.work_shard, workAt=payment.work_at, status=payment.status.value
    )
    update.require(GIVEN_UP, latest=now - GIVE_UP_GRACE * 1000, failed=Status.FAILED.rank)
    change_status(update, payment, Status.UNRESOLVED, now, "sweeper")
    update.remove("workShard", "workAt", "nextCheckAt")
    return update
