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


def conflict(stored: Payment, new: Registration) -> str:
    """Return the field that the conflict of *new* with *stored* names."""
    with pytest.raises(RegistrationConflict) as caught:
        merge(stored, new)
    assert caught.value.pay_id == PAY_ID
    return caught.value.field


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
        # a yen has no hundredths, and zeros are none
        (
            Registration(None, "19.00"),
            Registration(currency="JPY"),
            Registration(None, "19.00", "JPY"),
        ),
        (
            Registration(currency="KWD"),
            Registration(None, "1.23"),
            Registration(None, "1.23", "KWD"),
        ),
        # an amount as an earlier version took it: its order can still be registered
        (
            Registration(None, "19.99", "JPY"),
            Registration("A-17"),
            Registration("A-17", "19.99", "JPY"),
        ),
    ],
)
def test_missing_fields_are_set(
    stored: Registration, new: Registration, merged: Registration
) -> None:
    """Field by field; an equal amount that is written differently stays as it was."""
    assert merge(payment(registration=stored), new) == merged


@pytest.mark.parametrize(
    ("stored", "new", "field"),
    [
        (FULL, Registration("A-18"), "orderId"),
        (FULL, Registration("a-17"), "orderId"),
        (FULL, Registration(expected_amount="19.98"), "expectedAmount"),
        (FULL, Registration(currency="EUR"), "currency"),
        (FULL, Registration("A-17", "19.99", "EUR"), "currency"),
        (FULL, Registration("A-17", "1999", "USD"), "expectedAmount"),
        # a yen has no hundredths, whichever of the two was registered first
        (Registration(None, "19.99"), Registration(currency="JPY"), "currency"),
        (Registration(currency="JPY"), Registration(None, "19.99"), "expectedAmount"),
    ],
)
def test_another_value_is_a_conflict(stored: Registration, new: Registration, field: str) -> None:
    """Also where the other fields are right."""
    assert conflict(payment(registration=stored), new) == field


def paid(pay_amount: str | None, **attributes: Any) -> Payment:
    """Return a payment that succeeded: its event exists."""
    reply = {"payRst": "success"} | ({} if pay_amount is None else {"payAmount": pay_amount})
    return payment(Status.SUCCEEDED, reply=reply, **attributes)


@pytest.mark.parametrize(
    ("stored", "new"),
    [
        pytest.param(paid("USD 19.99"), Registration("A-17"), id="an order"),
        pytest.param(paid("USD 19.99"), Registration("A-17", "19.99"), id="the amount paid"),
        pytest.param(paid("1,234"), Registration("A-17", "1234", "USD"), id="with its currency"),
        pytest.param(paid("$19.99"), Registration(currency="SGD"), id="one of the dollars"),
        pytest.param(
            paid("19,99 €", accepted_amount="19,99 €"),
            Registration(None, "19.99", "EUR"),
            id="accepted",
        ),
        pytest.param(payment(reply={"payAmount": "7"}), Registration(None, "5"), id="not yet paid"),
    ],
)
def test_what_agrees_with_the_event_is_registered(stored: Payment, new: Registration) -> None:
    """Also after the success; the event stays as it is."""
    assert merge(stored, new) == new


@pytest.mark.parametrize(
    ("pay_amount", "new", "field"),
    [
        *((text, Registration(None, "5"), "expectedAmount") for text in ("USD 19.99", None, "odd")),
        ("1,234", Registration(None, "1234"), "expectedAmount"),
        ("1,234", Registration(None, "1.234", "KWD"), "expectedAmount"),
        ("USD 19.99", Registration(currency="EUR"), "currency"),
        *((text, Registration(currency="USD"), "currency") for text in ("€19.99", "¥19.99")),
    ],
)
def test_contradictions_are_refused(pay_amount: str | None, new: Registration, field: str) -> None:
    """What was not paid cannot be expected any more."""
    assert conflict(paid(pay_amount), new) == field


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
def test_the_first_check_is_due_until_it_was_made(stored: Payment, step: int | None) -> None:
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
def test_an_amount_is_right(accepted: dict[str, Any], paid: str | None, *, right: bool) -> None:
    """Accepted is the text, to the letter, as it is stored (P2)."""
    stored = payment(registration=Registration(expected_amount="5"), **accepted)
    assert amount_is_right(stored, paid) is right
