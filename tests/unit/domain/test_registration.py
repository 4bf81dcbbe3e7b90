"""What an order service registers, and how it merges with what is there."""

import pytest

from payresult.domain.payment import Payment, Registration, Status
from payresult.domain.registration import can_restart, merge, new_payment
from payresult.errors import RegistrationConflict
from tests.support.factories import DAY, NOW, PARTNER, PAY_ID, payment

FULL = Registration("A-17", "19.99", "USD")
NOTHING = Registration()


def registered(registration: Registration) -> Payment:
    """Return a payment that is registered so."""
    return payment(registration=registration)


def test_a_new_payment_is_pending_and_followed_for_nine_days() -> None:
    """Nothing is known of it yet."""
    assert new_payment(PARTNER, PAY_ID, FULL, NOW) == Payment(
        PARTNER, PAY_ID, Status.PENDING, FULL, created_at=NOW, give_up_at=NOW + 9 * DAY
    )


@pytest.mark.parametrize(
    ("known", "said", "merged"),
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
def test_absent_says_nothing_and_missing_is_set(
    known: Registration, said: Registration, merged: Registration
) -> None:
    """Field by field; the same amount written otherwise stays as it was."""
    assert merge(registered(known), said) == merged


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (Registration("A-18"), "orderId"),
        (Registration("a-17"), "orderId"),
        (Registration(expected_amount="19.98"), "expectedAmount"),
        (Registration(currency="EUR"), "currency"),
        (Registration("A-17", "19.99", "EUR"), "currency"),
        (Registration("A-17", "1999", "USD"), "expectedAmount"),
    ],
)
def test_another_value_is_a_conflict_that_names_the_field(said: Registration, field: str) -> None:
    """Whatever else is right."""
    with pytest.raises(RegistrationConflict) as conflict:
        merge(registered(FULL), said)
    assert (conflict.value.field, conflict.value.pay_id) == (field, PAY_ID)


PAID = {"payAmount": "USD 19.99", "payRst": "success"}


@pytest.mark.parametrize("amount", ["19.99", None])
def test_a_paid_payment_still_takes_its_order(amount: str | None) -> None:
    """The event stays as it is; the amount that was paid is no news."""
    paid = payment(Status.SUCCEEDED, reply=PAID)
    said = Registration("A-17", amount)
    assert merge(paid, said) == said


@pytest.mark.parametrize("reply", [PAID, {"payRst": "success"}, {"payAmount": "nonsense"}])
def test_a_paid_payment_takes_no_other_amount(reply: dict[str, str]) -> None:
    """Its event is out: what was not paid can not be expected any more."""
    with pytest.raises(RegistrationConflict) as conflict:
        merge(payment(Status.SUCCEEDED, reply=reply), Registration(expected_amount="5"))
    assert conflict.value.field == "expectedAmount"


@pytest.mark.parametrize(
    ("pay_amount", "currency"), [("USD 19.99", "EUR"), ("€19.99", "USD"), ("¥19.99", "USD")]
)
def test_a_paid_payment_takes_no_currency_that_contradicts(pay_amount: str, currency: str) -> None:
    """The event said another one, or could not have said this."""
    paid = payment(Status.SUCCEEDED, reply={"payAmount": pay_amount})
    with pytest.raises(RegistrationConflict) as caught:
        merge(paid, Registration(currency=currency))
    assert caught.value.field == "currency"


def test_a_paid_payment_still_takes_the_currency_that_was_paid() -> None:
    """Which "$" does not tell."""
    paid = payment(Status.SUCCEEDED, reply={"payAmount": "$19.99"})
    assert merge(paid, Registration(currency="SGD")).currency == "SGD"


def test_an_open_payment_takes_any_amount() -> None:
    """What the gateway wrote while it was PENDING decides nothing."""
    said = Registration(expected_amount="5")
    assert merge(payment(reply={"payAmount": "7"}), said) == said


@pytest.mark.parametrize("status", Status)
def test_only_what_was_given_up_is_followed_anew(status: Status) -> None:
    """And not what is already followed again."""
    assert can_restart(payment(status)) is (status is Status.UNRESOLVED)
    assert not can_restart(payment(status, work_at=NOW))
