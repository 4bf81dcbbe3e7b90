"""Contract of the gateway client: what it sends; and P8, that nothing of it is logged."""

import contextlib
import json
import logging
import threading
import traceback

import pytest

from payresult.errors import GatewayUnavailable, InvalidReply
from payresult.gateway.client import GatewayClient
from payresult.gateway.protocol import request_body
from tests.integration.wire.serving import (
    FIELDS,
    GOOD,
    NOW,
    PARTNER,
    PAY_ID,
    Serve,
    answering,
    ask,
    exchanges,
)
from tests.support.fault_server import HEAD, Line


def test_the_request_is_the_documented_one(serve: Serve) -> None:
    """POST to resultQuery below the base URL, and headers; its body: ``unit/gateway``."""
    server, client = serve(answering())
    assert ask(client).fields == FIELDS
    (request,) = server.requests
    assert request.line == "POST /payment/resultQuery HTTP/1.1"
    assert request.body == request_body(PAY_ID, partner_code=PARTNER, now=NOW)
    assert request.headers == {
        "host": f"127.0.0.1:{server.port}",
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "payresult",
        "content-length": str(len(request.body)),
    }


def test_every_request_has_its_own_time(serve_tcp: Serve) -> None:
    """Its tradeTime and sign are made anew for each query, never kept."""
    now = [1_000_000_000.5]
    server, client = serve_tcp(answering(), clock=lambda: now[0])
    ask(client)
    now[0] = 2_000_000_000.25
    ask(client)
    sent = [json.loads(request.body) for request in server.requests]
    assert [params["tradeTime"] for params in sent] == ["1000000000500", "2000000000250"]
    assert sent[0]["sign"] != sent[1]["sign"]


@pytest.mark.parametrize("path", ["", "/", "/payment/"])
def test_a_slash_at_the_end_of_the_base_url_does_not_matter(serve_tcp: Serve, path: str) -> None:
    """The path is joined with exactly one slash."""
    server, _ = serve_tcp(answering())
    ask(GatewayClient(f"http://127.0.0.1:{server.port}{path}", PARTNER))
    assert server.requests[0].line.split()[1] == path.rstrip("/") + "/resultQuery"


def test_proxies_of_the_environment_are_not_asked(
    serve_tcp: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only party that may see a query is the gateway."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    _, client = serve_tcp(answering())
    assert ask(client).fields == FIELDS


MALFORMED = [
    HEAD + b"CANARY-1\r\nContent-Length: 2\r\n\r\n{}",
    HEAD + b": CANARY-2\r\nContent-Length: 2\r\n\r\n{}",
    b"CANARY-3\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\nCANARY-4\r\n",
]


def test_nothing_is_logged_even_of_a_malformed_answer(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither by us nor by the HTTP library, at any level.

    The queries are made in this thread, for other threads of this process may log meanwhile.
    """
    answers = iter([GOOD, *MALFORMED])

    def script(line: Line) -> None:
        line.request()
        line.send(next(answers))

    _, client = serve(script)
    with caplog.at_level(logging.DEBUG):
        for _ in range(5):
            with contextlib.suppress(GatewayUnavailable, InvalidReply):
                client.query(PAY_ID)
    assert next(answers, None) is None
    here = threading.get_ident()
    assert [record for record in caplog.records if record.thread == here] == []


@pytest.mark.parametrize("answer", MALFORMED)
def test_no_error_quotes_a_malformed_answer(serve_tcp: Serve, answer: bytes) -> None:
    """Neither its text nor that of its cause, which Lambda writes to the log with a traceback."""
    _, client = serve_tcp(exchanges(answer))
    with pytest.raises((GatewayUnavailable, InvalidReply)) as caught:
        client.query(PAY_ID)
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))
