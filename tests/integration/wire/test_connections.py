"""Contract of the gateway client: which connections it keeps, replaces and closes."""

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
    CHUNKED,
    CLOSING,
    FIELDS,
    GOOD,
    NOW,
    PAY_ID,
    Script,
    Serve,
    ask,
    exchanges,
    in_turn,
    sized,
    unavailable,
)
from tests.support.fault_server import HEAD, Line

STRAY = GOOD.replace(b"success", b"strayed")


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


@pytest.mark.parametrize("header", [b"", b"Connection: close\r\n"])
def test_a_connection_that_dies_on_first_use_is_not_tried_again(
    serve: Serve, header: bytes
) -> None:
    """Although there was another one before it, which the server closed, as announced or not."""
    closed = threading.Event()

    def answer_and_close(line: Line) -> None:
        line.reply(BODY, HEAD + header)
        line.close()
        closed.set()

    server, client = serve(in_turn(exchanges(answer_and_close), exchanges(Line.close)))
    assert ask(client).fields == FIELDS
    assert closed.wait(10)
    unavailable(client)
    assert (server.connections, len(server.requests)) == (2, 2)


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


BROKEN = {
    "closed": (exchanges(GOOD, Line.close), FIELDS, (2, 3)),
    "reset": (exchanges(GOOD, Line.reset), FIELDS, (2, 3)),
    "closed twice": (in_turn(exchanges(GOOD, Line.close), exchanges(Line.close)), None, (2, 3)),
    "a byte came": (exchanges(GOOD, b"H"), None, (1, 2)),
    "too much before the answer": (
        exchanges(GOOD, b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000),
        None,
        (1, 2),
    ),
    "too much": (exchanges(GOOD, CHUNKED + b"-1\r\n" + b" " * 2_000_000), None, (1, 2)),
}
"""What a server does to a kept connection; the second reply; connections and requests then."""


@pytest.mark.parametrize(("script", "second", "counts"), BROKEN.values(), ids=BROKEN)
def test_a_kept_connection_that_dies_before_a_byte_came_is_replaced_once(
    serve: Serve, script: Script, second: dict[str, str] | None, counts: tuple[int, int]
) -> None:
    """Then asking again is safe; once the gateway was answering, its failure is its own."""
    server, client = serve(script)
    assert ask(client).fields == FIELDS
    if second is None:
        unavailable(client)
    else:
        assert ask(client).fields == second
    assert (server.connections, len(server.requests)) == counts


@pytest.mark.parametrize("when", ["with the answer", "afterwards"])
def test_an_answer_that_nobody_asked_for_is_never_taken(serve: Serve, when: str) -> None:
    """It is dropped with the answer it came with, or with its connection."""
    answered, strayed = threading.Event(), threading.Event()

    def script(line: Line) -> None:
        line.request()
        line.send(GOOD + STRAY if when == "with the answer" else GOOD)
        answered.wait(10)
        if when == "afterwards":
            line.send(STRAY)
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
    start = b" " * 65_537 if status == 200 else b""
    head = b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\n" % status
    first = exchanges(sized(start, len(start + STRAY), head), STRAY)
    server, client = serve(in_turn(first, exchanges(GOOD)), deadline=1.0)
    with pytest.raises(GatewayUnavailable):
        ask(client)
    assert ask(client).fields == FIELDS
    assert server.connections == 2


ERROR = b"HTTP/1.1 %d No\r\nContent-Type: text/html\r\n"
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"
BODIES = {
    "HTML": (sized(b"<html>", head=b""), 1),
    "JSON": (sized(b"{}", head=b""), 1),
    "no body": (sized(b"", head=b""), 1),
    "chunked": (CHUNKS + b"6\r\n<html>\r\n0\r\n\r\n", 1),
    "64 KiB": (sized(b" " * 65_536, head=b""), 1),
    "with a stray answer": (sized(b"{}", head=b"") + STRAY, 1),
    "closing": (sized(b"{}", head=b"Connection: close\r\n"), 2),
    "too long": (sized(b" " * 65_538, head=b""), 2),
    "late": (sized(b"{}", 9, head=b""), 2),
    "no last chunk": (CHUNKS + b"2\r\n{}\r\n", 2),
    "a broken chunk": (CHUNKS + b"zz\r\n{}\r\n", 2),
}
"""The rest of an error, and how many connections it and the next query take."""


@pytest.mark.parametrize("status", [404, 503])
@pytest.mark.parametrize(("rest", "connections"), BODIES.values(), ids=BODIES)
def test_an_error_leaves_its_connection_for_the_next_query_if_it_was_read_to_its_end(
    serve: Serve, status: int, rest: bytes, connections: int
) -> None:
    """A gateway in trouble is not given a TLS handshake more for each query.

    Otherwise, what may still come on the connection would be taken for the next answer.
    """

    def script(line: Line) -> None:
        while line.request():
            line.send(ERROR % status + rest if len(server.requests) == 1 else GOOD)

    server, client = serve(script, deadline=1.0)
    with pytest.raises(GatewayError):
        ask(client)
    assert ask(client).fields == FIELDS
    assert server.connections == connections


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
            line.send(CLOSING)
            line.dribble(BODY.ljust(600))
        case 3:
            line.send(sized(b"{", 999))
            line.reset()
        case _:
            line.send(CHUNKED + b"20000\r\n" + b" " * 99_999)


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
