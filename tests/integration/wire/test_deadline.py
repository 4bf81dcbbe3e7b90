"""Contract of the gateway client: its deadline holds, whatever the server or the network does."""

import contextlib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from unittest import mock

import pytest

from payresult.domain.reply import Reply
from payresult.errors import GatewayUnavailable
from payresult.gateway.client import GatewayClient
from payresult.gateway.connection import BudgetSocket
from sandbox.waiting import wait_for
from tests.integration.wire.serving import (
    BODY,
    CHUNKED,
    CLOSING,
    FIELDS,
    GOOD,
    PARTNER,
    PAY_ID,
    SHORT,
    Serve,
    answering,
    ask,
    exchanges,
    sized,
    unavailable,
)
from tests.support.fault_server import HEAD, FaultServer, Line, black_hole, closed_port

DRIBBLED = {
    "status line": (b"", b"HTTP/1.1 200 " + b"O" * 300),
    "header": (HEAD, b"X: " + b"y" * 300),
    "headers": (HEAD, b"X: y\r\n" * 60),
    "body": (sized(b"", 400), BODY.ljust(400)),
    "body without a length": (CLOSING, BODY.ljust(400)),
    "last body": (sized(b"", 400, HEAD + b"Connection: close\r\n"), BODY.ljust(400)),
    "chunk size": (CHUNKED, b"1;" + b"x" * 300 + b"\r\n"),
    "chunk": (CHUNKED + b"190\r\n", b" " * 400),
    "chunks": (CHUNKED, b"1\r\n \r\n" * 60),
    "trailers": (CHUNKED + b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY), b"X: y\r\n" * 60),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 12),
    "nothing": (b"", b""),
}
"""What is sent at once, and what follows a byte each 20 ms, for 5 s and more; then nothing."""


@pytest.mark.parametrize(("first", "slowly"), DRIBBLED.values(), ids=DRIBBLED)
@pytest.mark.parametrize("kept", [False, True], ids=["fresh", "kept"])
def test_a_server_that_dribbles_does_not_hold_the_caller(
    serve: Serve, first: bytes, slowly: bytes, *, kept: bool
) -> None:
    """The caller is back while the server still sends; the connection is closed then.

    On a kept connection too, and a late answer is not asked for twice.
    """

    def dribble(line: Line) -> None:
        line.send(first)
        line.dribble(slowly)
        line.client_is_gone()

    server, client = serve(exchanges(*[GOOD] * kept, dribble), deadline=SHORT)
    if kept:
        ask_patiently(client)
    earlier, queries = server.connections - kept, 0
    # Again, if this machine was too busy for the handshake: the server has got no request.
    while len(server.requests) == kept and queries < 3:
        queries += 1
        assert "TimeoutError" in unavailable(client, how="timeout")
        wait_for("the end of the connection", partial(has_ended, server, earlier + queries), 4)
    assert (server.connections - earlier, len(server.requests)) == (queries, 1 + kept)


def ask_patiently(client: GatewayClient) -> Reply:
    """As `ask`; up to three times, for a busy machine may miss the deadline."""
    for _ in range(2):
        with contextlib.suppress(GatewayUnavailable):
            return ask(client)
    return ask(client)


def has_ended(server: FaultServer, connection: int) -> bool:
    """Whether that connection and all before it are closed at the server."""
    return server.ended == connection


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
    [(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500), (CHUNKED + b"-1\r\n", b" " * 10_000)],
    ids=["100 Continue", "chunk of size -1"],
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


@pytest.mark.parametrize("answer", [b"", b"\x16\x03\x03\x40\x00" + b"\x02" * 400])
def test_a_server_that_does_not_speak_tls_does_not_hold_the_caller(
    serve_tls: Serve, answer: bytes
) -> None:
    """The handshake waits for an answer that never comes, or for a record of 16 KiB by bytes."""

    def script(line: Line) -> None:
        line.dribble(answer)
        line.pause()

    server, client = serve_tls.raw(script)
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


ALIEN = (socket.AF_APPLETALK, socket.SOCK_STREAM, 0, "", ())
"""An address of a family that this machine does not have."""

Found = tuple[Any, ...]
Resolve = Callable[..., None]


def at(host: str, port: int) -> Found:
    """Return an address as getaddrinfo does."""
    return socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Return ``resolve(*addresses)``: getaddrinfo finds these from then on."""
    return lambda *found: monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [*found])


def test_an_address_that_swallows_everything_leaves_time_for_the_next(
    serve: Serve, resolve: Resolve
) -> None:
    """Each address gets its share of the time, not all of it."""
    server, client = serve(answering(), deadline=3.0)
    with black_hole() as hole:
        resolve(at(*hole), at(*hole), at("127.0.0.1", server.port))
        assert ask(client).fields == FIELDS


@pytest.mark.parametrize(("deadline", "holes"), [(SHORT, 3), (60.0, 1)])
def test_addresses_that_swallow_everything_do_not_hold_the_caller(
    serve_tcp: Serve, resolve: Resolve, deadline: float, holes: int
) -> None:
    """The system itself would try for minutes.

    Of a long deadline (here far beyond ask's patience), opening a connection gets two seconds.
    """
    server, client = serve_tcp(answering(), deadline=deadline)
    with black_hole() as hole:
        resolve(*[at(*hole)] * holes)
        assert "TimeoutError" in unavailable(client, how="timeout")
    assert server.connections == 0


def test_an_address_that_refuses_or_cannot_be_is_passed_over(
    serve: Serve, resolve: Resolve
) -> None:
    """Nobody listens on the first, and this machine has nothing of the second's family."""
    server, client = serve(answering())
    with closed_port() as closed:
        resolve(at("127.0.0.1", closed), ALIEN, at("127.0.0.1", server.port))
        assert ask(client).fields == FIELDS


@pytest.mark.parametrize("found", [[], [ALIEN]])
def test_a_name_without_a_usable_address_is_no_connection(
    serve_tcp: Serve, resolve: Resolve, found: list[Found]
) -> None:
    """An error like any other failed connection."""
    _, client = serve_tcp(answering())
    resolve(*found)
    assert "OSError" in unavailable(client, how="connection")


def test_a_name_is_looked_up_anew_for_each_connection(
    serve_tcp: Serve, monkeypatch: pytest.MonkeyPatch, resolve: Resolve
) -> None:
    """What the resolver raises is no answer; neither that nor an old address is remembered."""
    server, _ = serve_tcp(answering(head=HEAD + b"Connection: close\r\n"))
    client = GatewayClient("http://gateway.test:8080", PARTNER)
    resolve(at("127.0.0.1", server.port))
    assert ask(client).fields == FIELDS
    with closed_port() as closed:
        resolve(at("127.0.0.1", closed))
        assert "ConnectionRefusedError" in unavailable(client, how="connection")
    failure = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    monkeypatch.setattr(socket, "getaddrinfo", mock.Mock(side_effect=failure))
    assert "gaierror" in unavailable(client, how="connection")


def test_a_name_server_that_hangs_does_not_hold_the_caller(
    serve_tcp: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each query is back by its deadline; all wait for one look-up, and recover with it."""
    release, calls = threading.Event(), []

    def hang(host: str, port: int, **_options: object) -> object:
        calls.append((host, port))
        release.wait(20)
        return [at("127.0.0.1", server.port)]

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
