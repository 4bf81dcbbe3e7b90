"""Contract of the API with tokens: who may read what. A second stack of the same template."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

import pytest

from sandbox.client import Client
from sandbox.deploy import deploy_template, parameters
from sandbox.packages import ROOT
from sandbox.signing_proxy import SigningProxy
from sandbox.waiting import wait_for
from tests.integration.calls import Response, call
from tests.integration.conftest import DELAYS, System
from tests.integration.issuer import HOUR, Issuer, start_issuer, unsigned

NAME = "payresult-tokens"
AUDIENCE = "the-app"


class Tokens(NamedTuple):
    """The stack that accepts tokens of *issuer*; *backend* calls it with IAM."""

    system: System
    issuer: Issuer
    api_id: str
    backend: Client

    def call(self, method: str, path: str, token: str | None, body: bytes = b"") -> Response:
        """The response to a call with *token*, without the proxy."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        endpoint = self.system.sandbox.credentials.endpoint
        return call(endpoint, method, f"/_aws/execute-api/{self.api_id}{path}", body, headers)


@pytest.fixture(scope="module")
def tokens(system: System) -> Iterator[Tokens]:
    """The second stack, with an issuer on loopback."""
    credentials = system.sandbox.credentials
    with start_issuer() as issuer, closing(SigningProxy(0)) as proxy:
        outputs = _deploy(system, issuer.url)
        caller = credentials.create_user("order-service", "execute-api:Invoke")
        proxy.start(caller, outputs["ApiId"])
        sandbox = replace(system.sandbox, stack=outputs, api_url=proxy.url)
        yield Tokens(system, issuer, outputs["ApiId"], Client(sandbox))


@pytest.mark.parametrize("tail", ["", "/wait?seconds=5"], ids=["get", "wait"])
def test_a_valid_token_may_read_a_registered_payment(tokens: Tokens, tail: str) -> None:
    """And no other: a payId can be guessed, so the gateway is not asked about it."""
    valid = tokens.issuer.token(aud=AUDIENCE)
    assert tokens.backend.put("paid-token", orderId="A-17").status == 202

    registered = tokens.call("GET", f"/payments/paid-token{tail}", valid)
    guessed = tokens.call("GET", f"/payments/paid-guessed{tail}", valid)

    assert (registered.status, registered.document["orderId"]) == (200, "A-17")
    assert guessed.status == 404
    assert guessed.document["type"] == "urn:payresult:problem:not-registered"
    assert tokens.system.gateway.requests("paid-guessed") == []
    assert tokens.call("GET", f"/payments/paid-token{tail}", None).status == 401


def test_its_queue_is_polled(tokens: Tokens) -> None:
    """As that of the first stack: nobody asks for the payment."""
    tokens.backend.put("paid-polled")
    wait_for("SUCCEEDED", lambda: tokens.backend.status("paid-polled") == "SUCCEEDED", 20)


def test_a_call_without_a_token_is_rejected(tokens: Tokens) -> None:
    """Also with a text that is not a token."""
    for text in (None, "", "x", "a.b.c"):
        assert tokens.call("GET", "/payments/paid-closed", text).status == 401
    assert tokens.system.gateway.requests("paid-closed") == []


@pytest.mark.parametrize(
    "make",
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
def test_an_invalid_token_is_rejected(tokens: Tokens, make: Callable[[Issuer], str]) -> None:
    """Also for a registered payment."""
    assert tokens.backend.put("never-shown").status == 202

    assert tokens.call("GET", "/payments/never-shown", make(tokens.issuer)).status == 401


def test_put_and_query_accept_no_tokens(tokens: Tokens) -> None:
    """The registered amount is what P2 compares with, so these routes require IAM.

    AWS rejects a token there. The emulator accepts any Authorization header that is not a
    signature, so the test reads the deployed route, and calls it without a header.
    """
    api = tokens.system.sandbox.credentials.client("apigatewayv2")
    routes = {
        it["RouteKey"]: (it["AuthorizationType"], "AuthorizerId" in it)
        for it in api.get_routes(ApiId=tokens.api_id)["Items"]
    }
    assert routes == {
        "GET /payments/{payId}": ("JWT", True),
        "GET /payments/{payId}/wait": ("JWT", True),
        "PUT /payments/{payId}": ("AWS_IAM", False),
        "POST /payments/query": ("AWS_IAM", False),
    }
    assert tokens.call("PUT", "/payments/paid-unsigned", None, b"{}").status == 403
    query = b'{"payIds": ["paid-unsigned"]}'
    assert tokens.call("POST", "/payments/query", None, query).status == 403
    assert tokens.backend.item("paid-unsigned") == {}
    assert tokens.system.gateway.requests("paid-unsigned") == []


def _deploy(system: System, issuer_url: str) -> dict[str, str]:
    """The outputs of the second stack: template and gateway of the first, with tokens."""
    values = parameters(system.sandbox.gateway_url, DELAYS) | {
        "JwtIssuer": issuer_url,
        "JwtAudience": AUDIENCE,
        "RequireRegistration": "true",
        "AuditQueue": "false",
    }
    return deploy_template(system.sandbox.credentials, NAME, ROOT / "template.yaml", values)
