"""The parts of a payment: what is not given is absent, which is None."""

import pytest

from payresult.domain.payment import CheckError, CheckMessage, Registration, Status
from tests.support.factories import NOW, PAY_ID, payment


def test_what_is_not_given_is_none() -> None:
    """Never an empty text, which would be stored and shown."""
    assert CheckError("unavailable", NOW, 1, NOW).http_status is None
    assert CheckMessage(PAY_ID) == CheckMessage(PAY_ID, Registration(None, None, None), None)


@pytest.mark.parametrize("status", Status)
def test_only_a_succeeded_payment_is_settled(status: Status) -> None:
    """All others may still be paid."""
    assert payment(status).settled == (status == "SUCCEEDED")
