"""Replies that a user gives the simulated gateway to play, and the rules that they must keep.

A reply is given as `{"status"?, "headers"?, "body"?}`, or as a file: a body, or what `curl -i`
saved. Each `{payId}` and `{partnerCode}` in the body is replaced by that of the query.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_BODY_BYTES = 1024 * 1024
"""Sixteen times what payresult reads of a reply, so that "too large" can be played."""

MAX_HEAD_CHARACTERS = 65536
_WITHOUT_BODY = (204, 304)
_FRAMING = {"connection", "content-length", "keep-alive", "transfer-encoding"}
"""Left out, for `curl` has decoded chunks, and an edited body has another length."""

_STATUS_LINE = re.compile(rb"HTTP/[0-9.]+ ([0-9]+)[^\n]*\n")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_PLACEHOLDER = re.compile(rb"\{(payId|partnerCode)\}")
_JSON = (("Content-Type", "application/json"),)

Headers = tuple[tuple[str, str], ...]


class InvalidPlayedReply(ValueError):
    """A value breaks a rule; the text names the field and the rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")


@dataclass(frozen=True, slots=True)
class PlayedReply:
    """A valid reply; InvalidPlayedReply from its constructor otherwise."""

    status: int = 200
    headers: Headers = _JSON
    body: bytes = b""

    def __post_init__(self) -> None:
        if type(self.status) is not int or not 200 <= self.status <= 599:
            raise InvalidPlayedReply("status", "must be a whole number from 200 to 599")
        if sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD_CHARACTERS:
            raise InvalidPlayedReply("headers", f"at most {MAX_HEAD_CHARACTERS} characters")
        for name, value in self.headers:
            _check_header(name, value)
        if len(self.body) > MAX_BODY_BYTES:
            raise InvalidPlayedReply("body", f"may have at most {MAX_BODY_BYTES:,} bytes")
        if self.body and self.status in _WITHOUT_BODY:
            raise InvalidPlayedReply("body", f"must be empty with status {self.status}")

    @property
    def sent_headers(self) -> Headers:
        """The headers without those that say where the body ends: the gateway sets these."""
        return tuple(pair for pair in self.headers if pair[0].lower() not in _FRAMING)

    def body_for(self, request: Mapping[str, str]) -> bytes:
        """The body that answers *request*."""
        return _PLACEHOLDER.sub(lambda found: request[found[1].decode()].encode(), self.body)


def reply_of_document(document: Any) -> PlayedReply:
    """The reply in `{"status"?, "headers"?, "body"?}`: headers an object, or lines of text.

    A body that begins with `HTTP/` is what `curl -i` printed: it has its own status and headers.
    """
    if not isinstance(document, dict) or not set(document) <= {"status", "headers", "body"}:
        raise InvalidPlayedReply("reply", "an object with status, headers and body, nothing else")
    body = document.get("body", "")
    if not isinstance(body, str):
        raise InvalidPlayedReply("body", "must be a string: write JSON as text")
    content = body.encode("utf-8", "surrogatepass")
    if content.startswith(b"HTTP/"):
        return reply_of_file(content)
    headers = _headers(document["headers"]) if "headers" in document else _JSON
    return PlayedReply(document.get("status", 200), headers, content)


def reply_of_file(content: bytes) -> PlayedReply:
    """The reply in *content*: what `curl -i` saved, or a body, which is sent as JSON with 200.

    Of several answers (100 Continue, a redirect) the last one counts.
    """
    reply = PlayedReply() if content.startswith(b"HTTP/") else PlayedReply(body=content)
    while content.startswith(b"HTTP/"):
        head, rest = _parted(content)
        first = _STATUS_LINE.match(head)
        if not first:
            raise InvalidPlayedReply("status", "the first line must be like `HTTP/1.1 200 OK`")
        status, content = int(first[1]), rest
        if not content.startswith(b"HTTP/"):
            reply = PlayedReply(status, _lines(head[first.end() :].decode("latin-1")), content)
    return reply


def _parted(content: bytes) -> tuple[bytes, bytes]:
    """The head, ending with a line break, and what follows the empty line after it."""
    end = _END_OF_HEAD.search(content)
    return (content[: end.start()] + b"\n", content[end.end() :]) if end else (content + b"\n", b"")


def _headers(given: Any) -> Headers:
    if isinstance(given, str):
        return _lines(given)
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
        raise InvalidPlayedReply("headers", "lines of text, or an object whose values are strings")
    return tuple(given.items())


def _lines(text: str) -> Headers:
    """The headers in *text*, a line each; empty lines are skipped."""
    found = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        name, colon, value = line.partition(":")
        if line and not (colon and _NAME.fullmatch(name)):
            raise InvalidPlayedReply("headers", f"line {number} must be like `Name: value`")
        if line:
            found.append((name, value.strip(" \t")))
    return tuple(found)


def _check_header(name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidPlayedReply("headers", f"{name[:40]!r} is not a header name (RFC 9110, 5.1)")
    if "\n" in value or "\r" in value:
        raise InvalidPlayedReply("headers", f"the value of {name} must not have a line break")
    if _CONTROL.search(value):
        raise InvalidPlayedReply("headers", f"the value of {name} must be Latin-1 text")
