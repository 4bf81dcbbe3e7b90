"""Why a payment is where it is, and what happens next, in words. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from payresult.domain.payment import CheckError, Payment, Status
from payresult.domain.registration import amount_matches
from payresult_cli.formatting import format_duration, format_time_and_age, printable


@dataclass(frozen=True, slots=True)
class Rules:
    """What the deployment decides, as far as an explanation has to know it."""

    checks: int
    failed_pay_rst_values: Collection[str]


def why(payment: Payment, now: int, rules: Rules) -> list[str]:
    """Say why the payment has its status, in sentences."""
    said = _WHY[payment.status](payment, now, rules)
    if not payment.settled and payment.last_error:
        said.append(_trouble(payment.last_error, now))
    return said


def what_next(payment: Payment, now: int) -> list[str]:
    """Say what happens next by itself, and what an operator can do."""
    if payment.settled:
        return _event_next(payment, now)
    if payment.work_at is None:
        return ["Nothing by itself: no check is planned any more.", _ADVICE[payment.status]]
    said = [_next_check(payment, payment.work_at, now)]
    if payment.status is Status.REVIEW:
        said.append(_REVIEWED if _accepted(payment) else _ADVICE[payment.status])
    return said


def _pending(payment: Payment, now: int, rules: Rules) -> list[str]:
    pay_rst = payment.reply.get("payRst")
    if pay_rst is None and not payment.checks:
        return [f"Registered {format_time_and_age(payment.created_at, now)}, and not checked yet."]
    if pay_rst is None:
        return ["The gateway has not told anything about it yet."]
    said = [f'The gateway\'s last answer is payRst "{printable(pay_rst)}".']
    if pay_rst not in rules.failed_pay_rst_values:
        said.append('Only "success" means paid; what this value means, nobody told payresult.')
    return said


def _unresolved(payment: Payment, now: int, rules: Rules) -> list[str]:
    since = (
        format_duration(payment.history[-1].at - payment.created_at) if payment.history else "days"
    )
    end = "all its checks" if payment.attempt >= rules.checks else "its time"
    return [
        f"It was followed for {since} and used up {end} without being settled.",
        *_pending(payment, now, rules),
    ]


def _failed(payment: Payment, now: int, _: Rules) -> list[str]:
    pay_rst = printable(payment.reply.get("payRst", ""))
    said = f'The gateway answered payRst "{pay_rst}" {_changed(payment, now)},'
    return [said, "which is one of this deployment's FailedPayRstValues."]


def _review(payment: Payment, now: int, _: Rules) -> list[str]:
    paid = printable(payment.reply.get("payAmount", "no amount"))
    if _accepted(payment):
        return [f"The gateway reports it as paid with {paid}, which an operator has accepted."]
    return [
        f"The gateway reports it as paid, but with {paid}; registered is {registered(payment)}.",
        f"It waits for somebody's decision, since {_changed(payment, now)}.",
    ]


def _accepted(payment: Payment) -> bool:
    """Say whether what is registered is by now what was paid."""
    return amount_matches(payment.reply.get("payAmount"), payment.registration)


def _succeeded(payment: Payment, now: int, _: Rules) -> list[str]:
    paid = printable(payment.reply.get("payAmount", "no amount"))
    said = f"The gateway reported it as paid ({paid}) {_changed(payment, now)}."
    if payment.registration.expected_amount is None:
        return [said, "No amount was registered to compare with."]
    return [said, f"That is what was registered: {registered(payment)}."]


_WHY = {
    Status.PENDING: _pending,
    Status.UNRESOLVED: _unresolved,
    Status.FAILED: _failed,
    Status.REVIEW: _review,
    Status.SUCCEEDED: _succeeded,
}

_ADVICE = {
    Status.PENDING: "It should have one: `payresult check` asks now; tell the maintainers.",
    Status.UNRESOLVED: "Ask the gateway's operator; `payresult follow` follows it anew.",
    Status.FAILED: "`payresult check` asks the gateway once more.",
    Status.REVIEW: "`payresult accept` accepts what was paid; else refund it.",
}

_REVIEWED = "If the gateway says the same again, the payment SUCCEEDED."


def registered(payment: Payment) -> str:
    """Return the registered amount and currency."""
    known = payment.registration
    return " ".join(filter(None, (known.expected_amount, known.currency))) or "no amount"


def _changed(payment: Payment, now: int) -> str:
    changes = [each for each in payment.history if each.from_status is not each.to_status]
    return format_time_and_age(changes[-1].at, now) if changes else "at an unknown time"


def _trouble(trouble: CheckError, now: int) -> str:
    latest = format_time_and_age(trouble.at, now)
    if trouble.kind == "unavailable":
        times = f"the last {trouble.tries} checks" if trouble.tries > 1 else "the last check"
        return f"The gateway did not answer {times}, the latest {latest}; that changes no status."
    status = f" (HTTP {trouble.http_status})" if trouble.http_status else ""
    return f"The gateway's answer{status} to the last check had no meaning, {latest}."


def _next_check(payment: Payment, work_at: int, now: int) -> str:
    check_at = payment.next_check_at or payment.created_at
    by_sweeper = work_at <= check_at
    if check_at > now:
        by = "sent by the sweeper" if by_sweeper else "by a message that waits in the queue"
        return f"The next check is due {format_time_and_age(check_at, now)}, {by}."
    late = f"A check was due {format_time_and_age(check_at, now)}"
    if by_sweeper or work_at <= now:
        return f"{late}; the sweeper, which runs every minute, sends it."
    replaced = format_time_and_age(work_at, now)
    return f"{late}; if its message is lost, the sweeper sends another {replaced}."


def _event_next(payment: Payment, now: int) -> list[str]:
    if payment.event_state == "SENT" and payment.event_sent_at:
        sent = format_time_and_age(payment.event_sent_at, now)
        return [f"Nothing: it is settled, and its event is on the bus since {sent}."]
    if payment.event_state == "PENDING" and payment.work_at:
        by = format_time_and_age(payment.work_at, now)
        return [
            "Its event is not on the bus yet: the publisher sends it within seconds,",
            f"and if it does not, the sweeper does, {by}.",
        ]
    return ["It is settled, but has no event that is waiting or sent: tell the maintainers."]
