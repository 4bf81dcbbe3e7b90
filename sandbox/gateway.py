"""A gateway that answers `POST /resultQuery` as the provider's page shows it, on loopback.

It shares no code with payresult: what it checks of a request, it checks in its own words.
Its control paths: `PUT /_fates/{payId}` `{"answer": "pending", "paidAtCheck": 3}` (see `fates`),
`PUT /_down` `true` or `false`, and `GET /_requests?payId=…`, the requests so far.
"""

import json
import socket
import struct
import time
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from sandbox.provider import reply_to, verdict_on
from sandbox.scenarios import Fate, fate_from, fate_of

SLOW_SECONDS = 8.0
_MOST_BYTES = 65536
_JSON = {"Content-Type": "application/json;charset=UTF-8"}
_TROUBLE: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "failing": (500, b'{"message": "internal error"}', _JSON),
    "busy": (429, b'{"message": "too many requests"}', _JSON | {"Retry-After": "2"}),
    "nonsense": (200, b"<html>under maintenance</html>", {"Content-Type": "text/html"}),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One query as the gateway saw it: when (epoch seconds), by whom, and what it got."""

    at: float
    payId: str  # noqa: N815  the provider's name, and the name in the JSON of /_requests
    verdict: str
    answer: str
    sign: str


class SimulatedGateway:
    """The gateway at `url` while it is entered; `down` makes it cut every connection."""

    def __init__(self, port: int = 0) -> None:
        self.down = False
        self.closing = Event()
        self._lock = Lock()
        self._fates: dict[str, Fate] = {}
        self._seen: list[Seen] = []
        self._server = _Server(self, port)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def script(self, pay_id: str, fate: Fate) -> None:
        """Give *pay_id* a fate of its own, from now on."""
        with self._lock:
            self._fates[pay_id] = fate

    def requests(self, pay_id: str | None = None) -> list[Seen]:
        """The queries so far, oldest first: all, or those for *pay_id*."""
        with self._lock:
            return [seen for seen in self._seen if pay_id in (None, seen.payId)]

    def decide(self, request: Any) -> Seen:
        """Record a query, and say what it gets."""
        verdict = verdict_on(request)
        told = request if isinstance(request, dict) else {}
        pay_id, sign = str(told.get("payId")), str(told.get("sign"))
        with self._lock:
            check = 1 + sum(seen.payId == pay_id for seen in self._seen)
            fate = self._fates.get(pay_id) or fate_of(pay_id)
            answer = "refusing" if self.down else fate.at(check)
            got = answer if verdict == "ok" else "rejected"
            seen = Seen(time.time(), pay_id, verdict, got, sign)
            self._seen.append(seen)
        return seen


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, gateway: SimulatedGateway, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.gateway = gateway

    def handle_error(self, *_: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet, or the client waits for a delayed acknowledgement
    timeout = 60

    def do_POST(self) -> None:
        request = self._body()
        if self.path != "/resultQuery":
            self._answer(404, {"message": "not found"})
            return
        seen = self.server.gateway.decide(request)
        if seen.answer == "refusing":
            self._cut()
        elif seen.answer in _TROUBLE:
            self._send(*_TROUBLE[seen.answer])
        elif seen.answer == "rejected":
            self._answer(200, {"operateCode": "E", "message": seen.verdict})
        else:
            if seen.answer == "slow":
                self.server.gateway.closing.wait(SLOW_SECONDS)
            self._answer(200, reply_to(request, seen.answer))

    def do_PUT(self) -> None:
        body, gateway = self._body(), self.server.gateway
        if self.path == "/_down" and isinstance(body, bool):
            gateway.down = body
            self._answer(200, {"down": body})
        elif self.path.startswith("/_fates/") and isinstance(body, dict):
            try:
                fate = fate_from(body)
            except ValueError as error:
                self._answer(400, {"message": str(error)})
                return
            gateway.script(self.path.removeprefix("/_fates/"), fate)
            self._answer(200, asdict(fate))
        else:
            self._answer(404, {"message": "PUT /_down true, or PUT /_fates/{payId} {…}"})

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        pay_id = parse_qs(url.query).get("payId", [None])[0]
        if url.path == "/_requests":
            self._answer(200, [asdict(seen) for seen in self.server.gateway.requests(pay_id)])
        else:
            self._answer(404, {"message": "not found"})

    def _body(self) -> Any:
        length = min(int(self.headers.get("Content-Length") or 0), _MOST_BYTES)
        try:
            return json.loads(self.rfile.read(length))
        except ValueError:
            return None

    def _answer(self, status: int, body: object) -> None:
        self._send(status, json.dumps(body).encode(), _JSON)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        """Close with a reset, as a machine does on which nothing listens."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """The requests are recorded instead."""
