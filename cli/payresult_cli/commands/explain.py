"""`payresult explain`: one payment, in words."""

import json
from typing import Any

import click

from payresult.aws.dynamodb import require_readable
from payresult.aws.items import check_error_value, status_change_value
from payresult.domain.payment import Payment, StatusChange, to_iso8601
from payresult.schemas.responses import payment_response
from payresult_cli.context import Context
from payresult_cli.explanation import Rules, registered, what_next, why
from payresult_cli.formatting import format_count, format_time, format_time_and_age, printable
from payresult_cli.options import PAY_ID, stack_options

UNKNOWN = """\
{pay_id} is not in the table: nobody registered it, or its message was not read yet.
  payresult check {pay_id}      asks the gateway about it now
  payresult redrive --dry-run   shows messages that could not be used"""


@click.command("explain")
@click.argument("pay_id", metavar="PAYID", type=PAY_ID)
@stack_options
def command(desk: Context, pay_id: str) -> int:
    """Say in words why a payment is where it is, and what happens next.

    Reads the table and nothing else: neither the gateway nor the payment notices. Exit code 1
    where the payId is not in the table.
    """
    payment = require_readable(desk.system.store().get_many([pay_id]).get(pay_id))
    if payment is None:
        desk.tell({"payId": pay_id, "stored": False}, UNKNOWN.format(pay_id=pay_id))
        return 1
    system = desk.system
    failed = system.failed_pay_rst_values.split(",") if system.failed_pay_rst_values else []
    rules = Rules(len(system.check_delays.split(",")) + 1, failed)
    now = desk.now()
    desk.tell(_record(payment, now, rules), "\n".join(_page(payment, now, rules)))
    return 0


def _record(payment: Payment, now: int, rules: Rules) -> dict[str, Any]:
    history = [
        status_change_value(change) | {"at": to_iso8601(change.at)} for change in payment.history
    ]
    error = payment.last_error
    sent_at = payment.event_sent_at
    return payment_response(payment) | {
        "why": why(payment, now, rules),
        "next": what_next(payment, now),
        "answeredChecks": payment.attempt,
        "lastError": error and check_error_value(error) | {"at": to_iso8601(error.at)},
        "history": history,
        "eventId": payment.event_id,
        "eventState": payment.event_state,
        "eventSentAt": sent_at and to_iso8601(sent_at),
        "event": payment.event and json.loads(payment.event),
    }


def _page(payment: Payment, now: int, rules: Rules) -> list[str]:
    order = f"order {payment.registration.order_id}, " if payment.registration.order_id else ""
    return [
        f"{payment.pay_id}  {payment.status}  ({order}{registered(payment)} registered)",
        *_section("Why", why(payment, now, rules)),
        *_section("Next", what_next(payment, now)),
        *_section("Checks", _checks(payment, now, rules)),
        *_section("Last answer", [f"{k:<20} {printable(v)}" for k, v in payment.reply.items()]),
        *_section("History", [_change(change) for change in payment.history]),
        *_section("Event", _event(payment, now)),
    ]


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)] if lines else []


def _checks(payment: Payment, now: int, rules: Rules) -> list[str]:
    last = (
        f", the last {format_time_and_age(payment.last_checked_at, now)}"
        if payment.last_checked_at
        else ""
    )
    return [
        f"asked {format_count(payment.checks)}{last}",
        f"{payment.attempt} of the {rules.checks} answers are used up that following it may take",
    ]


def _change(change: StatusChange) -> str:
    if change.from_status is change.to_status:
        did = "event to be sent again"
        if change.reason is not None:
            did = f"{change.amount_from or 'no amount'} -> {change.amount_to} accepted"
            did += f": {printable(change.reason)}"
        return f"{format_time(change.at)}  {change.to_status}, by {change.trigger}: {did}"
    came_from = f"{change.from_status} -> " if change.from_status else ""
    said = f', payRst "{printable(change.pay_rst)}"' if change.pay_rst is not None else ""
    return f"{format_time(change.at)}  {came_from}{change.to_status}, by {change.trigger}{said}"


def _event(payment: Payment, now: int) -> list[str]:
    if payment.event_id is None:
        return []
    sent = (
        f"sent {format_time_and_age(payment.event_sent_at, now)}"
        if payment.event_sent_at
        else "not sent yet"
    )
    if payment.event_state == "PENDING" and payment.event_sent_at:
        sent += ", and to be sent again"
    return [f"eventId {payment.event_id}", sent]
