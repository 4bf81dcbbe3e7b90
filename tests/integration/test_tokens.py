"""The API where users call with tokens: a second stack of the same template, with an issuer."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from sandbox.client import Client
from sandbox.deploy import STACK, parameters
from sandbox.signing_proxy import Front
from sandbox.waiting import wait_for
from tests.integration import issuer
from tests.integration.conftest import DELAYS, System
from tests.integration.issuer import HOUR, Issuer, unsigned

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

NAME = "payresult-tokens"
AUDIENCE = "the-app"


class Tokens(NamedTuple):
    """The stack that takes tokens of *issuer*; *backend* calls it with IAM, as an order service."""

    system: System
    issuer: Issuer
    api_id: str
    backend: Client

    def call(self, method: str, path: str, token: str | None, body: object = None) -> Any:
        """Status and body of a call with *token*, straight at the deployed API."""
        address = self.system.sandbox.account.endpoint.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=40)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        content = None if body is None else json.dumps(body)
        try:
            connection.request(method, f"/_aws/execute-api/{self.api_id}{path}", content, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def tokens(system: System) -> Iterator[Tokens]:
    """A stack with an issuer on loopback, deleted in the end."""
    account = system.sandbox.account
    with issuer.running() as running, _stack(system, running) as outputs:
        front = Front(0)
        with closing(front):
            front.serve(account.user("order-service", "execute-api:Invoke"), outputs["ApiId"])
            sandbox = replace(system.sandbox, stack=outputs, api_url=front.url)
            yield Tokens(system, running, outputs["ApiId"], Client(sandbox))


def test_a_users_token_lets_him_see_a_registered_payment(tokens: Tokens) -> None:
    """And no other: a payId can be guessed, so nobody asks the gateway about it for him."""
    good = tokens.issuer.token(aud=AUDIENCE)
    assert tokens.backend.put("paid-token", orderId="A-17").status == 202

    seen = tokens.call("GET", "/payments/paid-token", good)
    guessed = tokens.call("GET", "/payments/paid-guessed", good)

    assert (seen[0], seen[1]["orderId"]) == (200, "A-17")
    assert (guessed[0], guessed[1]["type"]) == (404, "urn:payresult:problem:not-registered")
    assert tokens.system.gateway.requests("paid-guessed") == []


def test_without_a_token_nobody_gets_in(tokens: Tokens) -> None:
    """Nor with something that is none."""
    for nothing in (None, "", "x", "a.b.c"):
        assert tokens.call("GET", "/payments/paid-closed", nothing)[0] == 401
    assert tokens.system.gateway.requests("paid-closed") == []


@pytest.mark.parametrize(
    "bad",
    [
        lambda issuer: issuer.token(aud=AUDIENCE, exp=int(time.time()) - 1),
        lambda issuer: issuer.token(aud=AUDIENCE, nbf=int(time.time()) + HOUR),
        lambda issuer: issuer.token(aud="another-app"),
        lambda issuer: issuer.token(),
        lambda issuer: issuer.token(aud=AUDIENCE, iss="https://issuer.invalid"),
        lambda issuer: Issuer(issuer.url).token(aud=AUDIENCE),
        lambda issuer: unsigned(issuer.token(aud=AUDIENCE)),
        lambda issuer: issuer.token(aud=AUDIENCE)[:-4] + "AAAA",
    ],
    ids=[
        *("expired", "not valid yet", "another audience", "no audience", "another issuer"),
        *("another key", "unsigned", "a changed signature"),
    ],
)
def test_a_bad_token_lets_nobody_in(tokens: Tokens, bad: Callable[[Issuer], str]) -> None:
    """Whatever is bad about it; a registered payment is shown to nobody either."""
    assert tokens.backend.put("never-shown").status == 202

    assert tokens.call("GET", "/payments/never-shown", bad(tokens.issuer))[0] == 401


def test_registering_and_asking_about_many_take_no_tokens(tokens: Tokens) -> None:
    """Who may register an amount decides what an event is worth: the deployed routes want IAM.

    AWS refuses a token there. The emulator lets any Authorization header pass that is no
    signature at all, so what is looked at is the route, and a call without any.
    """
    api = tokens.system.sandbox.account.client("apigatewayv2")
    routes = {
        it["RouteKey"]: (it["AuthorizationType"], "AuthorizerId" in it)
        for it in api.get_routes(ApiId=tokens.api_id)["Items"]
    }
    assert routes == {
        "GET /payments/{payId}": ("JWT", True),
        "PUT /payments/{payId}": ("AWS_IAM", False),
        "POST /payments/query": ("AWS_IAM", False),
    }
    assert tokens.call("PUT", "/payments/paid-nobody", None, {})[0] == 403
    assert tokens.call("POST", "/payments/query", None, {"payIds": ["paid-nobody"]})[0] == 403
    assert tokens.backend.item("paid-nobody") == {}
    assert tokens.system.gateway.requests("paid-nobody") == []


@contextmanager
def _stack(system: System, running: Issuer) -> Iterator[dict[str, str]]:
    """The outputs of a second stack: the first one's template, code and gateway, but tokens."""
    cloudformation: CloudFormationClient = system.sandbox.account.client("cloudformation")
    body = cloudformation.get_template(StackName=STACK, TemplateStage="Original")["TemplateBody"]
    values = parameters(system.sandbox.gateway_url, DELAYS) | {
        "JwtIssuer": running.url,
        "JwtAudience": AUDIENCE,
        "RequireRegistration": "true",
        "AuditQueue": "false",
    }
    cloudformation.create_stack(
        StackName=NAME,
        TemplateBody=str(body),
        Parameters=[{"ParameterKey": it, "ParameterValue": values[it]} for it in values],
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )

    def status() -> str:
        return cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"]

    wait_for("the stack", lambda: not status().endswith("IN_PROGRESS"), 60)
    assert status() == "CREATE_COMPLETE"
    stack = cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]
    yield {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    cloudformation.delete_stack(StackName=NAME)
