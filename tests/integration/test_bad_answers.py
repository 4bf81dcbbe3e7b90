"""Contract of the sandbox's proxy and page: they answer, whatever the emulator does."""

import http.client
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import MagicMock

import pytest

from sandbox.credentials import Credentials
from sandbox.environment import Sandbox
from sandbox.page.pages import Pages
from sandbox.signing_proxy import SigningProxy
from tests.support.fault_server import FaultServer

NO_JSON = b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nOops"
NO_HTTP = b"Oops\r\n\r\n"


@dataclass(frozen=True)
class Keys(Credentials):
    """Credentials for which AWS takes any call: nothing is deployed."""

    def client(self, _service: str) -> Any:
        """Return such a client."""
        client = MagicMock()
        client.get_queue_attributes.return_value = {"Attributes": {"QueueArn": "arn"}}
        return client


@contextmanager
def proxy(answer: bytes) -> Iterator[str]:
    """Yield the URL of a proxy with its page, before an emulator that answers so."""
    with (
        FaultServer(lambda line: line.send(answer)) as emulator,
        closing(SigningProxy(0)) as proxy,
    ):
        keys = Keys(f"http://127.0.0.1:{emulator.port}", "key", "secret")
        proxy.start(keys, "api")
        with closing(Pages(Sandbox(keys, defaultdict(str), proxy.url, "", None))) as pages:
            proxy.serve_pages(pages)
            yield proxy.url


@pytest.mark.parametrize(
    ("answer", "call"),
    [
        (NO_HTTP, ("GET", "/payments/paid-1")),
        (NO_JSON, ("POST", "/_page/query", '"paid-1"', {"Content-Type": "application/json"})),
    ],
)
def test_a_caller_is_told_that_the_emulator_does_not_respond(answer: bytes, call: Any) -> None:
    """The connection is not cut."""
    with proxy(answer) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
        with closing(connection):
            connection.request(*call)
            response = connection.getresponse()
            assert response.status == 502
            assert json.loads(response.read()) == {"message": "the emulator does not respond"}
