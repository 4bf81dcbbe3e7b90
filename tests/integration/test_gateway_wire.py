"""The gateway client against servers that break HTTP, TLS and time, over real sockets."""

import contextlib
import datetime as dt
import gc
import json
import logging
import os
import re
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme

from payresult.deadline import Deadline, DeadlineSocket
from payresult.dialing import default_tls_context
from payresult.errors import BadReply, GatewayUnavailable
from payresult.gateway import GatewayClient
from payresult.models import Reply
from payresult.signing import sign
from tests.faultserver import HEAD, FaultServer, Line, black_hole

PAY_ID = "20190321192436"
PARTNER = "P000818"
FIELDS = {"partnerCode": PARTNER, "payId": PAY_ID, "payRst": "success"}
BODY = json.dumps(FIELDS).encode()
NOW = 1_790_000_000.123
SHORT = 0.3
"""A deadline, in seconds. What dribbles here takes 5 s and more."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority of the tests' own."""
    return trustme.CA()


@pytest.fixture(params=["tcp", "tls"])
def serve(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator["Serve"]:
    """Starts servers and clients for them: each test is run over plain TCP and over TLS."""
    with Serve(authority if request.param == "tls" else None) as serving:
        yield serving


@pytest.fixture
def serve_tls(authority: trustme.CA) -> Iterator["Serve"]:
    """The same over TLS only, for what only TLS has."""
    with Serve(authority) as serving:
        yield serving


@pytest.fixture
def serve_tcp() -> Iterator["Serve"]:
    """The same over plain TCP only, for what has nothing to do with TLS."""
    with Serve(None) as serving:
        yield serving


class Serve(contextlib.ExitStack):
    """A server and a client for it; the server stops at the end of the test."""

    def __init__(self, authority: trustme.CA | None) -> None:
        super().__init__()
        self.authority = authority

    def __call__(
        self,
        script: Callable[[Line], object],
        context: ssl.SSLContext | None = None,
        **options: Any,
    ) -> tuple[FaultServer, GatewayClient]:
        """Start *script*; *context* replaces the server's own, *options* are the client's."""
        if context is None and self.authority is not None:
            context = server_context(self.authority.issue_cert("127.0.0.1"))
        server = self.enter_context(FaultServer(script, context))
        options = {"deadline": 10.0, "clock": lambda: NOW, **options}
        if self.authority is not None:
            options.setdefault("ssl_context", client_context(self.authority))
        scheme = "http" if self.authority is None else "https"
        return server, GatewayClient(
            f"{scheme}://127.0.0.1:{server.port}/payment", PARTNER, **options
        )

    def raw(self, script: Callable[[Line], object]) -> tuple[FaultServer, GatewayClient]:
        """Start a server that spoils TLS: it does not speak it, but its client does."""
        assert self.authority is not None
        server = self.enter_context(FaultServer(script))
        return server, GatewayClient(
            f"https://127.0.0.1:{server.port}",
            PARTNER,
            deadline=SHORT,
            ssl_context=client_context(self.authority),
        )


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server's context with *certificate*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    """A client's context that trusts *authority*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


def ask(client: GatewayClient, pay_id: str = PAY_ID) -> Reply:
    """Query in another thread and wait 15 s at most, so that no broken deadline hangs a test."""
    answer: Future[Reply] = Future()

    def run() -> None:
        try:
            answer.set_result(client.query(pay_id))
        except BaseException as exc:  # noqa: BLE001 - handed over to the waiting thread
            answer.set_exception(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        return answer.result(15)
    finally:
        thread.join(1)


def unavailable(client: GatewayClient) -> str:
    """Query, which must not succeed for want of an answer; return the error's text."""
    with pytest.raises(GatewayUnavailable) as caught:
        ask(client)
    assert caught.value.pay_id == PAY_ID
    assert caught.value.__suppress_context__
    assert not {PARTNER, "resultQuery", "127.0.0.1"} & set(re.findall(r"[\w.]+", str(caught.value)))
    return str(caught.value)


def answering(body: bytes = BODY, head: bytes = HEAD) -> Callable[[Line], object]:
    """A script that answers every request on its line."""

    def script(line: Line) -> None:
        while line.request():
            line.reply(body, head)

    return script


# The request


def test_the_request_is_the_documented_one(serve: Serve) -> None:
    """POST to resultQuery below the base URL, JSON, signed, with the time in milliseconds."""
    server, client = serve(answering())
    assert ask(client).fields == FIELDS
    (request,) = server.requests
    assert request.line == "POST /payment/resultQuery HTTP/1.1"
    params = json.loads(request.body)
    assert params.pop("sign") == sign(params)
    assert params == {
        "partnerCode": PARTNER,
        "payId": PAY_ID,
        "tradeTime": "1790000000123",
        "tradeType": "resultQuery",
        "version": "3.0",
    }
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
    times = iter([1_000_000_000.5, 1.0, 2_000_000_000.25, 1.0])
    server, client = serve_tcp(answering(), clock=lambda: next(times))
    ask(client)
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


# Answers, whole and broken


def test_a_chunked_answer_and_one_without_a_length_are_read_whole(serve: Serve) -> None:
    """Both are HTTP/1.1, and the second ends with the connection."""

    def script(line: Line) -> None:
        line.request()
        line.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        line.send(b"%x;ext=1\r\n%b\r\n" % (20, BODY[:20]))
        line.send(b"%x\r\n%b\r\n0\r\nTrailer: x\r\n\r\n" % (len(BODY) - 20, BODY[20:]))
        line.request()
        line.send(HEAD + b"Connection: close\r\n\r\n" + BODY)

    server, client = serve(script)
    assert ask(client).fields == FIELDS
    assert ask(client).fields == FIELDS
    assert server.connections == 1


def test_an_http_1_0_answer_is_read_and_its_connection_not_kept(serve_tcp: Serve) -> None:
    """Old servers close the connection to end the body."""

    def script(line: Line) -> None:
        line.request()
        line.send(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + BODY)

    server, client = serve_tcp(script)
    assert [ask(client).fields, ask(client).fields] == [FIELDS, FIELDS]
    assert server.connections == 2


def test_a_100_continue_before_the_answer_is_skipped(serve_tcp: Serve) -> None:
    """It announces an answer and is none."""

    def script(line: Line) -> None:
        line.request()
        line.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        line.reply(BODY)

    _, client = serve_tcp(script)
    assert ask(client).fields == FIELDS


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(HEAD + b"Content-Length: 0\r\n\r\n", 200, id="empty body"),
        pytest.param(HEAD + b"Content-Length: 100000\r\n\r\n" + b" " * 100_000, 200, id="large"),
        pytest.param(
            HEAD + b"Connection: close\r\n\r\n" + b" " * 100_000, 200, id="large, no length"
        ),
        pytest.param(
            HEAD
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + (b"2000\r\n" + b" " * 8192 + b"\r\n") * 9,
            200,
            id="large, chunked",
        ),
        pytest.param(
            HEAD + b"Content-Length: 65537\r\n\r\n" + BODY.ljust(65_537), 200, id="a byte too many"
        ),
        pytest.param(
            HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 200, id="gzip"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, id="no content type"),
        pytest.param(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 200, id="odd coding"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 204, id="204"),
        pytest.param(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", 201, id="201"),
        pytest.param(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, id="404"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n", 103, id="103"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, id="101"),
    ],
)
def test_a_whole_answer_without_a_meaning_is_a_bad_reply(
    serve: Serve, answer: bytes, status: int
) -> None:
    """And the next query is not harmed by what may still come on that connection."""

    def script(line: Line) -> None:
        while line.request():
            line.send(answer if line.number == 1 and len(server.requests) == 1 else GOOD)
            if b"Connection: close" in answer or b"gzip, chunked" in answer:
                return

    server, client = serve(script)
    with pytest.raises(BadReply) as caught:
        ask(client)
    assert caught.value.http_status == status
    assert ask(client).fields == FIELDS


GOOD = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


def test_a_body_over_the_limit_is_not_read_on(serve: Serve) -> None:
    """The client leaves while the server still has most of 100 MB to send."""

    def script(line: Line) -> None:
        line.request()
        line.send(HEAD + b"Content-Length: 100000000\r\n\r\n")
        for _ in range(1_000):
            line.send(b" " * 100_000)

    server, client = serve(script)
    with pytest.raises(BadReply, match="larger than 65536 bytes"):
        ask(client)
    assert server.finished == 0


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    """Neither elsewhere nor to the same server: the request is for the gateway alone."""
    elsewhere, _ = serve(answering())

    def script(line: Line) -> None:
        line.request()
        location = f"http://127.0.0.1:{elsewhere.port}/payment/resultQuery"
        line.reply(b"", b"HTTP/1.1 302 Found\r\nLocation: %b\r\n" % location.encode())

    server, client = serve(script)
    with pytest.raises(BadReply) as caught:
        ask(client)
    assert caught.value.http_status == 302
    assert len(server.requests) == 1
    assert elsewhere.connections == 0


@pytest.mark.parametrize(("status", "wait"), [(429, 7.0), (500, None), (503, 90.0)])
def test_later_comes_with_the_seconds_to_wait(
    serve: Serve, status: int, wait: float | None
) -> None:
    """429 and 5xx are no answers, and a body that never ends does not hide Retry-After."""
    date = dt.datetime.fromtimestamp(int(NOW) + 90, dt.UTC)
    value = {429: b"7", 503: date.strftime("%a, %d %b %Y %H:%M:%S GMT").encode()}
    retry = b"Retry-After: %b\r\n" % value[status] if status in value else b""

    def script(line: Line) -> None:
        line.request()
        line.send(b"HTTP/1.1 %d No\r\n%bContent-Length: 99\r\n\r\n" % (status, retry))
        line.pause()

    server, client = serve(script)
    with pytest.raises(GatewayUnavailable, match=f"HTTP {status}") as caught:
        ask(client)
    assert caught.value.retry_after == pytest.approx(wait, abs=1)
    assert server.finished == 0


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200", id="half a status line"),
        pytest.param(HEAD, id="half of the headers"),
        pytest.param(HEAD + b"Content-Length: 99\r\n\r\n{", id="short body"),
        pytest.param(HEAD + b"Content-Length: 99\r\n\r\n", id="no body"),
        pytest.param(HEAD + b"Content-Length: 999\r\n\r\n" + BODY, id="whole JSON, short body"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b" % (len(BODY), BODY),
            id="chunk without an end",
        ),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(BODY), BODY),
            id="no last chunk",
        ),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}", id="bad chunk size"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n{}", id="negative chunk"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + b" " * 2_000_000,
            id="a chunk of size -1",
        ),
        pytest.param(b"hello\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/3.0 200 OK\r\n\r\n", id="another version"),
        pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", id="no status"),
        pytest.param(HEAD + b"X: y\r\n" * 200 + b"\r\n", id="200 headers"),
        pytest.param(HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n", id="a header of 70,000 bytes"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02\x28", id="a TLS alert"),
    ],
)
@pytest.mark.parametrize("end", ["close", "half_close", "reset"])
def test_a_cut_off_answer_is_no_answer(serve: Serve, answer: bytes, end: str) -> None:
    """Cut off anywhere, in any way: the gateway told nothing, and nothing is guessed."""

    def script(line: Line) -> None:
        line.request()
        line.send(answer)
        getattr(line, end)()
        if end == "half_close":
            line.client_is_gone()

    server, client = serve(script)
    unavailable(client)
    assert len(server.requests) == 1


