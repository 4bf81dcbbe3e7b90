"""P2: a registration is merged with the stored one, and a different value is refused."""

from dataclasses import replace
from typing import Any

import pytest

from payresult.domain.payment import CheckError, Payment, Registration, Status, StatusChange
from payresult.domain.registration import amount_is_right, can_restart, due_step, merge, new_payment
from payresult.errors import RegistrationConflict
from tests.support.factories import DAY, NOW, PARTNER, PAY_ID, payment

FULL = Registration("A-17", "19.99", "USD")
NOTHING = Registration()


def registered(registration: Registration) -> Payment:
    """Return a payment with this registration."""
    return payment(registration=registration)


def test_a_new_payment_is_pending_and_followed_for_nine_days() -> None:
    """And has nothing but its registration."""
    assert new_payment(PARTNER, PAY_ID, FULL, NOW) == Payment(
        PARTNER, PAY_ID, Status.PENDING, FULL, created_at=NOW, give_up_at=NOW + 9 * DAY
    )


@pytest.mark.parametrize(
    ("stored", "new", "merged"),
    [
        (NOTHING, NOTHING, NOTHING),
        (NOTHING, FULL, FULL),
        (FULL, NOTHING, FULL),
        (FULL, FULL, FULL),
        (Registration("A-17"), Registration(expected_amount="5"), Registration("A-17", "5")),
        (Registration(currency="USD"), Registration("A-17"), Registration("A-17", None, "USD")),
        (Registration("A-17", "19.9"), Registration(None, "19.90"), Registration("A-17", "19.9")),
        (Registration(None, "20"), Registration(None, "20.00"), Registration(None, "20")),
    ],
)
def test_absent_fields_say_nothing_and_missing_ones_are_set(
    stored: Registration, new: Registration, merged: Registration
) -> None:
    """Field by field; an equal amount that is written differently stays as it was."""
    assert merge(registered(stored), new) == merged


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (Registration("A-18"), "orderId"),
        (Registration("a-17"), "orderId"),
        (Registration(expected_amount="19.98"), "expectedAmount"),
        (Registration(currency="EUR"), "currency"),
        (Registration("A-17", "19.99", "EUR"), "currency"),
        (Registration("A-17", "1999", "USD"), "expectedAmount"),
    ],
)
def test_another_value_is_a_conflict_that_names_the_field(new: Registration, field: str) -> None:
    """Also where the other fields are right."""
    with pytest.raises(RegistrationConflict) as conflict:
        merge(registered(FULL), new)
    assert (conflict.value.field, conflict.value.pay_id) == (field, PAY_ID)


@pytest.mark.parametrize(
    ("stored", "new", "field"),
    [
        (Registration(expected_amount="19.99"), Registration(currency="JPY"), "currency"),
        (Registration(currency="JPY"), Registration(expected_amount="19.99"), "expectedAmount"),
    ],
)
def test_an_amount_and_a_currency_that_do_not_fit_are_a_conflict(
    stored: Registration, new: Registration, field: str
) -> None:
    """A yen has no hundredths, whichever of the two was registered first."""
    with pytest.raises(RegistrationConflict) as conflict:
        merge(registered(stored), new)
    assert conflict.value.field == field


@pytest.mark.parametrize(
    ("stored", "new"),
    [
        (Registration(expected_amount="19.00"), Registration(currency="JPY")),
        (Registration(currency="KWD"), Registration(expected_amount="1.23")),
        # as an earlier version took it: its order can still be registered
        (Registration(None, "19.99", "JPY"), Registration("A-17")),
    ],
)
def test_what_fits_or_was_taken_already_is_merged(stored: Registration, new: Registration) -> None:
    """Zeros are no hundredths."""
    merged = merge(registered(stored), new)
    assert merged.expected_amount == (stored.expected_amount or new.expected_amount)
    assert merged.currency == (stored.currency or new.currency)


PAID = {"payAmount": "USD 19.99", "payRst": "success"}


@pytest.mark.parametrize("amount", ["19.99", None])
def test_a_paid_payment_accepts_an_order_id(amount: str | None) -> None:
    """And the amount that was paid; the event stays as it is."""
    paid = payment(Status.SUCCEEDED, reply=PAID)
    new = Registration("A-17", amount)
    assert merge(paid, new) == new


@pytest.mark.parametrize("reply", [PAID, {"payRst": "success"}, {"payAmount": "nonsense"}])
def test_a_paid_payment_refuses_another_amount(reply: dict[str, str]) -> None:
    """Its event exists: an amount that was not paid cannot be expected any more."""
    with pytest.raises(RegistrationConflict) as conflict:
        merge(payment(Status.SUCCEEDED, reply=reply), Registration(expected_amount="5"))
    assert conflict.value.field == "expectedAmount"


