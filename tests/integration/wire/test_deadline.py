"""The deadline holds against every way to dribble, over real sockets."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from payresult.gateway.client import GatewayClient
from payresult.gateway.connection import BudgetSocket
from tests.integration.wire.serving import (
    BODY,
    FIELDS,
    PARTNER,
    PAY_ID,
    SHORT,
    Serve,
    answering,
    ask,
    unavailable,
)
from tests.support.fault_server import HEAD, Line, black_hole

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
    assert "TimeoutError" in unavailable(client, how="timeout")
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
    assert "TimeoutError" in unavailable(client, how="timeout")
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
    assert "TimeoutError" in unavailable(client, how="timeout")
    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_slow_answer_is_no_reason_to_give_up_other_connections(serve_tcp: Serve) -> None:
    """Slow is not dead: of two queries after it, one uses the connection that was kept."""
    together = threading.Barrier(2)

    def script(line: Line) -> None:
        while line.request():
            if len(server.requests) == 3:
                line.pause()
            together.wait(10)
            line.reply(BODY)

    server, client = serve_tcp(script, deadline=1.0)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(client.query, [PAY_ID] * 2))
        assert "TimeoutError" in unavailable(client, how="timeout")
        list(pool.map(client.query, [PAY_ID] * 2))
    assert (server.connections, len(server.requests)) == (3, 5)


def test_no_time_at_all_is_no_connection(serve: Serve) -> None:
    """A deadline that has passed is found before anything is opened."""
    server, client = serve(answering(), deadline=0.0)
    assert "TimeoutError" in unavailable(client, how="timeout")
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
    """A request is far too short to get stuck in sending; the socket keeps to its budget anyway.

    The last byte has room, but no time is left for it.
    """
    ours, theirs = socket.socketpair()
    with theirs, BudgetSocket(fileno=ours.detach()) as sock:
        sock.settimeout(SHORT)
        with pytest.raises(TimeoutError):
            sock.sendall(b" " * 10_000_000)
        theirs.recv(1_000_000)
        with pytest.raises(TimeoutError):
            sock.sendall(b" ")


def test_a_server_that_does_not_speak_tls_does_not_hold_the_caller(serve_tls: Serve) -> None:
    """The handshake waits for an answer that never comes."""
    server, client = serve_tls.raw(Line.pause)
    assert "TimeoutError" in unavailable(client, how="timeout")
    assert server.finished == 0


def test_a_handshake_that_dribbles_does_not_hold_the_caller(serve_tls: Serve) -> None:
    """A handshake record announced as 16 KiB, a byte each 20 ms."""
    server, client = serve_tls.raw(
        lambda line: line.dribble(b"\x16\x03\x03\x40\x00" + b"\x02" * 400)
    )
    assert "TimeoutError" in unavailable(client, how="timeout")
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
    assert "TimeoutError" in unavailable(client, how="timeout")
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
        assert "TimeoutError" in unavailable(client, how="timeout")
    assert server.connections == 0


def test_opening_a_connection_gets_two_seconds_of_a_long_deadline(
    serve_tcp: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a dead address is known long before the deadline (here far beyond ask's patience)."""
    _, client = serve_tcp(answering(), deadline=60.0)
    with black_hole() as hole:
        monkeypatch.setattr(socket, "getaddrinfo", addresses(hole))
        assert "TimeoutError" in unavailable(client, how="timeout")


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
    assert "OSError" in unavailable(client, how="connection")


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
    assert "ConnectionRefusedError" in unavailable(client, how="connection")
    assert "gaierror" in unavailable(client, how="connection")


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
        assert "TimeoutError" in unavailable(client, how="timeout")
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
