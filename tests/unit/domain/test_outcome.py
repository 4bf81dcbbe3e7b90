"""Contract of an outcome: what it says where nothing else is given."""

from payresult.domain.outcome import Outcome
from tests.support.factories import PAY_ID


def test_what_is_not_given_is_absent() -> None:
    """An outcome is of a stored payment, as it is now, until something else is said."""
    outcome = Outcome(PAY_ID)
    assert (outcome.payment, outcome.result, outcome.new_status, outcome.error) == (None,) * 4
    assert (outcome.unknown, outcome.stored, outcome.dropped, outcome.unpaid) == (
        *(False, True, False, False),
    )