# The deadline


DRIBBLED = [
    pytest.param(b"", b"HTTP/1.1 200 " + b"O" * 300, id="status line"),
    pytest.param(HEAD, b"X: " + b"y" * 300, id="header"),
    pytest.param(HEAD, b"X: y\r\n" * 60, id="headers"),
    pytest.param(HEAD + b"Content-Length: 400\r\n\r\n", BODY.ljust(400), id="body"),
    pytest.param(HEAD + b"Connection: close\r\n\r\n", BODY.ljust(400), id="body without a length"),
    pytest.param(
        HEAD + b"Connection: close\r\nContent-Length: 400\r\n\r\n", BODY.ljust(400), id="last body"
    ),
    pytest.param(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 300 + b"\r\n", id="chunk size"
    ),
    pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n190\r\n", b" " * 400, id="chunk"),
    pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 60, id="chunks"),
    pytest.param(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(BODY), BODY),
        b"X: y\r\n" * 60,
        id="trailers",
    ),
    pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 12, id="100 Continue"),
]


@pytest.mark.parametrize(("first", "slowly"), DRIBBLED)
def test_a_server_that_dribbles_does_not_hold_the_caller(
    serve: Serve, first: bytes, slowly: bytes
) -> None:
    """A byte each 20 ms, for 5 s and more: the caller is back while the server still sends.

    The connection is closed then, never kept.
    """
    gone = threading.Event()

    def script(line: Line) -> None:
        line.request()
        line.send(first)
        try:
            line.dribble(slowly)
        except OSError:
            gone.set()

    server, client = serve(script, deadline=SHORT)
    assert "TimeoutError" in unavailable(client)
    assert gone.wait(4), "the client has not closed the connection"
    assert server.connections == len(server.requests) == 1


