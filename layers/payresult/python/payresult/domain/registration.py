"""What an order service registers, and how it is merged with what is stored. Pure."""

from dataclasses import replace
from decimal import Decimal

from payresult.domain.amount import parse_amount
from payresult.domain.payment import Payment, Registration, Status
from payresult.domain.schedule import FOLLOW_FOR
from payresult.errors import RegistrationConflict


def new_payment(partner_code: str, pay_id: str, registration: Registration, now: int) -> Payment:
    """Return a payment that nothing is known of yet."""
    return Payment(
        partner_code=partner_code,
        pay_id=pay_id,
        status=Status.PENDING,
        registration=registration,
        created_at=now,
        give_up_at=now + FOLLOW_FOR * 1000,
    )


def merge(payment: Payment, new: Registration) -> Registration:
    """Return the registration of *payment* with *new* added.

    An absent field says nothing; a missing one is set. Raises RegistrationConflict for a
    different value. Amounts are compared as numbers: "19.9" equals "19.90".
    """
    stored = payment.registration
    if _differ(stored.order_id, new.order_id):
        raise RegistrationConflict(payment.pay_id, "orderId")
    if _differ(stored.currency, new.currency):
        raise RegistrationConflict(payment.pay_id, "currency")
    if _differ(_number(stored.expected_amount), _number(new.expected_amount)):
        raise RegistrationConflict(payment.pay_id, "expectedAmount")
    merged = Registration(
        stored.order_id or new.order_id,
        stored.expected_amount or new.expected_amount,
        stored.currency or new.currency,
    )
    if payment.settled:
        _require_paid_amount(payment, merged)
    return merged


def can_restart(payment: Payment) -> bool:
    """Return True if a registration starts the checks again: UNRESOLVED, and none planned."""
    return payment.status is Status.UNRESOLVED and payment.work_at is None


def amount_matches(pay_amount: str | None, registration: Registration) -> bool:
    """Return True if *pay_amount* is the registered amount, or none is registered.

    A currency that the amount names must be the registered one too.
    """
    paid = parse_amount(pay_amount)
    expected = registration.expected_amount
    if expected is not None and (paid is None or paid.value != Decimal(expected)):
        return False
    named = paid.currencies if paid else ()
    return not named or registration.currency is None or registration.currency in named


def _differ(stored: object, new: object) -> bool:
    return stored is not None and new is not None and stored != new


def _number(amount: str | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)


def _require_paid_amount(payment: Payment, merged: Registration) -> None:
    """Once the event exists, only what agrees with it may be registered."""
    paid = payment.reply.get("payAmount")
    if not amount_matches(paid, replace(merged, currency=payment.registration.currency)):
        raise RegistrationConflict(payment.pay_id, "expectedAmount")
    if not amount_matches(paid, merged):
        raise RegistrationConflict(payment.pay_id, "currency")
