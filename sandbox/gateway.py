"""A gateway on loopback that answers `POST /resultQuery` as the provider's page describes.

It shares no code with payresult, so that its validation of requests is independent.
Control paths: `PUT /_scenarios/{payId}` `{"answer": "pending", "paidAtCheck": 3}` (see
`scenarios`), `PUT /_down` `true` or `false`, `GET /_requests?payId=…`: the requests so far.
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
from sandbox.scenarios import Scenario, scenario_of_pay_id, scenario_of_script

SLOW_SECONDS = 8.0
_SCENARIOS = "/_scenarios/"
_MAX_BODY_BYTES = 65536
_JSON = {"Content-Type": "application/json;charset=UTF-8"}
_FAILURES: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "failing": (500, b'{"message": "internal error"}', _JSON),
    "busy": (429, b'{"message": "too many requests"}', _JSON | {"Retry-After": "2"}),
    "nonsense": (200, b"<html>under maintenance</html>", {"Content-Type": "text/html"}),
}


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request: when (epoch seconds), whether it was valid, and how it was answered."""

    at: float
    payId: str  # noqa: N815  the provider's name, and the name in the JSON of /_requests
    verdict: str
    answer: str
    sign: str


class SimulatedGateway:
    """The gateway at `url` while it is entered; with `down` it resets each connection."""

    def __init__(self, port: int = 0) -> None:
        self.down = False
        self.closing = Event()
        self._lock = Lock()
        self._scenarios: dict[str, Scenario] = {}
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

    def requests(self, pay_id: str | None = None) -> list[RecordedRequest]:
        """The requests so far, oldest first: all, or those for *pay_id*."""
        with self._lock:
            return [each for each in self._requests if pay_id in (None, each.payId)]

    def decide(self, request: Any) -> RecordedRequest:
        """Choose the answer to *request* and record both."""
        verdict = verdict_on(request)
        fields = request if isinstance(request, dict) else {}
        pay_id, sign = str(fields.get("payId")), str(fields.get("sign"))
        with self._lock:
            check = 1 + sum(each.payId == pay_id for each in self._requests)
            scenario = self._scenarios.get(pay_id) or scenario_of_pay_id(pay_id)
            answer = "refusing" if self.down else scenario.at(check)
            if verdict != "ok":
                answer = "rejected"
            recorded = RecordedRequest(time.time(), pay_id, verdict, answer, sign)
            self._requests.append(recorded)
        return recorded


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
        request = self._body()
        if self.path != "/resultQuery":
            self._send_json(404, {"message": "not found"})
            return
        recorded = self.server.gateway.decide(request)
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

    def do_PUT(self) -> None:
        body, gateway = self._body(), self.server.gateway
        if self.path == "/_down" and isinstance(body, bool):
            gateway.down = body
            self._send_json(200, {"down": body})
        elif self.path.startswith(_SCENARIOS) and isinstance(body, dict):
            try:
                scenario = scenario_of_script(body)
            except ValueError as error:
                self._send_json(400, {"message": str(error)})
                return
            gateway.script(self.path.removeprefix(_SCENARIOS), scenario)
            self._send_json(200, asdict(scenario))
        else:
            self._send_json(404, {"message": "PUT /_down true, or PUT /_scenarios/{payId} {…}"})

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        pay_id = parse_qs(url.query).get("payId", [None])[0]
        if url.path == "/_requests":
            self._send_json(200, [asdict(each) for each in self.server.gateway.requests(pay_id)])
        else:
            self._send_json(404, {"message": "not found"})

    def _body(self) -> Any:
        length = min(int(self.headers.get("Content-Length") or 0), _MAX_BODY_BYTES)
        try:
            return json.loads(self.rfile.read(length))
        except ValueError:
            return None

    def _send_json(self, status: int, body: object) -> None:
        self._send(status, json.dumps(body).encode(), _JSON)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
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