@pytest.mark.parametrize(
    ("pay_amount", "currency"), [("USD 19.99", "EUR"), ("€19.99", "USD"), ("¥19.99", "USD")]
)
def test_a_paid_payment_refuses_a_contradicting_currency(pay_amount: str, currency: str) -> None:
    """The event names another one, or excludes this one."""
    paid = payment(Status.SUCCEEDED, reply={"payAmount": pay_amount})
    with pytest.raises(RegistrationConflict) as caught:
        merge(paid, Registration(currency=currency))
    assert caught.value.field == "currency"


def test_a_paid_payment_accepts_the_currency_by_which_its_amount_is_read() -> None:
    """Without one, "1,234" is no amount."""
    paid = payment(Status.SUCCEEDED, reply={"payAmount": "1,234"})
    new = Registration("A-17", "1234", "USD")
    assert merge(paid, new) == new
    for other in (Registration(None, "1234"), Registration(None, "1.234", "KWD")):
        with pytest.raises(RegistrationConflict) as conflict:
            merge(paid, other)
        assert conflict.value.field == "expectedAmount"


def test_a_paid_payment_accepts_a_currency_that_may_have_been_paid() -> None:
    """A dollar sign does not say which."""
    paid = payment(Status.SUCCEEDED, reply={"payAmount": "$19.99"})
    assert merge(paid, Registration(currency="SGD")).currency == "SGD"


def test_an_open_payment_accepts_any_amount() -> None:
    """A ``payAmount`` received while it is PENDING decides nothing."""
    new = Registration(expected_amount="5")
    assert merge(payment(reply={"payAmount": "7"}), new) == new


ENDED = {Status.UNRESOLVED, Status.EXPIRED, Status.FAILED}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("work_at", [None, NOW])
def test_what_ended_without_a_success_can_restart(status: Status, work_at: int | None) -> None:
    """By a PUT, or a message sent after the last change; also while late checks are planned."""
    stored = payment(status, work_at=work_at)
    assert can_restart(stored, None) is (status in ENDED)
    assert can_restart(stored, NOW + 1) is (status in ENDED)
    assert not can_restart(stored, NOW)


def test_an_entry_without_a_change_makes_no_message_older() -> None:
    """An operator's entry is no change of status."""
    stored = payment(Status.FAILED)
    closed = StatusChange(NOW + 9, Status.FAILED, Status.FAILED, "operator")
    stored = replace(stored, history=(*stored.history, closed))
    assert can_restart(stored, NOW + 1)
    assert not can_restart(replace(stored, history=(closed,)), NOW)


@pytest.mark.parametrize(
    ("stored", "step"),
    [
        (payment(step=0), 1),
        (payment(step=41), 42),
        (payment(Status.REVIEW, step=3), 4),
        (payment(attempt=1), None),
        (payment(last_error=CheckError("unavailable", NOW, 1, NOW)), None),
        (payment(Status.SUCCEEDED), None),
    ],
)
def test_the_first_check_after_a_start_is_due_until_it_was_made(
    stored: Payment, step: int | None
) -> None:
    """So a redelivered message makes good for a crash."""
    assert due_step(stored) == step


@pytest.mark.parametrize(
    ("accepted", "paid", "right"),
    [
        ({"accepted_amount": "19,99 €"}, "19,99 €", True),
        ({"accepted_amount": "19,99 €"}, "19,99 EUR", False),
        ({"accepted_amount": "19,99 €"}, None, False),
        ({"accepted_absent": True}, None, True),
        ({"accepted_absent": True}, "", False),
        ({"accepted_amount": "x" * 1024 + "…[cut]"}, "x" * 2000, True),
        ({"accepted_amount": "x"}, "$5", True),
        ({}, "5 or so", False),
        ({}, None, False),
    ],
)
def test_an_amount_is_right_if_it_was_registered_or_accepted(
    accepted: dict[str, Any], paid: str | None, *, right: bool
) -> None:
    """Accepted is the text, to the letter, as it is stored (P2)."""
    stored = payment(registration=Registration(expected_amount="5"), **accepted)
    assert amount_is_right(stored, paid) is right


def test_a_paid_payment_takes_the_amount_that_was_accepted() -> None:
    """The same order message comes again after accept and success."""
    new = Registration("A-17", "19.99", "EUR")
    paid = payment(Status.SUCCEEDED, reply={"payAmount": "19,99 €"}, accepted_amount="19,99 €")
    assert merge(paid, new) == new
