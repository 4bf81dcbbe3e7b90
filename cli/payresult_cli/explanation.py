"""Explains in sentences why a payment has its status. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from payresult.domain.payment import CheckError, Payment, Status, StatusChange
from payresult.domain.registration import amount_is_right, amount_matches
from payresult_cli.formatting import (
    format_pay_amount,
    format_registered_amount,
    format_time_and_age,
    printable,
)

_HOW = {
    "timeout": "no answer in time",
    "connection": "no connection, or it broke",
    "tls": "TLS refused",
    "http": "an HTTP error",
    "not_json": "no JSON",
    "not_a_reply": "JSON that is no reply",
    "other_payment": "a reply about another payment",
}
"""In words, how the gateway failed to say anything about a payment (FailureKind)."""


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
    if payment.stale:
        asked = format_time_and_age(payment.last_unanswered_at or 0, now)
        lines.append(
            f"The gateway did not answer the last query, at {asked}:"
            " the API marks its answers as stale."
        )
    return lines


def acceptance(payment: Payment) -> StatusChange | None:
    """Return the last entry of the history by which an operator accepted an amount."""
    operator = (each for each in reversed(payment.history) if each.reason is not None)
    return next((each for each in operator if each.amount_from or each.amount_to), None)


def _pending(payment: Payment, now: int, settings: DeploymentSettings) -> list[str]:
    pay_rst = payment.reply.get("payRst")
    if pay_rst is None and not payment.checks:
        return [f"Registered at {format_time_and_age(payment.created_at, now)}, not checked yet."]
    lines = _last_answer(pay_rst, settings)
    restarted = [
        each.at for each in payment.history if each.from_status not in {None, each.to_status}
    ]
    if restarted:
        lines.append(f"Its checks were started again at {format_time_and_age(restarted[-1], now)}.")
    return lines


def _last_answer(pay_rst: str | None, settings: DeploymentSettings) -> list[str]:
    if pay_rst is None:
        return ["The gateway has not given a valid answer yet."]
    lines = [f'The gateway\'s last answer is payRst "{printable(pay_rst)}".']
    if pay_rst not in settings.failed_pay_rst_values:
        lines.append('Only "success" means paid; payresult does not know what this value means.')
    return lines


def _unresolved(payment: Payment, now: int, settings: DeploymentSettings) -> list[str]:
    return [
        f"Its time was over at {_changed_at(payment, now)},",
        "and the check at the end brought no answer: nobody knows whether it is paid.",
        *_last_answer(payment.reply.get("payRst"), settings),
    ]


def _expired(payment: Payment, now: int, settings: DeploymentSettings) -> list[str]:
    return [
        f"The last planned check was answered at {_changed_at(payment, now)},",
        "and no answer was a success: an abandoned checkout ends like this.",
        *_last_answer(payment.reply.get("payRst"), settings),
    ]


def _failed(payment: Payment, now: int, _: DeploymentSettings) -> list[str]:
    pay_rst = printable(payment.reply.get("payRst", ""))
    return [
        f'The gateway answered payRst "{pay_rst}" at {_changed_at(payment, now)},',
        "which is one of this deployment's FailedPayRstValues.",
    ]


def _review(payment: Payment, now: int, _: DeploymentSettings) -> list[str]:
    reported = format_pay_amount(payment.reply)
    registered = format_registered_amount(payment.registration)
    line = f"The gateway reports it as paid with {reported}, but {registered} is registered."
    accepted = _accepted(payment, now)
    if not accepted:
        return [line]
    if amount_is_right(payment, payment.reply.get("payAmount")):
        return [line, accepted]
    return [line, accepted, "This is not what the gateway reports now."]


def _succeeded(payment: Payment, now: int, _: DeploymentSettings) -> list[str]:
    reported = format_pay_amount(payment.reply)
    line = f"The gateway reported it as paid ({reported}) at {_changed_at(payment, now)}."
    registered = format_registered_amount(payment.registration)
    accepted = _accepted(payment, now)
    if accepted and not amount_matches(payment.reply.get("payAmount"), payment.registration):
        return [line, f"{registered} is registered.", accepted]
    if payment.registration.expected_amount is None:
        return [line, "No amount was registered, so none was compared."]
    return [line, f"This is the registered amount: {registered}."]


_BY_STATUS = {
    Status.PENDING: _pending,
    Status.UNRESOLVED: _unresolved,
    Status.EXPIRED: _expired,
    Status.FAILED: _failed,
    Status.REVIEW: _review,
    Status.SUCCEEDED: _succeeded,
}


def _accepted(payment: Payment, now: int) -> str:
    """Return what an operator accepted, when and why; "" if nothing was accepted."""
    if payment.accepted_amount is None and not payment.accepted_absent:
        return ""
    text = {} if payment.accepted_amount is None else {"payAmount": payment.accepted_amount}
    entry = acceptance(payment)
    when = f" at {format_time_and_age(entry.at, now)}" if entry else ""
    why = f": {printable(entry.reason)}" if entry and entry.reason else ""
    return f"An operator accepted {format_pay_amount(text)}{when}{why}."


def _changed_at(payment: Payment, now: int) -> str:
    return format_time_and_age(payment.changed_at, now)


def _last_error(error: CheckError, now: int) -> str:
    """Return how the gateway failed, since when and how often."""
    how = _HOW.get(error.how or "", "nothing valid")
    if error.http_status and error.how in {"http", None}:
        how = f"HTTP {error.http_status}"
    latest = format_time_and_age(error.at, now)
    if error.tries == 1:
        return f"The last check, at {latest}, failed ({how}); the status is kept."
    since = format_time_and_age(error.since, now)
    return (
        f"The last {error.tries} checks brought no reply, since {since};"
        f" the latest, at {latest}, failed ({how}); the status is kept."
    )
