"""What an operator writes: accept, close, republish. Pure."""

from payresult.aws import items
from payresult.aws.expressions import Update
from payresult.aws.update_parts import (
    append_history,
    require_registration_unchanged,
    set_watchdog,
    start,
)
from payresult.aws.updates import EVENT_GRACE_MS
from payresult.domain.payment import Payment, Registration, Status, StatusChange

# Passes if this event was sent: only such an event can be sent again.
EVENT_SENT = "#eventId = :eventId AND #eventState = :sent"
# Passes in REVIEW only: nothing else can be accepted.
IN_REVIEW = "#status = :review"
# Passes if nothing is planned or unsent, and nobody has to look at it.
AT_REST = "attribute_not_exists(#workShard) AND attribute_not_exists(#attention)"


def accept(payment: Payment, reason: str, now: int) -> Update:
    """Accept what the gateway reports of a payment in REVIEW, and plan a check at once.

    The stored reply must still be the one that *payment* has.
    """
    reported = payment.reply.get("payAmount")
    update = Update()
    update.require(IN_REVIEW, review=Status.REVIEW.value)
    update.require_unchanged(reply=payment.reply)
    require_registration_unchanged(update, payment)
    start(update, payment, now)
    if reported is None:
        update.set(acceptedAbsent=True)
        update.remove("acceptedPayAmount")
    else:
        update.set(acceptedPayAmount=reported)
        update.remove("acceptedAbsent")
    update.set(attention=items.attention(payment.partner_code, "REVIEW"))
    update.set_if_absent(attentionSince=now)
    _append_operator_entry(
        update, payment, now, reason, _amount_text(payment.registration), reported
    )
    set_watchdog(update, payment.pay_id, now)
    return update


def close(payment: Payment, reason: str, now: int, expires_at: int | None) -> Update:
    """End the attention for a payment that a person has dealt with otherwise.

    *expires_at* (seconds since 1970) is for one that has no check planned.
    """
    update = Update()
    update.require_unchanged(
        attention=payment.attention,
        attentionSince=payment.attention_since,
        workAt=payment.work_at,
        giveUpAt=payment.give_up_at,
    )
    update.remove("attention", "attentionSince")
    if expires_at is not None:
        update.set(expiresAt=expires_at)
    _append_operator_entry(update, payment, now, reason)
    return update


def republish(payment: Payment, now: int) -> Update:
    """Mark a sent event as unsent; the stream publishes it again."""
    update = Update()
    update.require(EVENT_SENT, eventId=payment.event_id, sent="SENT")
    update.require_unchanged(eventSentAt=payment.event_sent_at)
    update.set(eventState="PENDING", workShard=items.shard("EVENT", payment.pay_id))
    update.set(workAt=now + EVENT_GRACE_MS)
    update.remove("expiresAt")
    _append_operator_entry(update, payment, now)
    return update


def _append_operator_entry(
    update: Update,
    payment: Payment,
    now: int,
    reason: str | None = None,
    *amounts: str | None,
) -> None:
    status = payment.status
    entry = StatusChange(now, status, status, "operator", None, reason, *amounts)
    append_history(update, payment, entry)


def _amount_text(registration: Registration) -> str | None:
    parts = filter(None, (registration.expected_amount, registration.currency))
    return " ".join(parts) or None
