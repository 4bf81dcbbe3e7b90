"""`apiUrl`: signs each call and forwards it to the deployed API, which rejects unsigned calls.

It signs for every caller, so it listens on loopback only, and rejects what a web page of another
origin could send: another Host, another Origin, a body that is not declared as JSON.
"""

import http.client
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from sandbox.credentials import REGION, Credentials
from sandbox.page.pages import Pages

MAX_BODY_BYTES = 1024 * 1024
_FORWARDED_HEADERS = ("Content-Type", "Retry-After", "Allow", "Cache-Control")
_TIMEOUT_SECONDS = 40


class PortUnavailable(Exception):
    """Nobody can listen on the port, for the reason in the message."""


class Refusal(NamedTuple):
    """Why a call is not forwarded."""

    status: int
    text: str


class SigningProxy:
    """Is bound to `url` from the start, responds after `start`, and ends with `close`."""

    def __init__(self, port: int) -> None:
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise PortUnavailable(
                f"port {port}: {error.strerror}: choose another with PORT=…"
            ) from error
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread: Thread | None = None

    def start(self, caller: Credentials, api_id: str) -> None:
        """Forward calls to the API *api_id* from now on, signed with *caller*'s keys."""
        self._server.forward_to(caller, api_id)
        self._thread = Thread(
            target=self._server.serve_forever, args=(0.05,), name="signing-proxy", daemon=True
        )
        self._thread.start()

    def serve_pages(self, pages: Pages) -> None:
        """Serve *pages* at the same address from now on."""
        self._server.pages = pages

    def close(self) -> None:
        """Stop listening."""
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def own_hosts(port: int) -> list[str]:
    """What Host may be for a server at *port* of this machine.

    Clients leave out the port of the scheme (RFC 9110, 4.2.3).
    """
    names = ["127.0.0.1", "localhost"]
    return [f"{name}:{port}" for name in names] + (names if port == http.client.HTTP_PORT else [])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_port = False
    pages: Pages | None = None

    def forward_to(self, caller: Credentials, api_id: str) -> None:
        self.endpoint = caller.endpoint
        self.base = f"/_aws/execute-api/{api_id}"
        key = BotocoreCredentials(caller.access_key_id, caller.secret_access_key)
        self.signer = SigV4Auth(key, "execute-api", REGION)
        self.hosts = own_hosts(self.server_port)

    def handle_error(self, *call: Any) -> None:
        """Ignore a client that has disconnected; print all else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*call)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = 60

    def _serve(self) -> None:
        refusal = self._refusal()
        if refusal:
            self.close_connection = True  # the body is not read
            self._respond(refusal.status, {}, json.dumps({"message": refusal.text}).encode())
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        page = self.server.pages and self.server.pages.respond(self.command, self.path, body)
        try:
            self._respond(*(page or self._forward(body)))
        except (OSError, http.client.HTTPException):
            self._respond(502, {}, b'{"message": "the emulator does not respond"}')

    do_GET = do_PUT = do_POST = _serve  # noqa: N815  the names that http.server looks for

    def _refusal(self) -> Refusal | None:
        headers = self.headers
        if headers.get("Host") not in self.server.hosts:
            return Refusal(403, "Host must be 127.0.0.1 or localhost, with the port")
        if headers.get("Origin", "") not in ["", *(f"http://{host}" for host in self.server.hosts)]:
            return Refusal(403, "calls from web pages of another origin are not allowed")
        if not headers.get("Content-Length", "0").isdecimal() or "Transfer-Encoding" in headers:
            return Refusal(411, "send the body with its Content-Length")
        return self._body_refusal(int(headers.get("Content-Length", "0")))

    def _body_refusal(self, length: int) -> Refusal | None:
        if length > MAX_BODY_BYTES:
            return Refusal(413, f"the body may have at most {MAX_BODY_BYTES} bytes")
        if length and self.headers.get_content_type() != "application/json":
            return Refusal(415, "declare the body as JSON: -H 'content-type: application/json'")
        return None

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        content_type = {"Content-Type": self.headers["Content-Type"]} if body else {}
        url = self.server.endpoint + self.server.base + self.path
        request = AWSRequest(self.command, url, content_type, body)
        self.server.signer.add_auth(request)
        connection = http.client.HTTPConnection(
            self.server.endpoint.removeprefix("http://"), timeout=_TIMEOUT_SECONDS
        )
        try:
            path = self.server.base + self.path
            connection.request(self.command, path, body, dict(request.headers.items()))
            response = connection.getresponse()
            found = response.headers
            headers = {name: found[name] for name in _FORWARDED_HEADERS if name in found}
            return response.status, headers, response.read()
        finally:
            connection.close()

    def _respond(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        defaults = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in (defaults | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing: the demo prints what happens."""
