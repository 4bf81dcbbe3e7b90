"""Support: an HTTP call on loopback with exactly the headers that a test gives."""

import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sandbox.provider import sign_of

JSON = {"Content-Type": "application/json"}


class Response(NamedTuple):
    """Status, headers in their order, and body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def call(
    url: str, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Response:
    """Return the response; Host and Content-Length are added where *headers* has none."""
    address = url.removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=40)
    added = {"Host": address, "Content-Length": str(len(body))}
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in (added | dict(headers or {})).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return Response(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


def signed_query(pay_id: str) -> bytes:
    """Return the body of a valid query of the gateway about *pay_id*."""
    fields = {"partnerCode": "P000818", "payId": pay_id, "tradeTime": "1"}
    fields |= {"tradeType": "resultQuery", "version": "3.0"}
    return json.dumps(fields | {"sign": sign_of(fields)}).encode()
