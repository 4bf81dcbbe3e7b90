"""Contract of the gateway client: it takes whole answers only, and tells the others by kind."""

import datetime as dt

import pytest

from payresult.errors import GatewayError, GatewayUnavailable, InvalidReply
from tests.integration.wire.serving import (
    BODY,
    CHUNKED,
    CLOSING,
    FIELDS,
    GOOD,
    NOW,
    Serve,
    answering,
    ask,
    exchanges,
    sized,
    unavailable,
)
from tests.support.fault_server import HEAD, Line

ENOUGH = 2.0
"""A deadline, in seconds: the headers of an answer come before it, also on a busy machine."""

NOTHING, JSON = GatewayUnavailable, InvalidReply


def test_a_chunked_answer_and_one_without_a_length_are_read_whole(serve: Serve) -> None:
    """Both are HTTP/1.1, and the second ends with the connection."""

    def chunked(line: Line) -> None:
        line.send(CHUNKED)
        line.send(b"%x;ext=1\r\n%b\r\n" % (20, BODY[:20]))
        line.send(b"%x\r\n%b\r\n0\r\nTrailer: x\r\n\r\n" % (len(BODY) - 20, BODY[20:]))

    server, client = serve(exchanges(chunked, CLOSING + BODY))
    assert [ask(client).fields, ask(client).fields] == [FIELDS, FIELDS]
    assert server.connections == 1


def test_an_http_1_0_answer_is_read_and_its_connection_not_kept(serve_tcp: Serve) -> None:
    """Old servers close the connection to end the body."""
    head = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
    server, client = serve_tcp(exchanges(head + BODY))
    assert [ask(client).fields, ask(client).fields] == [FIELDS, FIELDS]
    assert server.connections == 2


def test_a_100_continue_before_the_answer_is_skipped(serve_tcp: Serve) -> None:
    """It announces an answer and is none."""
    _, client = serve_tcp(exchanges(b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD))
    assert ask(client).fields == FIELDS


UNTYPED = b"HTTP/1.1 %d No\r\n"
LARGE = b" " * 100_000

WHOLE = {
    "empty body": (sized(b""), 200, NOTHING),
    "large": (sized(LARGE), 200, NOTHING),
    "large, no length": (CLOSING + LARGE, 200, NOTHING),
    "large, chunked": (CHUNKED + (b"2000\r\n" + b" " * 8192 + b"\r\n") * 9, 200, NOTHING),
    "a byte too many": (sized(BODY.ljust(65_537)), 200, NOTHING),
    "gzip": (sized(b"{}", head=HEAD + b"Content-Encoding: gzip\r\n"), 200, NOTHING),
    "404 in JSON": (sized(b"{}", head=UNTYPED % 404), 404, JSON),
    "odd coding": (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 200, NOTHING),
    "204": (UNTYPED % 204 + b"\r\n", 204, NOTHING),
    "103": (UNTYPED % 103 + b"\r\n", 103, NOTHING),
    "101": (UNTYPED % 101 + b"\r\n", 101, NOTHING),
}


@pytest.mark.parametrize(("answer", "status", "kind"), WHOLE.values(), ids=WHOLE)
def test_a_whole_answer_without_a_meaning_is_told_by_its_kind(
    serve: Serve, answer: bytes, status: int, kind: type[GatewayError]
) -> None:
    """And the next query is not harmed by what may still come on that connection."""

    def script(line: Line) -> None:
        while line.request():
            line.send(answer if line.number == 1 and len(server.requests) == 1 else GOOD)
            if b"Connection: close" in answer or b"gzip, chunked" in answer:
                return

    server, client = serve(script)
    with pytest.raises(GatewayError) as caught:
        ask(client)
    assert type(caught.value) is kind
    assert caught.value.http_status == status
    assert ask(client).fields == FIELDS


def test_a_body_over_the_limit_is_not_read_on(serve: Serve) -> None:
    """The client leaves while the server still has most of 100 MB to send."""

    def script(line: Line) -> None:
        line.request()
        line.send(sized(b"", 100_000_000))
        for _ in range(1_000):
            line.send(LARGE)

    server, client = serve(script)
    with pytest.raises(GatewayUnavailable, match="larger than 65536 bytes"):
        ask(client)
    assert server.finished == 0


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    """Neither elsewhere nor to the same server: the request is for the gateway alone."""
    elsewhere, _ = serve(answering())
    location = f"Location: http://127.0.0.1:{elsewhere.port}/payment/resultQuery\r\n"
    head = b"HTTP/1.1 302 Found\r\n" + location.encode()
    server, client = serve(exchanges(sized(b"", head=head)))
    with pytest.raises(GatewayUnavailable) as caught:
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
    answer = sized(b"", 99, head=UNTYPED % status + retry)
    server, client = serve(exchanges(answer, Line.pause), deadline=ENOUGH)
    with pytest.raises(GatewayUnavailable, match=f"HTTP {status}") as caught:
        ask(client)
    assert caught.value.how == "http"
    assert caught.value.retry_after == pytest.approx(wait, abs=1)
    assert server.finished == 0


CUT_OFF = {
    "nothing": b"",
    "half a status line": b"HTTP/1.1 200",
    "half of the headers": HEAD,
    "short body": sized(b"{", 99),
    "no body": sized(b"", 99),
    "whole JSON, short body": sized(BODY, 999),
    "chunk without an end": CHUNKED + b"%x\r\n%b" % (len(BODY), BODY),
    "no last chunk": CHUNKED + b"%x\r\n%b\r\n" % (len(BODY), BODY),
    "bad chunk size": CHUNKED + b"zz\r\n{}",
    "negative chunk": CHUNKED + b"-5\r\n{}",
    "a chunk of size -1": CHUNKED + b"-1\r\n" + b" " * 2_000_000,
    "another protocol": b"hello\r\n\r\n",
    "another version": b"HTTP/3.0 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 abc OK\r\n\r\n",
    "200 headers": HEAD + b"X: y\r\n" * 200 + b"\r\n",
    "a header of 70,000 bytes": HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    "a TLS alert": b"\x15\x03\x03\x00\x02\x02\x28",
}


def end_of(line: Line, end: str) -> None:
    """End a connection at the server in the way *end*."""
    getattr(line, end)()
    if end == "half_close":
        line.client_is_gone()


@pytest.mark.parametrize("answer", CUT_OFF.values(), ids=CUT_OFF)
@pytest.mark.parametrize("end", ["close", "half_close", "reset"])
def test_a_cut_off_answer_is_no_answer(serve: Serve, answer: bytes, end: str) -> None:
    """Cut off anywhere, in any way: the gateway told nothing, and nothing is guessed."""

    def script(line: Line) -> None:
        line.request()
        line.send(answer)
        end_of(line, end)

    server, client = serve(script)
    unavailable(client, how="connection")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [404, 503])
@pytest.mark.parametrize("end", ["close", "half_close", "reset", "pause"])
def test_an_error_whose_body_is_cut_off_has_still_told_its_status(
    serve: Serve, status: int, end: str
) -> None:
    """The part of it that came says no more than silence, so it is no JSON."""

    def script(line: Line) -> None:
        line.request()
        line.send(sized(b"{}", 99, head=UNTYPED % status + b"Retry-After: 7\r\n"))
        line.arrived()
        end_of(line, end)

    _, client = serve(script, deadline=ENOUGH)
    with pytest.raises(GatewayUnavailable) as caught:
        ask(client)
    error = caught.value
    assert (error.how, error.http_status, error.retry_after) == ("http", status, 7.0)
