"""Contract of all handlers: none starts in an environment that it could not work in."""

import pytest

from payresult.errors import InvalidInput
from tests.unit.handlers.conftest import Start


@pytest.mark.parametrize("name", ["api", "checks", "publisher", "sweeper"])
def test_a_function_does_not_start_in_a_bad_environment(start: Start, name: str) -> None:
    """The cold start fails with the variable and the rule."""
    with pytest.raises(InvalidInput, match=r"^PARTNER_CODE: must be 1 to 32 letters"):
        start(name, PARTNER_CODE="P 1")


@pytest.mark.parametrize("name", ["api", "checks"])
def test_a_function_does_not_start_with_an_http_url(start: Start, name: str) -> None:
    """The other two do not ask it, so they do not read its URL."""
    with pytest.raises(InvalidInput, match=r"^GATEWAY_BASE_URL: must start with https://"):
        start(name, GATEWAY_BASE_URL="http://example.com")