@pytest.mark.parametrize(("first", "slowly"), DRIBBLED)
def test_a_kept_connection_that_dribbles_is_not_tried_again(
    serve_tcp: Serve, first: bytes, slowly: bytes
) -> None:
    """The deadline holds on a kept connection too, and a late answer is not asked for twice."""

    def script(line: Line) -> None:
        line.request()
        line.reply(BODY)
        line.request()
        line.send(first)
        line.dribble(slowly)

    server, client = serve_tcp(script, deadline=SHORT)
    ask(client)
    assert "TimeoutError" in unavailable(client)
    assert server.finished == 0
    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_silent_server_does_not_hold_the_caller(serve: Serve) -> None:
    """Neither on a fresh connection nor, without a second try, on a kept one."""

    def script(line: Line) -> None:
        line.request()
        line.reply(BODY)
        line.request()
        line.pause()

    server, client = serve(script, deadline=SHORT)
    ask(client)
    assert "TimeoutError" in unavailable(client)
    assert (server.connections, len(server.requests)) == (1, 2)


def test_no_time_at_all_is_no_connection(serve: Serve) -> None:
    """A deadline that has passed is found before anything is opened."""
    server, client = serve(answering(), deadline=0.0)
    assert "TimeoutError" in unavailable(client)
    assert server.connections == 0


