"""Connections: kept, dead, and many at a time, over real sockets."""

import contextlib
import gc
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from payresult.errors import GatewayError, GatewayUnavailable, InvalidReply
from tests.integration.wire.serving import (
    BODY,
    FIELDS,
    GOOD,
    NOW,
    PAY_ID,
    Serve,
    answering,
    ask,
    unavailable,
)
from tests.support.fault_server import HEAD, Line


def test_a_connection_is_kept_for_the_next_query(serve: Serve) -> None:
    """Ten queries, one connection, one handshake."""
    server, client = serve(answering())
    for _ in range(10):
        ask(client)
    assert (server.connections, len(server.requests)) == (1, 10)


@pytest.mark.parametrize(
    ("idle", "connections"),
    [
        pytest.param(30, 1, id="as long as allowed"),
        pytest.param(31, 3, id="too long"),
        pytest.param(-1, 3, id="the clock was set back"),
    ],
)
def test_a_connection_that_was_idle_for_too_long_is_closed_and_not_used_again(
    serve: Serve, idle: int, connections: int
) -> None:
    """Servers and NAT gateways forget it without a packet, so asking it would cost a deadline.

    By the wall clock, which runs on while an environment is frozen, since the last exchange.
    """
    now, gone = [NOW], threading.Semaphore(0)

    def script(line: Line) -> None:
        while line.request():
            line.reply(BODY)
        gone.release()

    server, client = serve(script, clock=lambda: now[0])
    for _ in range(3):
        assert ask(client).fields == FIELDS
        now[0] += idle
    assert (server.connections, len(server.requests)) == (connections, 3)
    for _ in range(connections - 1):
        assert gone.acquire(timeout=10)


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


@pytest.mark.parametrize("header", [b"", b"Connection: close\r\n"])
def test_a_connection_that_dies_on_first_use_is_not_tried_again(
    serve: Serve, header: bytes
) -> None:
    """Although there was another one before it, which the server closed, as announced or not."""
    closed = threading.Event()

    def script(line: Line) -> None:
        line.request()
        if line.number == 1:
            line.reply(BODY, HEAD + header)
            line.close()
            closed.set()

    server, client = serve(script)
    assert ask(client).fields == FIELDS
    assert closed.wait(10)
    unavailable(client)
    assert (server.connections, len(server.requests)) == (2, 2)


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
    """When one kept connection is dead, the others are likely dead too: all are closed."""
    together, gone = threading.Barrier(3), threading.Semaphore(0)

    def script(line: Line) -> None:
        line.request()
        if line.number <= 3:
            together.wait(10)
        line.reply(BODY)
        if line.request() is None:
            gone.release()

    server, client = serve(script)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(client.query, [PAY_ID] * 3))
    assert ask(client).fields == FIELDS
    assert (server.connections, len(server.requests)) == (4, 5)
    assert gone.acquire(timeout=10)
    assert gone.acquire(timeout=10)


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"H", id="a byte"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000, id="too much before the answer"),
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

    server, client = serve(script, deadline=1.0)
    with pytest.raises(GatewayUnavailable):
        ask(client)
    assert ask(client).fields == FIELDS
    assert server.connections == 2


ERROR = b"HTTP/1.1 %d No\r\nContent-Type: text/html\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 502, 503])
@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"Content-Length: 6\r\n\r\n<html>", id="HTML"),
        pytest.param(b"Content-Length: 2\r\n\r\n{}", id="JSON"),
        pytest.param(b"Content-Length: 0\r\n\r\n", id="no body"),
        pytest.param(CHUNKED + b"6\r\n<html>\r\n0\r\n\r\n", id="chunked"),
        pytest.param(b"Content-Length: 65536\r\n\r\n" + b" " * 65_536, id="64 KiB"),
    ],
)
def test_an_error_that_was_read_to_its_end_leaves_its_connection_for_the_next_query(
    serve: Serve, status: int, rest: bytes
) -> None:
    """A gateway in trouble is not given a TLS handshake more for each query."""

    def script(line: Line) -> None:
        while line.request():
            line.send(ERROR % status + rest if len(server.requests) < 3 else GOOD)

    server, client = serve(script)
    for _ in range(2):
        with pytest.raises(GatewayError):
            ask(client)
    assert ask(client).fields == FIELDS
    assert server.connections == 1


@pytest.mark.parametrize("status", [404, 503])
@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"Connection: close\r\nContent-Length: 2\r\n\r\n{}", id="closing"),
        pytest.param(b"Content-Length: 65537\r\n\r\n" + b" " * 65_537, id="too long"),
        pytest.param(b"Content-Length: 9\r\n\r\n{}", id="late"),
        pytest.param(CHUNKED + b"2\r\n{}\r\n", id="no last chunk"),
        pytest.param(CHUNKED + b"zz\r\n{}\r\n", id="a broken chunk"),
        pytest.param(b"Content-Length: 2\r\n\r\n{}" + GOOD, id="with a stray answer"),
    ],
)
def test_an_error_that_was_not_read_to_its_end_closes_its_connection(
    serve: Serve, status: int, rest: bytes
) -> None:
    """What may still come on it would be taken for the next answer."""

    def script(line: Line) -> None:
        line.request()
        line.send(ERROR % status + rest if line.number == 1 else GOOD)
        line.client_is_gone()

    server, client = serve(script, deadline=1.0)
    with pytest.raises(GatewayError):
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
            with contextlib.suppress(GatewayUnavailable, InvalidReply):
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
