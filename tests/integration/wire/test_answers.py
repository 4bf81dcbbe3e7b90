"""Answers, whole and broken, over real sockets."""

import datetime as dt

import pytest

from payresult.errors import GatewayError, GatewayUnavailable, InvalidReply
from tests.integration.wire.serving import (
    BODY,
    FIELDS,
    GOOD,
    NOW,
    SHORT,
    Serve,
    answering,
    ask,
    unavailable,
)
from tests.support.fault_server import HEAD, Line

NOTHING, JSON = GatewayUnavailable, InvalidReply


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


HTML = b"<html>under maintenance</html>"
TEXT = b"HTTP/1.1 %d No\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b"


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        pytest.param(HEAD + b"Content-Length: 0\r\n\r\n", 200, NOTHING, id="empty body"),
        pytest.param(
            HEAD + b"Content-Length: 100000\r\n\r\n" + b" " * 100_000, 200, NOTHING, id="large"
        ),
        pytest.param(
            HEAD + b"Connection: close\r\n\r\n" + b" " * 100_000,
            200,
            NOTHING,
            id="large, no length",
        ),
        pytest.param(
            HEAD
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + (b"2000\r\n" + b" " * 8192 + b"\r\n") * 9,
            200,
            NOTHING,
            id="large, chunked",
        ),
        pytest.param(
            HEAD + b"Content-Length: 65537\r\n\r\n" + BODY.ljust(65_537),
            200,
            NOTHING,
            id="a byte too many",
        ),
        pytest.param(
            HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
            200,
            NOTHING,
            id="gzip",
        ),
        pytest.param(TEXT % (200, len(HTML), HTML), 200, NOTHING, id="maintenance page"),
        pytest.param(TEXT % (403, len(HTML), HTML), 403, NOTHING, id="403 in HTML"),
        pytest.param(TEXT % (404, len(HTML), HTML), 404, NOTHING, id="404 in HTML"),
        pytest.param(TEXT % (404, 2, b"{}"), 404, JSON, id="404 in JSON"),
        pytest.param(TEXT % (200, len(BODY), BODY), 200, JSON, id="JSON as HTML"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, JSON, id="no content type"
        ),
        pytest.param(
            HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 200, NOTHING, id="odd coding"
        ),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 204, NOTHING, id="204"),
        pytest.param(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", 201, JSON, id="201"),
        pytest.param(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, NOTHING, id="404"
        ),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n", 103, NOTHING, id="103"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, NOTHING, id="101"),
    ],
)
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


@pytest.mark.parametrize(
    "content_type",
    [b"", b"Content-Type: text/plain;charset=UTF-8\r\n", b"Content-Type: text/json\r\n"],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_reply_as_plain_text_and_with_a_byte_order_mark_is_read(
    serve: Serve, content_type: bytes, mark: bytes
) -> None:
    """As other gateways were seen to send theirs."""
    server, client = serve(answering(mark + BODY, b"HTTP/1.1 200 OK\r\n" + content_type))
    assert [ask(client).fields, ask(client).fields] == [FIELDS, FIELDS]
    assert server.connections == 1


def test_a_body_over_the_limit_is_not_read_on(serve: Serve) -> None:
    """The client leaves while the server still has most of 100 MB to send."""

    def script(line: Line) -> None:
        line.request()
        line.send(HEAD + b"Content-Length: 100000000\r\n\r\n")
        for _ in range(1_000):
            line.send(b" " * 100_000)

    server, client = serve(script)
    with pytest.raises(GatewayUnavailable, match="larger than 65536 bytes"):
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

    def script(line: Line) -> None:
        line.request()
        line.send(b"HTTP/1.1 %d No\r\n%bContent-Length: 99\r\n\r\n" % (status, retry))
        line.pause()

    server, client = serve(script, deadline=SHORT)
    with pytest.raises(GatewayUnavailable, match=f"HTTP {status}") as caught:
        ask(client)
    assert caught.value.how == "http"
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
        line.send(b"HTTP/1.1 %d No\r\nRetry-After: 7\r\nContent-Length: 99\r\n\r\n{}" % status)
        line.arrived()
        getattr(line, end)()
        if end == "half_close":
            line.client_is_gone()

    _, client = serve(script, deadline=SHORT)
    with pytest.raises(GatewayUnavailable) as caught:
        ask(client)
    error = caught.value
    assert (error.how, error.http_status, error.retry_after) == ("http", status, 7.0)
