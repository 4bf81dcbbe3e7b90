"""A server on loopback that answers with JSON: what plays the gateway, AWS, an issuer of tokens."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Request(NamedTuple):
    """What was asked; *client* differs by connection."""

    path: str
    headers: Message
    body: bytes
    client: object


@contextmanager
def json_server(
    answer: Callable[[Request], tuple[int, Any]],
    *,
    port: int = 0,
    context: ssl.SSLContext | None = None,
    keep_alive: bool = False,
) -> Iterator[str]:
    """Yield the URL of a server that listens until the end of the block; TLS with a *context*.

    *answer* returns the status and the document for a GET or a POST. *port* 0: any free one.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if keep_alive else "HTTP/1.0"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.path, self.headers, body, self.client_address)
            status, document = answer(request)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815 - the name that http.server calls

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