@pytest.mark.parametrize(
    ("first", "endless"),
    [
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500, id="100 Continue"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", b" " * 10_000, id="chunk of size -1"
        ),
    ],
)
def test_a_flood_is_not_read_on(serve: Serve, first: bytes, endless: bytes) -> None:
    """What no limit of HTTP catches ends after 1 MiB, long before the deadline."""

    def script(line: Line) -> None:
        line.request()
        line.send(first)
        while True:
            line.send(endless)

    _, client = serve(script)
    assert "(OSError)" in unavailable(client)


def test_sending_ends_at_the_deadline_too() -> None:
    """A request is far too short to get stuck in sending; the socket keeps its word anyway."""
    ours, theirs = socket.socketpair()
    with theirs, DeadlineSocket(fileno=ours.detach()) as sock:
        sock.start(Deadline(SHORT))
        with pytest.raises(TimeoutError):
            sock.sendall(b" " * 10_000_000)


def test_a_server_that_does_not_speak_tls_does_not_hold_the_caller(serve_tls: Serve) -> None:
    """The handshake waits for an answer that never comes."""
    server, client = serve_tls.raw(Line.pause)
    assert "TimeoutError" in unavailable(client)
    assert server.finished == 0


def test_a_handshake_that_dribbles_does_not_hold_the_caller(serve_tls: Serve) -> None:
    """A handshake record announced as 16 KiB, a byte each 20 ms."""
    server, client = serve_tls.raw(
        lambda line: line.dribble(b"\x16\x03\x03\x40\x00" + b"\x02" * 400)
    )
    assert "TimeoutError" in unavailable(client)
    assert server.finished == 0


