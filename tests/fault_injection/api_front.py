"""The HTTP API without AWS: what API Gateway does around the api handler, on loopback.

It routes, decodes paths, encodes bodies and lets nobody in without the Authorization that it
made up. What it does not know it answers as API Gateway does: 403, 404, 413.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import ModuleType
from typing import Any, ClassVar, NamedTuple
from urllib.parse import unquote, urlsplit

from tests.contract.documents.answers import GET, PUT, QUERY, SAMPLES, sample
from tests.contract.documents.world import World, running

AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=made-up"
MOST_BYTES = 10 * 1024 * 1024
_TEXT = ("application/json", "application/javascript", "application/xml")
_NOT_FOUND = {"statusCode": 404, "body": json.dumps({"message": "Not Found"})}
_FORBIDDEN = {"statusCode": 403, "body": json.dumps({"message": "Forbidden"})}
_TOO_LARGE = {"statusCode": 413, "body": json.dumps({"message": "Request Entity Too Large"})}

WAITING = (200, {"payRst": "waiting"})


Answer = dict[str, Any]
Change = Callable[[Answer], Answer]


def ours(answer: Answer) -> Answer:
    """Leave the handler's answer as it is."""
    return answer


@contextmanager
def front(change: Change = ours) -> Iterator[str]:
    """The address of the API; half of all payments are never paid. *change* spoils the answers."""
    with running() as world, ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        world.gateway.answers = _Half()
        _Handler.api = _Api(world, world.app("api"), change)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Half(dict[str, Any]):
    """The gateway's answers: every other payId is not paid yet."""

    def get(self, key: str, default: Any = None) -> Any:
        return WAITING if sum(key.encode()) % 2 else default


class _Api(NamedTuple):
    world: World
    app: ModuleType
    change: Change

    def answer(self, event: dict[str, Any]) -> Answer:
        self.world.now += 10
        return self.change(self.app.handler(event, None))


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[_Api]
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = _refusal(self, body) or self.api.answer(_event(self, body))
        content = answer["body"].encode()
        self.send_response(answer["statusCode"])
        headers = {"Content-Type": "application/json"} | answer.get("headers", {})
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = _serve  # noqa: N815 - as http.server
    do_HEAD = do_TRACE = do_QUERY = _serve  # noqa: N815 - looks for them

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _refusal(request: BaseHTTPRequestHandler, body: bytes) -> Answer | None:
    """What API Gateway answers by itself."""
    if _route(request) is None:
        return _NOT_FOUND
    if request.headers.get("Authorization") != AUTHORIZATION:
        return _FORBIDDEN
    return _TOO_LARGE if len(body) > MOST_BYTES else None


def _route(request: BaseHTTPRequestHandler) -> str | None:
    path = urlsplit(request.path).path
    if path == "/payments/query" and request.command == "POST":
        return QUERY
    _, first, *rest = path.split("/")
    if (first, len(rest)) != ("payments", 1) or not rest[0]:
        return None
    return {"GET": GET, "PUT": PUT}.get(request.command)


def _event(request: BaseHTTPRequestHandler, body: bytes) -> dict[str, Any]:
    """What API Gateway hands to the function (payload format 2.0)."""
    route = _route(request)
    assert route is not None
    path = urlsplit(request.path).path
    event = sample(SAMPLES[route]) | {"rawPath": unquote(path)}
    if route != QUERY:
        event["pathParameters"] = {"payId": unquote(path.rpartition("/")[2])}
    return event | {"headers": dict(request.headers.items())} | _body(request, body)


def _body(request: BaseHTTPRequestHandler, body: bytes) -> dict[str, Any]:
    """Text as it is, everything else in base64; without one, the event has none."""
    if not body:
        return {"body": None, "isBase64Encoded": False}
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        if kind in _TEXT or kind.startswith("text/"):
            return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
