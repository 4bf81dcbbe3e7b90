"""Each write to a payment's item: what it sets, and the named condition it stands under. Pure."""

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
# Lets each step of a chain through once: a repeated message, or the slower branch of a forked
# chain, fails.
NEXT_STEP = "#step < :step"
# Lets through every reply but one that knows less than what is stored.
RANK_NOT_FALLING = "#rank <= :rank"
# Lets through the first success: of a payment nobody stored, or of one in any lower status.
NOT_SUCCEEDED = (
    "(attribute_not_exists(#rank) OR #rank < :succeeded) AND attribute_not_exists(#eventId)"
)
# Lets a success go on only from where the history ends; of a payment nobody stored there is none.
STATUS_AS_READ = "attribute_not_exists(#status) OR #status = :read_status"
# Lets through what has not been done to this event yet.
EVENT_UNSENT = "#eventId = :eventId AND #eventState = :unsent"
# Lets an operator have sent again only what was sent.
EVENT_SENT = "#eventId = :eventId AND #eventState = :sent"
# Lets an operator decide only about what is still to be decided.
IN_REVIEW = "#status = :review"
# Lets through what is still open; a FAILED or REVIEW payment is never given up.
EXPIRED = "#giveUpAt <= :now AND #rank < :failed"

EVENT_GRACE_MS = 60_000
"""How long the stream has before the sweeper sends an event itself."""

REGISTRATION_WATCHDOG_MS = 15 * 60_000

CLAIM_MS = 10 * 60_000
"""How long a check that the sweeper sent may take before it is sent again: three receives of
the checks queue (visibility time-out under 3 min each)."""


def create(payment: Payment, trigger: Trigger) -> Update:
    """Store a payment that is not there yet; its watchdog starts to run."""
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
    """Follow a payment anew that was given up, and set what is registered."""
    update = Update()
    _require_registration_unchanged(update, payment)
    update.require_unchanged(status=payment.status.value, workAt=None)
    update.set(attempt=0, giveUpAt=now + FOLLOW_FOR * 1000, **_registered_values(registration))
    update.set(nextCheckAt=now)
    update.remove("lastError")
    _set_watchdog(update, payment.pay_id, now + REGISTRATION_WATCHDOG_MS)
    return update


def claim_live(payment: Payment, now: int) -> Update:
    """Take the right to ask the gateway outside the chain from whoever read the same."""
    update = Update()
    update.require(STORED)
    update.require_unchanged(lastCheckedAt=payment.last_checked_at)
    update.set(lastCheckedAt=now)
    return update


def record_step(
    payment: Payment, plan: "CheckPlan", reply: Reply | None, *, now: int, step: int
) -> Update:
    """Keep what a check of the chain brought, unless it is paid, and plan the next one."""
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
    """Keep what a check outside the chain brought, unless it is paid; the chain stays as it is."""
    update = Update()
    _require_as_decided(update, payment, plan)
    _record_check(update, payment, plan, reply, now, trigger)
    if plan.work_at is not None:
        _write_plan(update, payment.pay_id, plan)
    return update


def succeed(
    payment: Payment, plan: "CheckPlan", reply: Reply, event: Event, *, now: int, trigger: Trigger
) -> Update:
    """Make the payment SUCCEEDED and its event exist, whether it was stored before or not."""
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
    """Note that the event is on the bus."""
    update = Update()
    update.require(EVENT_UNSENT, eventId=event.event_id, unsent="PENDING")
    update.set(eventState="SENT", eventSentAt=now)
    update.remove("workShard", "workAt")
    return update


def postpone_event(event: Event, until: int) -> Update:
    """Let the sweeper try the event again at *until*."""
    update = Update()
    update.require(EVENT_UNSENT, eventId=event.event_id, unsent="PENDING")
    update.set(workAt=until)
    return update


def claim_due(payment: Payment, now: int) -> Update:
    """Take a due check from other sweepers, before it is sent."""
    update = Update()
    update.require_unchanged(workShard=payment.work_shard, workAt=payment.work_at)
    update.set(workAt=now + CLAIM_MS)
    return update


def give_up(payment: Payment, now: int) -> Update:
    """Stop following a payment whose time is over, and call it UNRESOLVED."""
    update = Update()
    update.require_unchanged(workShard=payment.work_shard, workAt=payment.work_at)
    update.require(EXPIRED, now=now, failed=Status.FAILED.rank)
    if payment.status is not Status.UNRESOLVED:
        _change_status(update, payment.status, Status.UNRESOLVED, now, "sweeper")
    update.remove("workShard", "workAt", "nextCheckAt")
    return update


def accept(payment: Payment, registration: Registration, reason: str, now: int) -> Update:
    """Replace what is registered of a payment in REVIEW, and have it checked again at once."""
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
    """Mark a sent event unsent again: the stream carries it, as it did the first time."""
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
    """Demand that the amount which decided, and what the event will say, is still the one."""
    update.require_unchanged(**items.registration_values(payment.registration))


def _require_as_decided(update: Update, payment: Payment, plan: "CheckPlan") -> None:
    """Demand what the decision stood on.

    A change of status starts at the status that was read, or the history would tell one
    change twice.
    """
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
    """Write what each check leaves behind, and the change of status if it is one."""
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
    came_from: Status | None,
    to: Status,
    now: int,
    trigger: Trigger,
    pay_rst: str | None = None,
) -> None:
    change = StatusChange(now, came_from, to, trigger, pay_rst)
    update.set(status=to.value, rank=to.rank)
    _append_history(update, change)


def _append_history(update: Update, change: StatusChange) -> None:
    update.append("history", items.status_change_value(change))


def _amount_text(registration: Registration) -> str | None:
    parts = filter(None, (registration.expected_amount, registration.currency))
    return " ".join(parts) or None


def _write_plan(update: Update, pay_id: str, plan: "CheckPlan") -> None:
    """Write when the next check comes, and touch the index only where it has to move."""
    if plan.via is None:
        update.remove("nextCheckAt", "workShard", "workAt")
        return
    update.set(nextCheckAt=plan.check_at)
    if plan.work_at is not None:
        _set_watchdog(update, pay_id, plan.work_at)


def _set_watchdog(update: Update, pay_id: str, work_at: int) -> None:
    update.set(workShard=items.shard("CHECK", pay_id), workAt=work_at)
