"""Contract of an outcome and of a query's result: what they say where nothing else is given."""

from payresult.domain.outcome import Outcome, QueryResult
from payresult.errors import GatewayUnavailable
from tests.support.factories import PAY_ID


def test_what_is_not_given_is_absent() -> None:
    """An outcome is of a stored payment, as it is now, until something else is said."""
    outcome = Outcome(PAY_ID)
    assert (outcome.payment, outcome.result, outcome.new_status, outcome.error) == (None,) * 4
    assert (outcome.unknown, outcome.stored, outcome.dropped, outcome.unpaid) == (
        *(False, True, False, False),
    )


def test_a_failure_of_the_gateway_is_no_reply() -> None:
    """It decides nothing about the payment."""
    failure = GatewayUnavailable("down", pay_id=PAY_ID, how="timeout")
    assert QueryResult(failure, 0, 0, 0.0).reply is None
