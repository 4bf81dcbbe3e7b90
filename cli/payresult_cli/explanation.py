"""Explains in sentences why a payment has its status and what happens next. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from payresult.domain.payment import CheckError, Payment, Status
from payresult.domain.registration import amount_matches
from payresult_cli.formatting import (
    format_duration,
    format_registered_amount,
    format_time_and_age,
    printable,
)


@dataclass(frozen=True, slots=True)
class DeploymentSettings:
    """Parameters of the deployment that an explanation needs."""

    max_checks: int
    failed_pay_rst_values: Collection[str]


def explain_status(payment: Payment, now: int, settings: DeploymentSettings) -> list[str]:
    """Return sentences on why the payment has its status."""
    lines = _BY_STATUS[payment.status](payment, now, settings)
    if not payment.settled and payment.last_error:
        lines.append(_last_error(payment.last_error, now))
    return lines


def explain_next(payment: Payment, now: int) -> list[str]:
    """Return sentences on what payresult does next, and on what an operator can do."""
    if payment.settled:
        return _next_event(payment, now)
    if payment.work_at is None:
        return ["Nothing happens automatically: no check is planned.", _ADVICE[payment.status]]
    lines = [_next_check(payment, payment.work_at, now)]
    if payment.status is Status.REVIEW:
        lines.append(_ACCEPTED_NEXT if _is_accepted(payment) else _ADVICE[payment.status])
    return lines


def _pending(payment: Payment, now: int, settings: DeploymentSettings) -> list[str]:
    pay_rst = payment.reply.get("payRst")
    if pay_rst is None and not payment.checks:
        return [f"Registered at {format_time_and_age(payment.created_at, now)}, not checked yet."]
    if pay_rst is None:
        return ["The gateway has not given a valid answer yet."]
    lines = [f'The gateway\'s last answer is payRst "{printable(pay_rst)}".']
    if pay_rst not in settings.failed_pay_rst_values:
        lines.append('Only "success" means paid; payresult does not know what this value means.')
    return lines


def _unresolved(payment: Payment, now: int, settings: DeploymentSettings) -> list[str]:
    duration = (
        format_duration(payment.history[-1].at - payment.created_at) if payment.history else "days"
    )
    used_up = payment.attempt >= settings.max_checks
    end = "all its checks are used" if used_up else "its time is over"
    return [
        f"It was followed for {duration} without being settled, and {end}.",
        *_pending(payment, now, settings),
    ]


def _failed(payment: Payment, now: int, _: DeploymentSettings) -> list[str]:
    pay_rst = printable(payment.reply.get("payRst", ""))
    return [
        f'The gateway answered payRst "{pay_rst}" at {_changed_at(payment, now)},',
        "which is one of this deployment's FailedPayRstValues.",
    ]


def _review(payment: Payment, now: int, _: DeploymentSettings) -> list[str]:
    paid = printable(payment.reply.get("payAmount", "no amount"))
    if _is_accepted(payment):
        return [f"The gateway reports it as paid with {paid}, and an operator accepted this."]
    registered = format_registered_amount(payment.registration)
    return [
        f"The gateway reports it as paid with {paid}, but {registered} is registered.",
        f"It waits for an operator's decision since {_changed_at(payment, now)}.",
    ]


def _is_accepted(payment: Payment) -> bool:
    """Return whether the registered amount is the reported one, as `accept` makes it."""
    return amount_matches(payment.reply.get("payAmount"), payment.registration)


def _succeeded(payment: Payment, now: int, _: DeploymentSettings) -> list[str]:
    paid = printable(payment.reply.get("payAmount", "no amount"))
    line = f"The gateway reported it as paid ({paid}) at {_changed_at(payment, now)}."
    if payment.registration.expected_amount is None:
        return [line, "No amount was registered, so none was compared."]
    registered = format_registered_amount(payment.registration)
    return [line, f"This is the registered amount: {registered}."]


_BY_STATUS = {
    Status.PENDING: _pending,
    Status.UNRESOLVED: _unresolved,
    Status.FAILED: _failed,
    Status.REVIEW: _review,
    Status.SUCCEEDED: _succeeded,
}

_ADVICE = {
    Status.PENDING: "There should be one: tell the maintainers. `payresult check` checks it now.",
    Status.UNRESOLVED: "Ask the gateway's operator; `payresult follow` restarts the checks.",
    Status.FAILED: "`payresult check` asks the gateway once more.",
    Status.REVIEW: "Accept what was paid with `payresult accept`, or refund it.",
}

_ACCEPTED_NEXT = "If the gateway gives the same answer again, the payment becomes SUCCEEDED."


def _changed_at(payment: Payment, now: int) -> str:
    """Return when the status changed last."""
    changes = [each for each in payment.history if each.from_status is not each.to_status]
    return format_time_and_age(changes[-1].at, now) if changes else "an unknown time"


def _last_error(error: CheckError, now: int) -> str:
    latest = format_time_and_age(error.at, now)
    if error.kind == "unavailable":
        checks = f"the last {error.tries} checks" if error.tries > 1 else "the last check"
        return f"The gateway did not answer {checks}, the latest at {latest}; the status is kept."
    http_status = f" (HTTP {error.http_status})" if error.http_status else ""
    return f"The gateway's answer to the last check, at {latest}, was invalid{http_status}."


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
