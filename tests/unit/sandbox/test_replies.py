"""Contract of the replies that the sandbox's gateway plays: what is taken, and what is refused."""

from typing import Any

import pytest

from sandbox.replies import (
    MAX_BODY_BYTES,
    InvalidPlayedReply,
    PlayedReply,
    reply_of_document,
    reply_of_file,
)

BODY = b'{"payId": "{payId}", "partnerCode": "{partnerCode}", "payRst": "success"}'
SAVED = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nRetry-After:30\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n<h1>Maintenance</h1>\r\n\r\n<p>x"
)
JSON = (("Content-Type", "application/json"),)


def test_a_body_alone_is_sent_as_json_with_200() -> None:
    """Byte for byte, also if it is not UTF-8; up to 1 MiB."""
    for body in (BODY, b"\xd6\xa7\xb8\xb6", b"", b"x" * MAX_BODY_BYTES):
        assert reply_of_file(body) == PlayedReply(200, JSON, body)


def test_what_curl_saved_has_status_headers_and_body() -> None:
    """Without the headers that described how the body came; empty lines in a body stay."""
    reply = reply_of_file(SAVED)
    assert (reply.status, reply.body) == (503, b"<h1>Maintenance</h1>\r\n\r\n<p>x")
    assert reply.sent_headers == (("Content-Type", "text/html"), ("Retry-After", "30"))


@pytest.mark.parametrize(
    ("saved", "reply"),
    [
        (b"HTTP/2 200 \r\nset-cookie: a\r\nset-cookie: b\r\n\r\n{}", (200, 2, b"{}")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oops\r\na: b\r\n\r\nno", (500, 1, b"no")),
        (b"HTTP/1.1 302 Found\nlocation: /x\n\nHTTP/1.1 200 OK\n\n{}", (200, 0, b"{}")),
        (b"HTTP/1.0 404 Not Found", (404, 0, b"")),
        (b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\n", (204, 1, b"")),
    ],
    ids=["2", "100", "redirect", "status line only", "204"],
)
def test_each_form_that_curl_prints_is_read(saved: bytes, reply: tuple[int, int, bytes]) -> None:
    """Of several answers the last one counts."""
    read = reply_of_file(saved)
    assert (read.status, len(read.headers), read.body) == reply


def test_a_body_in_the_page_may_be_what_curl_printed() -> None:
    """Its status and headers count, not those of the fields beside it."""
    document = {"status": 200, "headers": "A: b", "body": SAVED.decode()}
    assert reply_of_document(document) == reply_of_file(SAVED)


@pytest.mark.parametrize("headers", ["X-A: 1\r\n\r\nX-B:2\n", {"X-A": "1", "X-B": "2"}])
def test_headers_are_lines_or_an_object(headers: object) -> None:
    """As the page and as a program sends them."""
    reply = reply_of_document({"status": 500, "headers": headers, "body": "é"})
    assert reply == PlayedReply(500, (("X-A", "1"), ("X-B", "2")), "é".encode())


def test_placeholders_are_replaced_by_those_of_the_query() -> None:
    """All others stay."""
    request = {"payId": "own-1", "partnerCode": "P000818", "sign": "0"}
    body = PlayedReply(body=BODY + b" {sign} {payId}").body_for(request)
    expected = b'{"payId": "own-1", "partnerCode": "P000818", "payRst": "success"} {sign} own-1'
    assert body == expected


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"status": 99}, "status: must be a whole number from 200 to 599"),
        ({"status": 600}, "status: must be"),
        ({"status": "200"}, "status: must be"),
        ({"status": True}, "status: must be"),
        ({"status": None}, "status: must be"),
        (
            {"headers": {"X-A": "a\r\nX-B: b"}},
            "headers: the value of X-A must not have a line break",
        ),
        ({"headers": {"X-A": "a\nb"}}, "headers: the value of X-A must not"),
        ({"headers": {"X A": "a"}}, "headers: 'X A' is not a header name"),
        ({"headers": {"X-A": "支付"}}, "headers: the value of X-A must be Latin-1 text"),
        ({"headers": {"X-A": "a\0"}}, "headers: the value of X-A must be"),
        ({"headers": {"X-A": "a" * 65536}}, "headers: at most 65536 characters"),
        ({"headers": {"X-A": 1}}, "headers: lines of text, or an object"),
        ({"headers": ["X-A: 1"]}, "headers: lines of text, or an object"),
        ({"headers": "X-A: 1\nX-B"}, "headers: line 2 must be like `Name: value`"),
        ({"headers": "X-A: 1\n folded: x"}, "headers: line 2 must be"),
        ({"body": "x" * (MAX_BODY_BYTES + 1)}, "body: may have at most 1,048,576 bytes"),
        ({"body": {"payRst": "success"}}, "body: must be a string"),
        ({"status": 204, "body": "x"}, "body: must be empty with status 204"),
        ({"payRst": "success"}, "reply: an object with status, headers and body"),
        (["x"], "reply: an object"),
        ({"body": "HTTP/1.1 OK\r\n\r\n"}, "status: the first line must be like `HTTP/1.1 200 OK`"),
        ({"body": "HTTP/1.1 99 No\r\n\r\n"}, "status: must be a whole number"),
        ({"body": "HTTP/1.1 200 OK\r\nno header\r\n\r\n"}, "headers: line 1 must be"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_invalid_reply_is_refused_with_the_field_and_the_rule(document: Any, text: str) -> None:
    """The gateway could not send it, or not so that it means the same."""
    with pytest.raises(InvalidPlayedReply) as refused:
        reply_of_document(document)
    assert str(refused.value).startswith(text)
