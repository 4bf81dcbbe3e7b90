"""Contract of the API: who may call."""

from contextlib import closing
from dataclasses import replace

import pytest

from sandbox.client import Client, HttpResponse
from sandbox.credentials import Credentials
from sandbox.signing_proxy import SigningProxy
from tests.integration.conftest import System


@pytest.mark.parametrize(
    ("action", "changed"),
    [("execute-api:Invoke", {"secret_access_key": "A" * 40}), ("sqs:ListQueues", {})],
    ids=["another secret", "without the permission"],
)
def test_only_the_keys_of_a_permitted_user_are_accepted(
    system: System, action: str, changed: dict[str, str]
) -> None:
    """A valid key of the same account is not enough."""
    caller = system.sandbox.credentials.create_user(f"caller-{action[:3]}", action)

    assert _get_as(system, replace(caller, **changed), "paid-not-permitted").status == 403
    assert system.gateway.requests("paid-not-permitted") == []


def _get_as(system: System, caller: Credentials, pay_id: str) -> HttpResponse:
    """The response to a GET that is signed with *caller*'s keys."""
    with closing(SigningProxy(0)) as proxy:
        proxy.start(caller, system.sandbox.stack["ApiId"])
        return Client(replace(system.sandbox, api_url=proxy.url)).get(pay_id)
