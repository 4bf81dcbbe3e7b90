"""P2: a registration is merged with the stored one, and a different value is refused."""

import pytest

from payresult.domain.payment import Payment, Registration, Status
from payresult.domain.registration import can_restart, merge, new_payment
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


def test_a_paid_payment_accepts_a_currency_that_may_have_been_paid() -> None:
    """A dollar sign does not say which."""
    paid = payment(Status.SUCCEEDED, reply={"payAmount": "$19.99"})
    assert merge(paid, Registration(currency="SGD")).currency == "SGD"


def test_an_open_payment_accepts_any_amount() -> None:
    """A ``payAmount`` received while it is PENDING decides nothing."""
    new = Registration(expected_amount="5")
    assert merge(payment(reply={"payAmount": "7"}), new) == new


@pytest.mark.parametrize("status", Status)
def test_only_an_unresolved_payment_without_a_planned_check_can_restart(status: Status) -> None:
    """One that has a planned check is followed already."""
    assert can_restart(payment(status)) is (status is Status.UNRESOLVED)
    assert not can_restart(payment(status, work_at=NOW))
