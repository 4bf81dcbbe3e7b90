"""Each write to a payment's item: what it sets, under which named condition. Pure."""

from typing import TYPE_CHECKING, Any

from payresult.aws import items
from payresult.aws.expressions import Update
from payresult.domain.event import Event
from payresult.domain.payment import Payment, Registration, Status, StatusChange, Trigger
from payresult.domain.reply import Reply
from payresult.domain.schedule import FOLLOW_FOR

if TYPE_CHECKING:
    from payresult.domain.decision import CheckPlan

NEW = "attribute_not_exists(#pk)"
STORED = "attribute_exists(#pk)"
# Passes once for each step: of two messages with the same step, one fails.
NEXT_STEP = "#step < :step"
# Passes unless the new status is lower than the stored one.
RANK_NOT_FALLING = "#rank <= :rank"
# Passes for the first success: of a payment that is not stored, or that has a lower status.
NOT_SUCCEEDED = (
    "(attribute_not_exists(#rank) OR #rank < :succeeded) AND attribute_not_exists(#eventId)"
)
# Passes if the status is the one that was read, so that the history has no gap.
STATUS_AS_READ = "attribute_not_exists(#status) OR #status = :read_status"
# Passes while this event is not marked as sent.
EVENT_UNSENT = "#eventId = :eventId AND #eventState = :unsent"
# Passes if this event was sent: only such an event can be sent again.
EVENT_SENT = "#eventId = :eventId AND #eventState = :sent"
# Passes in REVIEW only: nothing else can be accepted.
IN_REVIEW = "#status = :review"
# Passes for PENDING and UNRESOLVED after giveUpAt; FAILED and REVIEW are never given up.
EXPIRED = "#giveUpAt <= :now AND #rank < :failed"

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
        **_identity(payment),
        **_registered_values(payment.registration),
        attempt=0,
        step=0,
        checks=0,
    )
    _change_status(update, None, payment.status, payment.created_at, trigger)
    update.set(nextCheckAt=payment.created_at)  # at once
    _set_watchdog(update, payment.pay_id, payment.created_at + REGISTRATION_WATCHDOG_MS)
    return update


def amend(payment: Payment, registration: Registration) -> Update:
    """Set what is registered."""
    update = Update()
    update.require(STORED)
    _require_registration_unchanged(update, payment)
    update.set(**_registered_values(registration))
    return update


def restart(payment: Payment, registration: Registration, now: int) -> Update:
    """Start the checks of an UNRESOLVED payment again, and set what is registered."""
    update = Update()
    _require_registration_unchanged(update, payment)
    update.require_unchanged(status=payment.status.value, workAt=None)
    update.set(attempt=0, giveUpAt=now + FOLLOW_FOR * 1000, **_registered_values(registration))
    update.set(nextCheckAt=now)
    update.remove("lastError")
    _set_watchdog(update, payment.pay_id, now + REGISTRATION_WATCHDOG_MS)
    return update


def claim_live(payment: Payment, now: int) -> Update:
    """Claim a live check; fails if another caller claimed it first."""
    update = Update()
    update.require(STORED)
    update.require_unchanged(lastCheckedAt=payment.last_checked_at)
    update.set(lastCheckedAt=now)
    return update


def record_step(
    payment: Payment, plan: "CheckPlan", reply: Reply | None, *, now: int, step: int
) -> Update:
    """Record a check from the queue that was no success, and the plan of the next one."""
    update = Update()
    update.require(NEXT_STEP, step=step)
    _require_as_decided(update, payment, plan)
    _record_check(update, payment, plan, reply, now, "queue")
    update.set(step=step, attempt=plan.attempt)
    _write_plan(update, payment.pay_id, plan)
    return update


def record_live(
    payment: Payment, plan: "CheckPlan", reply: Reply, *, now: int, trigger: Trigger
) -> Update:
    """Record a live check that was no success. ``step`` and ``attempt`` stay as they are."""
    update = Update()
    _require_as_decided(update, payment, plan)
    _record_check(update, payment, plan, reply, now, trigger)
    if plan.work_at is not None:
        _write_plan(update, payment.pay_id, plan)
    return update


def succeed(
    payment: Payment, plan: "CheckPlan", reply: Reply, event: Event, *, now: int, trigger: Trigger
) -> Update:
    """Make the payment SUCCEEDED and create its event; the payment need not be stored before."""
    update = Update()
    update.require(NOT_SUCCEEDED, succeeded=Status.SUCCEEDED.rank)
    update.require(STATUS_AS_READ, read_status=payment.status.value)
    _require_registration_unchanged(update, payment)
    update.set_if_absent(**_identity(payment))
    _record_check(update, payment, plan, reply, now, trigger)
    update.set(attempt=plan.attempt, eventId=event.event_id, event=event.detail)
    update.set(eventState="PENDING", workShard=items.shard("EVENT", payment.pay_id))
    update.set(workAt=now + EVENT_GRACE_MS)
    update.remove("nextCheckAt")
    return update


