"""A gateway on loopback that answers `POST /resultQuery` as the provider's page describes.

It shares no code with payresult, so that its validation of requests is independent. The answer
comes from the payId or a script (`scenarios`), or is one that a user plays (`replies`). Control
paths: see `gateway_control`.
"""

import json
import socket
import struct
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Self

from sandbox.gateway_control import ALL, Call, control
from sandbox.provider import reply_to, verdict_on
from sandbox.replies import MAX_BODY_BYTES, MAX_HEAD_CHARACTERS, Headers, PlayedReply
from sandbox.scenarios import Scenario, scenario_of_pay_id

SLOW_SECONDS = 8.0
_MAX_CALL_BYTES = 6 * (MAX_BODY_BYTES + MAX_HEAD_CHARACTERS)
"""JSON writes a byte with up to six characters (RFC 8259, 7)."""

_JSON = (("Content-Type", "application/json;charset=UTF-8"),)
_HTML = (("Content-Type", "text/html"),)
_FAILURES: dict[str, tuple[int, bytes, Headers]] = {
    "failing": (500, b'{"message": "internal error"}', _JSON),
    "busy": (429, b'{"message": "too many requests"}', (*_JSON, ("Retry-After", "2"))),
    "nonsense": (200, b"<html>under maintenance</html>", _HTML),
    "unclear": (200, b'{"operateCode": "E", "message": "system busy"}', _JSON),
}


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request: when (epoch seconds), whether it was valid, and how it was answered."""

    at: float
    payId: str  # noqa: N815  the provider's name, and the name in the JSON of /_requests
    verdict: str
    answer: str
    sign: str
    status: int | None = None
    """The HTTP status of a reply that was played."""


class SimulatedGateway:
    """The gateway at `url` while it is entered.

    With `down` it resets each connection, with `maintenance` it sends an HTML page with HTTP 200.
    """

    def __init__(self, port: int = 0) -> None:
        self.down = False
        self.maintenance = False
        self.closing = Event()
        self._lock = Lock()
        self._scenarios: dict[str, Scenario] = {}
        self._replies: dict[str, PlayedReply] = {}
        self._requests: list[RecordedRequest] = []
        self._server = _Server(self, port)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(
            target=self._server.serve_forever, args=(0.05,), name="gateway", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def script(self, pay_id: str, scenario: Scenario) -> None:
        """Use *scenario* for *pay_id* from now on."""
        with self._lock:
            self._scenarios[pay_id] = scenario

    def play(self, pay_id: str, reply: PlayedReply) -> None:
        """Answer each query about *pay_id* (ALL: about any payment) with *reply* from now on."""
        with self._lock:
            self._replies[pay_id] = reply

    def clear(self, pay_id: str) -> None:
        """Play the reply of *pay_id* no longer, or (ALL) the one for all payments."""
        with self._lock:
            self._replies.pop(pay_id, None)

    def replies(self) -> dict[str, PlayedReply]:
        """The replies that are played now, by payId or ALL."""
        with self._lock:
            return dict(self._replies)

    def requests(self, pay_id: str | None = None) -> list[RecordedRequest]:
        """The requests so far, oldest first: all, or those for *pay_id*."""
        with self._lock:
            return [each for each in self._requests if pay_id in (None, each.payId)]

    def decide(self, request: Any) -> tuple[RecordedRequest, PlayedReply | None]:
        """Choose the answer to *request* and record both; a reply if the answer is `played`."""
        verdict = verdict_on(request)
        fields = request if isinstance(request, dict) else {}
        pay_id, sign = str(fields.get("payId")), str(fields.get("sign"))
        with self._lock:
            reply = self._replies.get(pay_id) or self._replies.get(ALL)
            answer = "rejected" if verdict != "ok" else self._answer(pay_id, played=bool(reply))
            reply = reply if answer == "played" else None
            status = reply.status if reply else None
            recorded = RecordedRequest(time.time(), pay_id, verdict, answer, sign, status)
            self._requests.append(recorded)
        return recorded, reply

    def _answer(self, pay_id: str, *, played: bool) -> str:
        if self.down:
            return "refusing"
        if self.maintenance:
            return "nonsense"
        if played:
            return "played"
        check = 1 + sum(each.payId == pay_id for each in self._requests)
        return (self._scenarios.get(pay_id) or scenario_of_pay_id(pay_id)).at(check)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, gateway: SimulatedGateway, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.gateway = gateway

    def handle_error(self, *_: object) -> None:
        """Ignore a client that has disconnected."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: two would wait for a delayed acknowledgement
    timeout = 60

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path != "/resultQuery":
            self._send_json(404, {"message": "not found"})
            return
        request = _parsed(body)
        recorded, reply = self.server.gateway.decide(request)
        if reply:
            self._send(reply.status, reply.body_for(request), reply.sent_headers)
        else:
            self._answer(request, recorded)

    def _answer(self, request: Any, recorded: RecordedRequest) -> None:
        if recorded.answer == "refusing":
            self._reset()
        elif recorded.answer in _FAILURES:
            self._send(*_FAILURES[recorded.answer])
        elif recorded.answer == "rejected":
            self._send_json(200, {"operateCode": "E", "message": recorded.verdict})
        else:
            if recorded.answer == "slow":
                self.server.gateway.closing.wait(SLOW_SECONDS)
            self._send_json(200, reply_to(request, recorded.answer))

    def _control(self) -> None:
        body = self._body()
        if body is not None:
            call = Call(self.command, self.path, self.headers.get_content_type(), body)
            self._send_json(*control(self.server.gateway, call))

    do_GET = do_PUT = do_DELETE = _control  # noqa: N815  the names that http.server looks for

    def _body(self) -> bytes | None:
        """The body; None if the call was refused: it is too large, or does not say its length."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send_json(411, {"message": "send the body with its Content-Length"})
            return None
        if int(length) <= _MAX_CALL_BYTES:
            return self.rfile.read(int(length))
        # Read to its end: a client that is still sending does not see the answer.
        for start in range(0, int(length), _MAX_CALL_BYTES):
            self.rfile.read(min(_MAX_CALL_BYTES, int(length) - start))
        self._send_json(413, {"message": f"body: may have at most {MAX_BODY_BYTES:,} bytes"})
        return None

    def _send_json(self, status: int, body: object) -> None:
        self._send(status, json.dumps(body).encode(), _JSON)

    def _send(self, status: int, body: bytes, headers: Headers) -> None:
        """Send exactly these headers and where the body ends: a played reply has no others."""
        self.send_response_only(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        """Close the connection with a TCP reset instead of a response."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """The requests are recorded instead."""


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
