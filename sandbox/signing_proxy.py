"""`apiUrl`: lets plain curl call the deployed API, which never answers an unsigned call.

It signs for whoever calls, so it listens on loopback only and refuses what a web page could
send without being asked: a foreign Host, a foreign Origin, a body that is not declared as JSON.
"""

import http.client
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.credentials import REGION, Account
from sandbox.page.pages import Pages

MOST_BYTES = 1024 * 1024
_PASSED_ON = ("Content-Type", "Retry-After", "Allow", "Cache-Control")
_SECONDS = 40


class PortInUse(Exception):
    """Somebody listens on the front's port already."""


class Refusal(NamedTuple):
    """Why a call is not passed on."""

    status: int
    text: str


class Front:
    """Listens at `url` from the start, and answers once `serve` is called; `close` ends it."""

    def __init__(self, port: int) -> None:
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise PortInUse(
                f"port {port} is in use: stop what listens there, or choose another with PORT=…"
            ) from error
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread: Thread | None = None

    def serve(self, caller: Account, api_id: str) -> None:
        """From now on pass on what comes in to the API *api_id*, signed with *caller*'s keys."""
        self._server.aim(caller, api_id)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def show(self, pages: Pages) -> None:
        """From now on answer what belongs to the page, at the same address."""
        self._server.pages = pages

    def close(self) -> None:
        """Stop listening."""
        if self._thread:
            self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_port = False
    pages: Pages | None = None

    def aim(self, caller: Account, api_id: str) -> None:
        self.endpoint = caller.endpoint
        self.base = f"/_aws/execute-api/{api_id}"
        credentials = Credentials(caller.access_key_id, caller.secret_access_key)
        self.signer = SigV4Auth(credentials, "execute-api", REGION)
        self.hosts = [f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")]

    def handle_error(self, *_: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = 60

    def _serve(self) -> None:
        refusal = self._refusal()
        if refusal:
            self.close_connection = True  # its body is still unread
            self._answer(refusal.status, {}, json.dumps({"message": refusal.text}).encode())
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        shown = self.server.pages and self.server.pages.answer(self.command, self.path, body)
        try:
            self._answer(*(shown or self._forwarded(body)))
        except OSError:
            self._answer(502, {}, b'{"message": "the emulator does not answer"}')

    do_GET = do_PUT = do_POST = _serve  # noqa: N815  the names that http.server looks for

    def _refusal(self) -> Refusal | None:
        headers = self.headers
        if headers.get("Host") not in self.server.hosts:
            return Refusal(403, "this front answers to 127.0.0.1 and localhost only")
        if headers.get("Origin", "") not in ["", *(f"http://{host}" for host in self.server.hosts)]:
            return Refusal(403, "this front does not answer to other web pages")
        if not headers.get("Content-Length", "0").isdecimal() or "Transfer-Encoding" in headers:
            return Refusal(411, "send the body with its Content-Length")
        return self._body_refusal(int(headers.get("Content-Length", "0")))

    def _body_refusal(self, length: int) -> Refusal | None:
        if length > MOST_BYTES:
            return Refusal(413, f"a body may have {MOST_BYTES} bytes")
        if length and self.headers.get_content_type() != "application/json":
            return Refusal(415, "say that the body is JSON: -H 'content-type: application/json'")
        return None

    def _forwarded(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        kind = {"Content-Type": self.headers["Content-Type"]} if body else {}
        url = self.server.endpoint + self.server.base + self.path
        request = AWSRequest(self.command, url, kind, body)
        self.server.signer.add_auth(request)
        connection = http.client.HTTPConnection(
            self.server.endpoint.removeprefix("http://"), timeout=_SECONDS
        )
        try:
            path = self.server.base + self.path
            connection.request(self.command, path, body, dict(request.headers.items()))
            answer = connection.getresponse()
            headers = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
            return answer.status, headers, answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        content = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in (content | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The story tells what is worth telling."""
