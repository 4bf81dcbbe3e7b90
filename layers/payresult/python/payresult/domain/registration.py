"""What an order service registers, and how it merges with what is there. Pure."""

from dataclasses import replace
from decimal import Decimal

from payresult.domain.payment import Payment, Registration, Status
from payresult.domain.reply import parse_amount
from payresult.domain.schedule import FOLLOW_FOR
from payresult.errors import RegistrationConflict


def new_payment(partner_code: str, pay_id: str, registration: Registration, now: int) -> Payment:
    """Return a payment of which nothing is known yet."""
    return Payment(
        partner_code=partner_code,
        pay_id=pay_id,
        status=Status.PENDING,
        registration=registration,
        created_at=now,
        give_up_at=now + FOLLOW_FOR * 1000,
    )


def merge(payment: Payment, said: Registration) -> Registration:
    """Return what is registered once *said* is added to it.

    Absent says nothing, missing is set, and another value is a RegistrationConflict. Amounts
    are compared as numbers: "19.9" is "19.90".
    """
    known = payment.registration
    if _differ(known.order_id, said.order_id):
        raise RegistrationConflict(payment.pay_id, "orderId")
    if _differ(known.currency, said.currency):
        raise RegistrationConflict(payment.pay_id, "currency")
    if _differ(_number(known.expected_amount), _number(said.expected_amount)):
        raise RegistrationConflict(payment.pay_id, "expectedAmount")
    merged = Registration(
        known.order_id or said.order_id,
        known.expected_amount or said.expected_amount,
        known.currency or said.currency,
    )
    if payment.settled:
        _demand_what_was_paid(payment, merged)
    return merged


def can_restart(payment: Payment) -> bool:
    """Say whether registering again starts the following anew: given up, and nobody on it."""
    return payment.status is Status.UNRESOLVED and payment.work_at is None


def _differ(known: object, said: object) -> bool:
    return known is not None and said is not None and known != said


def _number(amount: str | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)


def _demand_what_was_paid(payment: Payment, merged: Registration) -> None:
    """Once the event exists, only what it could have said may still be registered."""
    paid = payment.reply.get("payAmount")
    if not amount_matches(paid, replace(merged, currency=payment.registration.currency)):
        raise RegistrationConflict(payment.pay_id, "expectedAmount")
    if not amount_matches(paid, merged):
        raise RegistrationConflict(payment.pay_id, "currency")


def amount_matches(pay_amount: str | None, registration: Registration) -> bool:
    """Say whether *pay_amount* is what was registered; without a registration all is right."""
    paid = parse_amount(pay_amount)
    expected = registration.expected_amount
    if expected is not None and (paid is None or paid.value != Decimal(expected)):
        return False
    named = paid.currencies if paid else ()
    return not named or registration.currency is None or registration.currency in named