def mark_sent(event: Event, now: int) -> Update:
    """Mark the event as sent."""
    update = Update()
    update.require(EVENT_UNSENT, eventId=event.event_id, unsent="PENDING")
    update.set(eventState="SENT", eventSentAt=now)
    update.remove("workShard", "workAt")
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
    update.require_unchanged(workShard=payment.work_shard, workAt=payment.work_at)
    update.require(EXPIRED, now=now, failed=Status.FAILED.rank)
    if payment.status is not Status.UNRESOLVED:
        _change_status(update, payment.status, Status.UNRESOLVED, now, "sweeper")
    update.remove("workShard", "workAt", "nextCheckAt")
    return update


def accept(payment: Payment, registration: Registration, reason: str, now: int) -> Update:
    """Replace what is registered of a payment in REVIEW, and plan a check at once."""
    update = Update()
    update.require(IN_REVIEW, review=Status.REVIEW.value)
    _require_registration_unchanged(update, payment)
    update.set(**_registered_values(registration), nextCheckAt=now)
    amounts = _amount_text(payment.registration), _amount_text(registration)
    _append_history(
        update, StatusChange(now, Status.REVIEW, Status.REVIEW, "operator", None, reason, *amounts)
    )
    _set_watchdog(update, payment.pay_id, now)
    return update


def republish(event: Event, now: int) -> Update:
    """Mark a sent event as unsent; the stream publishes it again."""
    update = Update()
    update.require(EVENT_SENT, eventId=event.event_id, sent="SENT")
    update.set(eventState="PENDING", workShard=items.shard("EVENT", event.pay_id))
    update.set(workAt=now + EVENT_GRACE_MS)
    _append_history(update, StatusChange(now, Status.SUCCEEDED, Status.SUCCEEDED, "operator"))
    return update


def _identity(payment: Payment) -> dict[str, Any]:
    return {
        "partnerCode": payment.partner_code,
        "payId": payment.pay_id,
        "schemaVersion": items.SCHEMA_VERSION,
        "createdAt": payment.created_at,
        "giveUpAt": payment.give_up_at,
    }


def _registered_values(registration: Registration) -> dict[str, Any]:
    values = items.registration_values(registration)
    return {name: value for name, value in values.items() if value is not None}


def _require_registration_unchanged(update: Update, payment: Payment) -> None:
    """Require the registration that the decision and the event were made with."""
    update.require_unchanged(**items.registration_values(payment.registration))


def _require_as_decided(update: Update, payment: Payment, plan: "CheckPlan") -> None:
    """Require what the decision was made with, so that no change is in the history twice."""
    update.require(RANK_NOT_FALLING, rank=plan.status.rank)
    if plan.status is not payment.status:
        update.require_unchanged(status=payment.status.value)
    if plan.status is Status.REVIEW:
        _require_registration_unchanged(update, payment)


def _record_check(
    update: Update,
    payment: Payment,
    plan: "CheckPlan",
    reply: Reply | None,
    now: int,
    trigger: Trigger,
) -> None:
    """Write what every check records, and the change of status if there is one."""
    update.set(lastCheckedAt=now)
    update.increment("checks")
    if reply is not None:
        update.set(reply=items.reply_value(reply))
    if plan.error is not None:
        update.set(lastError=items.check_error_value(plan.error))
    else:
        update.remove("lastError")
    if plan.status is not payment.status:
        pay_rst = reply.pay_rst if reply else None
        _change_status(update, payment.status, plan.status, now, trigger, pay_rst)


def _change_status(
    update: Update,
    from_status: Status | None,
    to_status: Status,
    now: int,
    trigger: Trigger,
    pay_rst: str | None = None,
) -> None:
    change = StatusChange(now, from_status, to_status, trigger, pay_rst)
    update.set(status=to_status.value, rank=to_status.rank)
    _append_history(update, change)


def _append_history(update: Update, change: StatusChange) -> None:
    update.append("history", items.status_change_value(change))


def _amount_text(registration: Registration) -> str | None:
    parts = filter(None, (registration.expected_amount, registration.currency))
    return " ".join(parts) or None


def _write_plan(update: Update, pay_id: str, plan: "CheckPlan") -> None:
    """Write the time of the next check, and change the index only where it must."""
    if plan.via is None:
        update.remove("nextCheckAt", "workShard", "workAt")
        return
    update.set(nextCheckAt=plan.check_at)
    if plan.work_at is not None:
        _set_watchdog(update, pay_id, plan.work_at)


def _set_watchdog(update: Update, pay_id: str, work_at: int) -> None:
    update.set(workShard=items.shard("CHECK", pay_id), workAt=work_at)
