"""Explains in sentences what happens next with a payment, and whom it waits for. Pure."""

from payresult.domain.payment import Payment, Status
from payresult.domain.registration import amount_is_right
from payresult_cli.formatting import attention_reason, format_time_and_age, printable
from payresult_cli.hints import hint

_ACCEPTED_NEXT = "If the gateway reports the same text again, the payment becomes SUCCEEDED."


def explain_next(payment: Payment, now: int) -> list[str]:
    """Return sentences on what payresult does next, and on what an operator can do."""
    lines = _next_event(payment, now) if payment.settled else _next_checks(payment, now)
    if payment.expires_at is not None:
        expires = format_time_and_age(payment.expires_at * 1000, now)
        lines.append(f"DynamoDB deletes it within some days from {expires} on (RetentionDays).")
    return lines


def explain_attention(payment: Payment, now: int) -> list[str]:
    """Return sentences on why it waits for a person since when, or who closed that and why."""
    reason = attention_reason(payment)
    if reason is None:
        return _closed(payment, now)
    since = payment.attention_since
    waits = f"has waited for a person since {format_time_and_age(since, now)}" if since else ""
    return [f"{reason}: it {waits or 'waits for a person'}.", *_ends(payment.pay_id, reason)]


def _ends(pay_id: str, reason: str) -> list[str]:
    """Return what ends the waiting for a person."""
    close = hint("close", pay_id, "--reason", "'refunded'")
    if reason == "REVIEW":
        accept = hint("accept", pay_id, "--reason", "'coupon 5'")
        return [
            "Until the registered amount is reported, or until",
            f"`{accept}`",
            f"or `{close}`.",
        ]
    if reason == "UNRESOLVED":
        return [
            f"`{_follow_again()}` follows it again;",
            f"`{close}` ends the case. An answer that changes its status ends it too.",
        ]
    return ["Its order was paid with another payId too: refund one, then", f"`{close}`."]


def _advice(payment: Payment) -> str:
    """Return what has a payment checked of which no check is planned, or only late ones."""
    check = hint("check", payment.pay_id)
    if payment.status is Status.PENDING:
        return f"There should be one: tell the maintainers. `{check}` checks it now."
    if payment.status is Status.REVIEW:
        return f"`{check}`, a PUT or a message with its payId has it checked once."
    if payment.status is Status.UNRESOLVED:
        return (
            "A PUT or a message with its payId starts the checks again,"
            f" and so does `{_follow_again()}`."
        )
    return "A PUT or a message with its payId starts the checks again."


def _follow_again() -> str:
    return hint("follow", "--attention", "UNRESOLVED")


def _closed(payment: Payment, now: int) -> list[str]:
    """Return when and why the case was closed, if nothing has happened since."""
    last = payment.history[-1] if payment.history else None
    if last is None or last.reason is None or last.amount_from or last.amount_to:
        return []
    return [f"Closed at {format_time_and_age(last.at, now)}: {printable(last.reason)}."]


def _next_checks(payment: Payment, now: int) -> list[str]:
    if payment.work_at is None:
        return ["Nothing happens automatically: no check is planned.", _advice(payment)]
    line = _next_check(payment, payment.work_at, now)
    if payment.status is Status.PENDING:
        return [line]
    accepted = amount_is_right(payment, payment.reply.get("payAmount"))
    is_accepted = payment.status is Status.REVIEW and accepted
    return [line, _ACCEPTED_NEXT if is_accepted else _advice(payment)]


def _next_check(payment: Payment, work_at: int, now: int) -> str:
    check_at = payment.next_check_at or payment.created_at
    by_sweeper = work_at <= check_at
    if check_at > now:
        by = "sent by the sweeper" if by_sweeper else "by a delayed message in the queue"
        return f"The next check is due at {format_time_and_age(check_at, now)}, {by}."
    overdue = f"A check was due at {format_time_and_age(check_at, now)}"
    if by_sweeper or work_at <= now:
        return f"{overdue}; the sweeper, which runs every minute, sends it."
    resent = format_time_and_age(work_at, now)
    return f"{overdue}; if its message is lost, the sweeper sends another at {resent}."


def _next_event(payment: Payment, now: int) -> list[str]:
    if payment.event_state == "SENT" and payment.event_sent_at:
        sent = format_time_and_age(payment.event_sent_at, now)
        return [f"Nothing: it is settled, and its event was sent at {sent}."]
    if payment.event_state == "PENDING" and payment.work_at:
        by = format_time_and_age(payment.work_at, now)
        return [
            "Its event is waiting to be sent: the publisher sends it within seconds,",
            f"or else the sweeper at {by}.",
        ]
    return ["It is settled, but its event is neither pending nor sent: tell the maintainers."]
