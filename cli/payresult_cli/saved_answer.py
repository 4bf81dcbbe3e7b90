"""Reads an answer of the gateway from a file: the body, or what ``curl -i`` saved. Pure."""

import re

from payresult.gateway.protocol import MAX_BODY, HttpResponse
from payresult_cli.errors import CommandError

MAX_BYTES = 1_048_576
"""Of a file. More than the client reads of an answer means nothing to it."""

_STATUS_LINE = re.compile(rb"HTTP/[0-9](?:\.[0-9])? ([0-9]{3})(?: [^\r\n]*)?\r?\n")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


def parse_answer(data: bytes) -> HttpResponse:
    """Return the response in *data*.

    Of several heads (100 Continue, a proxy, a redirect) the last counts. A body without a head
    is judged as HTTP 200 without headers. CommandError where the head does not end.
    """
    status, headers = 200, dict[str, str]()
    while match := _STATUS_LINE.match(data):
        # From the end of the status line's text, for a head may have no headers.
        end = _END_OF_HEAD.search(data, match.end(1))
        if end is None:
            raise CommandError(
                "the file has a status line, but no empty line after the headers:"
                " save the whole answer, with `curl -i`"
            )
        status = int(match[1])
        headers = _headers(data[match.end() : end.start()])
        data = data[end.end() :]
    return HttpResponse(status, headers, data[: MAX_BODY + 1])


def _headers(head: bytes) -> dict[str, str]:
    """Return the headers as the client does: names in lower case, the last of equal ones."""
    lines = head.decode("latin-1").splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
