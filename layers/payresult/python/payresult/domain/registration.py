"""What an order service registers, and how it is merged with what is stored. Pure."""

from dataclasses import replace
from decimal import Decimal

from payresult.domain.amount import fits_currency, same_amount
from payresult.domain.payment import Payment, Registration, Status
from payresult.domain.reply import stored_text
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
    _require_decimals_of_currency(payment, merged)
    if payment.settled:
        _require_paid_amount(payment, merged)
    return merged


def can_restart(payment: Payment, sent_at: int | None) -> bool:
    """Return True if a registration starts the checks again: an end without a success.

    *sent_at* is when its message was sent, None for a PUT. A message that is older than the last
    change of status says nothing new.
    """
    newer = sent_at is None or sent_at > payment.changed_at
    return newer and payment.status in {Status.UNRESOLVED, Status.EXPIRED, Status.FAILED}


def due_step(payment: Payment) -> int | None:
    """Return the step of the first check after a start, or None if that check was made.

    A redelivered message without ``step`` makes good for a crash after the write that started it.
    """
    first = payment.attempt == 0 and payment.last_error is None and not payment.settled
    return payment.step + 1 if first else None


def amount_is_right(payment: Payment, pay_amount: str | None) -> bool:
    """Return True if *pay_amount* is what was registered, or the text that was accepted."""
    if pay_amount is None:
        accepted = payment.accepted_absent
    else:
        accepted = stored_text(pay_amount) == payment.accepted_amount
    return accepted or amount_matches(pay_amount, payment.registration)


def amount_matches(pay_amount: str | None, registration: Registration) -> bool:
    """Return True if *pay_amount* is the registered amount, or none is registered.

    A currency that the amount names must be the registered one too.
    """
    return same_amount(pay_amount, registration.expected_amount, registration.currency)


def _differ(stored: object, new: object) -> bool:
    return stored is not None and new is not None and stored != new


def _number(amount: str | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)


def _require_decimals_of_currency(payment: Payment, merged: Registration) -> None:
    """An amount and a currency that were registered one after the other have to fit."""
    stored = payment.registration
    if stored.expected_amount is not None and stored.currency is not None:
        return  # both were checked when they came
    if not fits_currency(merged.expected_amount, merged.currency):
        field = "expectedAmount" if stored.expected_amount is None else "currency"
        raise RegistrationConflict(payment.pay_id, field)


def _require_paid_amount(payment: Payment, merged: Registration) -> None:
    """Once the event exists, only what agrees with it may be registered."""
    paid = payment.reply.get("payAmount")
    if amount_is_right(replace(payment, registration=merged), paid):
        return  # "1,234" is an amount only once a currency is registered
    in_stored_currency = replace(merged, currency=payment.registration.currency)
    same = amount_is_right(replace(payment, registration=in_stored_currency), paid)
    raise RegistrationConflict(payment.pay_id, "currency" if same else "expectedAmount")
