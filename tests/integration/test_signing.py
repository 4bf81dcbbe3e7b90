"""Contract of SigV4: the sandbox's proxy signs what it sends, also for a payId with a colon."""

import hashlib
import hmac
import re
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from sandbox.credentials import REGION, Credentials
from sandbox.signing_proxy import SigningProxy

KEY = "a key of the test"


class Received(NamedTuple):
    """A request as the API would receive it."""

    method: str
    path: str
    headers: dict[str, str]


class Api:
    """Stands for the emulator: records what the proxy sends, and answers with {}."""

    def __init__(self) -> None:
        received: list[Received] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                received.append(Received(self.command, self.path, headers))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.received = received
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def api() -> Iterator[Api]:
    """An API that listens until the end of the test."""
    api = Api()
    thread = Thread(target=api.server.serve_forever, args=(0.02,))
    thread.start()
    yield api
    api.server.shutdown()
    thread.join()
    api.server.server_close()


def signature(request: Received) -> str:
    """Return the signature that AWS computes of *request* without a body.

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
    canonical = f"{request.method}\n{path}\n\n{headers}\n{names}\n{empty}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{KEY}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}"
    return hmac.digest(key, text.encode(), "sha256").hex()


@pytest.mark.parametrize("segment", ["20190321192436", "order:A-17", "order%3AA-17", "a.b~c"])
def test_the_proxy_signs_the_path_that_it_sends(api: Api, segment: str) -> None:
    """A colon may be written as ``%3A``, and neither is changed on its way."""
    with closing(SigningProxy(0)) as proxy:
        proxy.start(Credentials(api.endpoint, "AKIA", KEY), "api1")
        with urlopen(Request(f"{proxy.url}/payments/{segment}")) as response:  # noqa: S310 - loopback
            assert response.status == 200
    [request] = api.received
    assert request.path.endswith(f"/api1/payments/{segment}")
    assert request.headers["authorization"].endswith(f"Signature={signature(request)}")
