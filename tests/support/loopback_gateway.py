"""A gateway on loopback that says what it is told to, payId by payId."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

PAID = {
    "orderPeriod": "1",
    "packageType": "2",
    "payAmount": "$19.99",
    "payResultDate": "2020-09-17 18:11:10",
    "payRst": "success",
    "servicePlanShowName": "Singapore 2G 30-Days",
}
"""What it says of a payment unless told otherwise: the provider's example, with a readable plan."""


@dataclass
class Gateway:
    """*answers* are HTTP status and fields by payId; to the latter it adds what it was asked."""

    url: str = ""
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def running() -> Iterator[Gateway]:
    """A gateway that listens until the end of the block."""
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            gateway.asked.append(request["payId"])
            status, fields = gateway.answers.get(request["payId"], (200, PAID))
            echo = {name: request[name] for name in ("partnerCode", "payId")}
            body = json.dumps(echo | fields).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: what was asked is in ``asked``."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        gateway.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join()
