"""Contract with the environment of publisher and sweeper: how long a payment is kept.

``test_settings`` has the other variables.
"""

import pytest

from payresult.errors import InvalidInput
from payresult.resources import Resources

ENVIRON = {
    "PARTNER_CODE": "P000818",
    "TABLE_NAME": "payments",
    "QUEUE_URL": "https://sqs.invalid/1/checks",
    "EVENT_BUS_NAME": "bus",
}


@pytest.mark.parametrize("environ", [{}, {"RETENTION_DAYS": ""}, {"RETENTION_DAYS": "0"}])
def test_a_payment_is_kept_for_ever_by_default(environ: dict[str, str]) -> None:
    """Also by new code in a stack that does not know the variable yet."""
    assert Resources.from_env(ENVIRON | environ).retention_days == 0


@pytest.mark.parametrize("value", ["-1", "1.5", "ten", " 5", "5\n", "10000", "\u0665"])
def test_another_number_of_days_is_refused(value: str) -> None:
    """By the name of the variable and the rule."""
    with pytest.raises(InvalidInput, match=r"^RETENTION_DAYS: must be a whole number of days"):
        Resources.from_env(ENVIRON | {"RETENTION_DAYS": value})
