"""`payresult explain`: one payment, with why it has its status and what happens next."""

import json
from typing import Any

import click

from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.items import check_error_value, status_change_value
from payresult.domain.payment import Payment, StatusChange, to_iso8601
from payresult.schemas.responses import payment_response
from payresult_cli.context import Context
from payresult_cli.explanation import DeploymentSettings, explain_status
from payresult_cli.explanation_next import explain_attention, explain_next
from payresult_cli.explanation_order import OrderMark, explain_order
from payresult_cli.formatting import (
    attention_reason,
    coloured,
    format_count,
    format_pay_amount,
    format_registered_amount,
    format_time,
    format_time_and_age,
    printable,
)
from payresult_cli.hints import hint
from payresult_cli.options import PAY_ID, stack_options
from payresult_cli.stack import Stack


@click.command("explain")
@click.argument("pay_id", metavar="PAYID", type=PAY_ID)
@stack_options
def command(context: Context, pay_id: str) -> int:
    """Show why a payment has its status, and what happens next.

    Only reads the table: the gateway is not asked and the payment does not change. Exit code 1 if
    the payId is not in the table.
    """
    stack = context.stack
    payment = stack.repository().get(pay_id)
    if payment is None:
        context.output({"payId": pay_id, "stored": False}, _not_stored(pay_id))
        return 1
    settings, now = _settings(stack), context.now()
    mark = _order_mark(stack.repository(), payment)
    lines = [*_lines(payment, now, settings), *_section("Order", explain_order(payment, mark))]
    record = _record(payment, now, settings) | {"order": mark and mark.record()}
    context.output(record, "\n".join(lines))
    return 0


def _order_mark(repository: PaymentRepository, payment: Payment) -> OrderMark | None:
    order_id = payment.registration.order_id
    if order_id is None:
        return None
    holder = repository.orders.holder(order_id)
    if holder is None:
        return OrderMark(order_id)
    return OrderMark(order_id, holder, repository.get(holder))


def _not_stored(pay_id: str) -> str:
    why = "it was not registered, or its message was not processed yet"
    check, redrive = hint("check", pay_id), hint("redrive", "--dry-run")
    width = max(len(check), len(redrive))
    return "\n".join(
        [
            f"{pay_id} is not in the table: {why}.",
            f"  {check:{width}}   asks the gateway about it now",
            f"  {redrive:{width}}   shows messages that could not be processed",
        ]
    )


def _settings(stack: Stack) -> DeploymentSettings:
    failed = stack.failed_pay_rst_values.split(",") if stack.failed_pay_rst_values else []
    return DeploymentSettings(len(stack.check_delays.split(",")) + 1, failed)


def _record(payment: Payment, now: int, settings: DeploymentSettings) -> dict[str, Any]:
    history = [
        status_change_value(change) | {"at": to_iso8601(change.at)} for change in payment.history
    ]
    error, expires_at = payment.last_error, payment.expires_at
    return payment_response(payment).model_dump(mode="json", exclude_none=True) | {
        "why": explain_status(payment, now, settings),
        "next": explain_next(payment, now),
        "answeredChecks": payment.attempt,
        "maxAnsweredChecks": settings.max_checks,
        "lastError": error
        and check_error_value(error)
        | {"at": to_iso8601(error.at), "since": to_iso8601(error.since)},
        "acceptedPayAmount": payment.accepted_amount,
        "acceptedAbsent": payment.accepted_absent or None,
        "attention": attention_reason(payment),
        "attentionSince": _iso8601(payment.attention_since),
        "person": explain_attention(payment, now) or None,
        "expiresAt": expires_at and to_iso8601(expires_at * 1000),
        "history": history,
        "eventId": payment.event_id,
        "eventState": payment.event_state,
        "eventSentAt": _iso8601(payment.event_sent_at),
        "event": payment.event and json.loads(payment.event),
    }


def _iso8601(at: int | None) -> str | None:
    return None if at is None else to_iso8601(at)


def _lines(payment: Payment, now: int, settings: DeploymentSettings) -> list[str]:
    order = f"order {payment.registration.order_id}, " if payment.registration.order_id else ""
    amount = format_registered_amount(payment.registration)
    return [
        f"{payment.pay_id}  {coloured(payment.status)}  ({order}{amount} registered)",
        *_section("Why", explain_status(payment, now, settings)),
        *_section("Next", explain_next(payment, now)),
        *_section("Attention", explain_attention(payment, now)),
        *_section("Checks", _checks(payment, now, settings)),
        *_section("Last answer", [f"{k:<20} {printable(v)}" for k, v in payment.reply.items()]),
        *_section("History", [_change(change) for change in payment.history]),
        *_section("Event", _event(payment, now)),
    ]


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)] if lines else []


def _checks(payment: Payment, now: int, settings: DeploymentSettings) -> list[str]:
    last = (
        f", last at {format_time_and_age(payment.last_checked_at, now)}"
        if payment.last_checked_at
        else ""
    )
    return [
        f"gateway asked {format_count(payment.checks, 'time')}{last}",
        f"{payment.attempt} of at most {settings.max_checks} answered checks used",
    ]


def _change(change: StatusChange) -> str:
    time, by = format_time(change.at), f"by {change.trigger}"
    if change.from_status is change.to_status:
        return f"{time}  {change.to_status}, {by}: {_operator_action(change)}"
    before = f"{change.from_status} -> " if change.from_status else ""
    pay_rst = f', payRst "{printable(change.pay_rst)}"' if change.pay_rst is not None else ""
    return f"{time}  {before}{change.to_status}, {by}{pay_rst}"


def _operator_action(change: StatusChange) -> str:
    if change.reason is None:
        return "event to be sent again"
    reason = printable(change.reason)
    if not change.amount_from and not change.amount_to:
        return f"closed: {reason}"
    reported = {} if change.amount_to is None else {"payAmount": change.amount_to}
    registered = change.amount_from or "no amount"
    return f"{registered} registered, {format_pay_amount(reported)} accepted: {reason}"


def _event(payment: Payment, now: int) -> list[str]:
    if payment.event_id is None:
        return []
    sent = (
        f"sent at {format_time_and_age(payment.event_sent_at, now)}"
        if payment.event_sent_at
        else "not sent yet"
    )
    if payment.event_state == "PENDING" and payment.event_sent_at:
        sent += ", and to be sent again"
    return [f"eventId {payment.event_id}", sent]