def test_a_tls_record_that_dribbles_does_not_hold_the_caller(serve_tls: Serve) -> None:
    """The bytes below TLS come in, and not one of them reaches HTTP."""

    def script(line: Line) -> None:
        line.request()
        with line.raw() as sock:
            for byte in b"\x17\x03\x03\x40\x00" + b"\x00" * 300:
                sock.sendall(bytes([byte]))
                line.pause(0.02)

    server, client = serve_tls(script, deadline=SHORT)
    assert "TimeoutError" in unavailable(client)
    assert server.finished == 0


def addresses(*pairs: tuple[str, int]) -> Callable[..., list[Any]]:
    """A getaddrinfo that answers with *pairs*."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", pair) for pair in pairs]
    return lambda *_args, **_options: found


def test_an_address_that_swallows_everything_leaves_time_for_the_next(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each address gets its share of the time, not all of it."""
    server, client = serve(answering(), deadline=0.9)
    with black_hole() as hole:
        found = addresses(hole, hole, ("127.0.0.1", server.port))
        monkeypatch.setattr(socket, "getaddrinfo", found)
        assert ask(client).fields == FIELDS


def test_addresses_that_swallow_everything_do_not_hold_the_caller(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system itself would try for minutes."""
    server, client = serve(answering(), deadline=SHORT)
    with black_hole() as hole:
        monkeypatch.setattr(socket, "getaddrinfo", addresses(hole, hole, hole))
        assert "TimeoutError" in unavailable(client)
    assert server.connections == 0


def test_opening_a_connection_gets_two_seconds_of_a_long_deadline(
    serve_tcp: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a dead address is known long before the deadline (here far beyond ask's patience)."""
    _, client = serve_tcp(answering(), deadline=60.0)
    with black_hole() as hole:
        monkeypatch.setattr(socket, "getaddrinfo", addresses(hole))
        assert "TimeoutError" in unavailable(client)


def test_an_address_that_refuses_or_cannot_be_is_passed_over(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens on the first, and this machine has nothing of the second's family."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()
    server, client = serve(answering())
    refused, works = addresses(closed, ("127.0.0.1", server.port))()
    alien = (socket.AF_APPLETALK, socket.SOCK_STREAM, 0, "", ())
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_o: [refused, alien, works])
    assert ask(client).fields == FIELDS


@pytest.mark.parametrize("found", [[], [(socket.AF_APPLETALK, socket.SOCK_STREAM, 0, "", ())]])
def test_a_name_without_a_usable_address_is_no_connection(
    serve_tcp: Serve, monkeypatch: pytest.MonkeyPatch, found: list[Any]
) -> None:
    """An error like any other failed connection."""
    _, client = serve_tcp(answering())
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_o: found)
    assert "OSError" in unavailable(client)


