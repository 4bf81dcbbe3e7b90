"""Contract of SigV4: the sandbox's proxy signs what it sends, also for a payId with a colon."""

import hashlib
import hmac
import re
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.credentials import REGION, Credentials
from sandbox.signing_proxy import SigningProxy
from tests.integration.calls import call
from tests.support.json_server import Request, json_server

KEY = "a key of the test"


def signature(request: Request) -> str:
    """Return the signature that AWS computes of *request*, a GET without a body.

    Each segment of the path is encoded once more, as it came, except for S3 (AWS, "Create a signed
    AWS API request").
    """
    date = request.headers["x-amz-date"]
    scope = f"{date[:8]}/{REGION}/execute-api/aws4_request"
    match = re.search("SignedHeaders=([^,]+)", request.headers["authorization"])
    assert match is not None
    names = match[1]
    headers = "".join(f"{name}:{request.headers[name]}\n" for name in names.split(";"))
    empty = hashlib.sha256(b"").hexdigest()
    path = quote(request.path, safe="/-_.~")
    canonical = f"GET\n{path}\n\n{headers}\n{names}\n{empty}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{KEY}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}"
    return hmac.digest(key, text.encode(), "sha256").hex()


@pytest.mark.parametrize("segment", ["20190321192436", "order:A-17", "order%3AA-17", "a.b~c"])
def test_the_proxy_signs_the_path_that_it_sends(segment: str) -> None:
    """A colon may be written as ``%3A``, and neither is changed on its way."""
    received: list[Request] = []

    def answer(request: Request) -> tuple[int, dict[str, Any]]:
        received.append(request)
        return 200, {}

    with json_server(answer) as api, closing(SigningProxy(0)) as proxy:
        proxy.start(Credentials(api, "AKIA", KEY), "api1")
        assert call(proxy.url, "GET", f"/payments/{segment}").status == 200
    [request] = received
    assert request.path.endswith(f"/api1/payments/{segment}")
    assert request.headers["authorization"].endswith(f"Signature={signature(request)}")