def test_a_name_is_looked_up_anew_for_each_connection(
    serve_tcp: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the resolver raises is no answer; neither that nor an old address is remembered."""
    server, _ = serve_tcp(answering(head=HEAD + b"Connection: close\r\n"))
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()
    found = iter([addresses(("127.0.0.1", server.port)), addresses(closed)])

    def lookup(*_args: object, **_options: object) -> list[Any]:
        if (next_found := next(found, None)) is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return next_found()

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    client = GatewayClient("http://gateway.test:8080", PARTNER)
    assert ask(client).fields == FIELDS
    assert "ConnectionRefusedError" in unavailable(client)
    assert "gaierror" in unavailable(client)


def test_a_name_server_that_hangs_does_not_hold_the_caller(
    serve_tcp: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each query is back by its deadline; all wait for one look-up, and recover with it."""
    release, calls = threading.Event(), []

    def hang(host: str, port: int, **_options: object) -> object:
        calls.append((host, port))
        release.wait(20)
        return addresses(("127.0.0.1", server.port))()

    server, _ = serve_tcp(answering())
    client = GatewayClient("http://gateway.test", PARTNER, deadline=SHORT)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    before = set(threading.enumerate())
    for _ in range(3):
        assert "TimeoutError" in unavailable(client)
    begun = set(threading.enumerate()) - before
    assert [thread.name for thread in begun].count("payresult-lookup") == 1
    assert calls == [("gateway.test", 80)]
    release.set()
    assert ask(client).fields == FIELDS
    assert server.requests[0].headers["host"] == "gateway.test"


def test_no_connection_where_nobody_listens() -> None:
    """Refused at once is no answer too."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert "ConnectionRefusedError" in unavailable(
        GatewayClient(f"http://127.0.0.1:{port}", PARTNER)
    )


# Connections: kept, dead, many


def test_a_connection_is_kept_for_the_next_query(serve: Serve) -> None:
    """Ten queries, one connection, one handshake."""
    server, client = serve(answering())
    for _ in range(10):
        ask(client)
    assert (server.connections, len(server.requests)) == (1, 10)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_kept_connection_that_the_server_closed_is_replaced_unnoticed(
    serve: Serve, end: str
) -> None:
    """Known before a byte is sent, so the server sees each request once."""
    close, closed = threading.Event(), threading.Event()

    def script(line: Line) -> None:
        line.request()
        line.reply(BODY)
        if line.number == 1:
            close.wait(10)
            getattr(line, end)()
            closed.set()
        else:
            line.request()

    server, client = serve(script)
    ask(client)
    close.set()
    assert closed.wait(10)
    assert ask(client).fields == FIELDS
    assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_kept_connection_that_dies_on_use_is_tried_again_on_a_fresh_one(
    serve: Serve, end: str
) -> None:
    """The request went out and not a byte came back: asking again is safe, and done once."""

    def script(line: Line) -> None:
        line.request()
        line.reply(BODY)
        line.request()
        getattr(line, end)()

    server, client = serve(script)
    assert ask(client).fields == FIELDS
    assert ask(client).fields == FIELDS
    assert (server.connections, len(server.requests)) == (2, 3)


def test_the_second_try_is_the_last(serve: Serve) -> None:
    """A gateway that closes every connection gets two requests, not a stream of them."""

    def script(line: Line) -> None:
        line.request()
        if line.number == 1:
            line.reply(BODY)
            line.request()

    server, client = serve(script)
    ask(client)
    unavailable(client)
    assert (server.connections, len(server.requests)) == (2, 3)


def test_the_second_try_takes_a_fresh_connection_although_others_are_kept(serve: Serve) -> None:
    """When one kept connection is dead, the others are likely dead too."""
    together = threading.Barrier(3)

    def script(line: Line) -> None:
        line.request()
        if line.number <= 3:
            together.wait(10)
        line.reply(BODY)
        line.request()

    server, client = serve(script)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(client.query, [PAY_ID] * 3))
    assert ask(client).fields == FIELDS
    assert (server.connections, len(server.requests)) == (4, 5)


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"H", id="a byte"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + b" " * 2_000_000, id="too much"
        ),
    ],
)
def test_no_second_try_once_a_byte_of_the_answer_came(serve: Serve, start: bytes) -> None:
    """The gateway was answering, so its failure is its own."""

    def script(line: Line) -> None:
        line.request()
        line.reply(BODY)
        line.request()
        line.send(start)

    server, client = serve(script)
    ask(client)
    unavailable(client)
    assert (server.connections, len(server.requests)) == (1, 2)


@pytest.mark.parametrize("when", ["with the answer", "afterwards"])
def test_an_answer_that_nobody_asked_for_is_never_taken(serve: Serve, when: str) -> None:
    """It is dropped with the answer it came with, or with its connection."""
    stray = GOOD.replace(b"success", b"strayed")
    answered, strayed = threading.Event(), threading.Event()

    def script(line: Line) -> None:
        line.request()
        line.send(GOOD + stray if when == "with the answer" else GOOD)
        answered.wait(10)
        if when == "afterwards":
            line.send(stray)
        line.arrived()
        strayed.set()
        while line.request():
            line.send(GOOD)

    _, client = serve(script)
    assert ask(client).fields == FIELDS
    answered.set()
    assert strayed.wait(10)
    assert ask(client).fields == FIELDS


@pytest.mark.parametrize("status", [200, 404, 503])
def test_the_late_body_of_an_answer_is_never_taken_for_the_next_answer(
    serve: Serve, status: int
) -> None:
    """What was not read to its end leaves a connection that nobody uses again."""
    late = GOOD.replace(b"success", b"strayed")
    start = b" " * 65_537 if status == 200 else b""
    head = b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"

    def script(line: Line) -> None:
        line.request()
        if line.number == 1:
            line.send(head % (status, len(start) + len(late)) + start)
            line.request()
            line.send(late)
        else:
            line.send(GOOD)

    server, client = serve(script)
    with pytest.raises((BadReply, GatewayUnavailable)):
        ask(client)
    assert ask(client).fields == FIELDS
    assert server.connections == 2


def test_32_queries_run_at_the_same_time_and_their_connections_are_kept(serve: Serve) -> None:
    """The server answers none before it has all; the second round needs no new connection."""
    together = threading.Barrier(32)

    def script(line: Line) -> None:
        while request := line.request():
            together.wait(10)
            line.reply(json.dumps({**FIELDS, "payId": json.loads(request.body)["payId"]}).encode())

    server, client = serve(script)
    ids = [f"pay-{number}" for number in range(32)]
    with ThreadPoolExecutor(32) as pool:
        for _ in range(3):
            assert [reply.fields["payId"] for reply in pool.map(client.query, ids)] == ids
    assert (server.connections, len(server.requests)) == (32, 96)


def test_no_more_connections_are_kept_than_allowed(serve: Serve) -> None:
    """More queries than pool_size work at the same time; what is too many is closed."""
    together = threading.Barrier(6)
    gone = threading.Semaphore(0)

    def script(line: Line) -> None:
        line.request()
        together.wait(10)
        line.reply(BODY)
        if line.request() is None:
            gone.release()

    server, client = serve(script, pool_size=2)
    with ThreadPoolExecutor(6) as pool:
        assert [reply.fields for reply in pool.map(client.query, [PAY_ID] * 6)] == [FIELDS] * 6
    for _ in range(4):
        assert gone.acquire(timeout=10)
    assert not gone.acquire(timeout=0.05)
    assert server.connections == 6


def all_kinds_of_ends(line: Line) -> None:
    """A script that ends each connection in another way."""
    line.request()
    match line.number % 5:
        case 0:
            line.reply(BODY)
            line.request()
        case 1:
            line.dribble(HEAD * 9)
        case 2:
            line.send(HEAD + b"Connection: close\r\n\r\n")
            line.dribble(BODY.ljust(600))
        case 3:
            line.send(HEAD + b"Content-Length: 999\r\n\r\n{")
            line.reset()
        case _:
            line.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n20000\r\n" + b" " * 99_999)


def test_no_descriptor_is_left_behind(serve: Serve) -> None:
    """After every kind of end, and once the client is dropped, all sockets are closed.

    Each of the five kinds comes five times. Fewer new descriptors than that may be others' in
    this process, which open and close theirs meanwhile.
    """
    before = open_files()
    with Serve(serve.authority) as serving:
        server, client = serving(all_kinds_of_ends, deadline=0.1)
        for _ in range(25):
            with contextlib.suppress(GatewayUnavailable, BadReply):
                ask(client)
        assert server.connections >= 20
        del client
        gc.collect()
    assert len(open_files() - before) < 5


def open_files() -> set[int]:
    """The inodes of all that this process has open."""
    inodes = set()
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - names of descriptors, not files to open
        with contextlib.suppress(OSError):  # the listing's own, closed by now
            inodes.add(os.fstat(int(name)).st_ino)
    return inodes


# Trust


def test_a_certificate_for_another_host_is_refused(serve_tls: Serve) -> None:
    """And not a byte of a request is sent."""
    assert serve_tls.authority is not None
    certificate = serve_tls.authority.issue_cert("other.example", "127.0.0.2")
    server, client = serve_tls(answering(), server_context(certificate))
    assert "SSLCertVerificationError" in unavailable(client)
    assert server.requests == []


def test_an_expired_certificate_is_refused(serve_tls: Serve) -> None:
    """One day is enough."""
    assert serve_tls.authority is not None
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    certificate = serve_tls.authority.issue_cert("127.0.0.1", not_after=yesterday)
    server, client = serve_tls(answering(), server_context(certificate))
    assert "SSLCertVerificationError" in unavailable(client)
    assert server.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(serve_tls: Serve) -> None:
    """With the right host name in it, as any attacker would have."""
    certificate = trustme.CA().issue_cert("127.0.0.1")
    server, client = serve_tls(answering(), server_context(certificate))
    assert "SSLCertVerificationError" in unavailable(client)
    assert server.requests == []


def test_tls_1_1_is_refused(
    serve_tls: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The server can speak it, which a client without our rule shows first."""
    assert serve_tls.authority is not None
    context = server_context(serve_tls.authority.issue_cert("127.0.0.1"))
    lenient = client_context(serve_tls.authority)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for old in (context, lenient):
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    server, client = serve_tls(answering(), context, ssl_context=lenient)
    assert ask(client).fields == FIELDS
    serve_tls.authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    machine(monkeypatch, tmp_path / "roots.pem", tmp_path / "none")
    strict = default_tls_context()
    strict.set_ciphers("ALL:@SECLEVEL=0")
    base_url = f"https://127.0.0.1:{server.port}"
    assert "SSLError" in unavailable(GatewayClient(base_url, PARTNER, ssl_context=strict))
    assert len(server.requests) == 1


def machine(monkeypatch: pytest.MonkeyPatch, file: Path, folder: Path) -> None:
    """Make this a machine that has its roots there, and nowhere else."""
    paths = ssl.get_default_verify_paths()
    monkeypatch.setattr(
        ssl,
        "get_default_verify_paths",
        lambda: paths._replace(openssl_cafile=str(file), openssl_capath=str(folder)),
    )


def test_by_default_the_roots_of_the_machine_are_trusted_and_no_keys_are_logged(
    serve_tls: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SSLKEYLOGFILE in the environment must not make our traffic readable."""
    keys, roots = tmp_path / "keys", tmp_path / "roots.pem"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    assert serve_tls.authority is not None
    serve_tls.authority.cert_pem.write_to_path(roots)
    machine(monkeypatch, roots, tmp_path / "none")
    server, _ = serve_tls(answering())
    keys.unlink(missing_ok=True)
    assert ask(GatewayClient(f"https://127.0.0.1:{server.port}", PARTNER)).fields == FIELDS
    assert not keys.exists()


def test_no_variable_of_the_environment_adds_a_root(
    serve_tls: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """OpenSSL knows two that would: whom to trust is not decided there."""
    assert serve_tls.authority is not None
    serve_tls.authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    server, _ = serve_tls(answering())
    assert "SSLCert" in unavailable(GatewayClient(f"https://127.0.0.1:{server.port}", PARTNER))
    assert server.requests == []


def test_a_python_without_roots_gets_those_of_the_aws_sdk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As Python.org's on macOS is, until somebody installs certificates."""
    machine(monkeypatch, tmp_path / "none", tmp_path / "none")
    context = default_tls_context()
    assert context.cert_store_stats()["x509_ca"] > 50
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


# Tight lips


def test_nothing_is_logged_even_of_a_malformed_answer(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither by us nor by the HTTP library."""
    answers = iter(
        [
            GOOD,
            HEAD + b"CANARY-1\r\nContent-Length: 2\r\n\r\n{}",
            HEAD + b": CANARY-2\r\nContent-Length: 2\r\n\r\n{}",
            b"CANARY-3\r\n\r\n",
            HEAD + b"Transfer-Encoding: chunked\r\n\r\nCANARY-4\r\n",
        ]
    )

    def script(line: Line) -> None:
        line.request()
        line.send(next(answers))

    _, client = serve(script)
    with caplog.at_level(logging.DEBUG):
        for _ in range(5):
            with contextlib.suppress(GatewayUnavailable, BadReply):
                ask(client)
    assert next(answers, None) is None
    assert caplog.records == []
