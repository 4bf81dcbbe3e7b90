"""C16, the API's contract: schemathesis tests it against its OpenAPI document, on loopback.

The api handler is behind a server that does what API Gateway does: it routes requests, decodes
paths, encodes bodies, requires the header AUTHORIZATION, and responds with 403, 404 and 413.
"""

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fault_injection.results import Run
from tests.support.moto_deployment import Deployment, running
from tests.support.samples import GET, PUT, QUERY, SAMPLES, WAIT, sample
from tests.support.template import ROOT

DOCUMENT = ROOT / "events" / "openapi.json"
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=made-up"
MAX_BODY_BYTES = 10 * 1024 * 1024
_TEXT_TYPES = ("application/json", "application/javascript", "application/xml")
_NOT_FOUND = {"statusCode": 404, "body": json.dumps({"message": "Not Found"})}
_FORBIDDEN = {"statusCode": 403, "body": json.dumps({"message": "Forbidden"})}
_TOO_LARGE = {"statusCode": 413, "body": json.dumps({"message": "Request Entity Too Large"})}

WAITING = (200, {"payRst": "waiting"})

ResponseDocument = dict[str, Any]
"""What the handler returns to API Gateway."""

ResponseFilter = Callable[[ResponseDocument], ResponseDocument]

# Excluded because API Gateway responds before the handler: with 403 where schemathesis expects 401
# for a missing Authorization, and with 404 for a method without a route.
EXCLUDED_CHECKS = "missing_required_header,unsupported_method"


def unmodified(response: ResponseDocument) -> ResponseDocument:
    """Return the handler's response as it is."""
    return response


def accept_bad_requests(response: ResponseDocument) -> ResponseDocument:
    """Replace the status 400 with 200: a control."""
    return response | {"statusCode": 200} if response["statusCode"] == 400 else response


def add_undocumented_field(response: ResponseDocument) -> ResponseDocument:
    """Add a field that the OpenAPI document does not have: a control."""
    body = json.loads(response["body"]) | {"checks": "many"}
    return response | {"body": json.dumps(body)}


def _refuse_decimals_as_a_conflict(response: ResponseDocument) -> ResponseDocument:
    """Replace the 400 for an amount with too many decimals for its currency with 409.

    That is a rule between two fields. The document states it in words, so schemathesis would take
    its 400 for the refusal of a valid request.
    """
    refused = response["statusCode"] == 400 and " decimals (" in response["body"]
    return response | {"statusCode": 409} if refused else response


def check_document(run: Run) -> None:
    """Run so many cases for each operation and phase: examples, coverage, fuzzing, stateful."""

    def changed(response: ResponseDocument) -> ResponseDocument:
        return (run.design or unmodified)(_refuse_decimals_as_a_conflict(response))

    with serve_api(changed) as url, tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        done = subprocess.run(  # noqa: S603 - a fixed command
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", str(DOCUMENT), "--no-color"),
                *("--url", url, "--header", f"Authorization: {AUTHORIZATION}"),
                *("--checks", "all", "--exclude-checks", EXCLUDED_CHECKS, "--continue-on-failure"),
                *("--max-examples", str(run.size), "--seed", str(run.rng.randrange(1 << 31))),
                *("--report", "json", "--report-json-path", str(report)),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        cases = json.loads(report.read_text(encoding="utf-8"))["test_cases"]
    run.tries = cases["generated"]
    run.problems += [done.stdout[-3000:]] if done.returncode else []


@contextmanager
def serve_api(change: ResponseFilter = unmodified) -> Iterator[str]:
    """Yield the URL of the API. Half of all payments are paid; *change* modifies the responses."""
    with running() as world, ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        world.gateway.answers = _HalfPaid()
        _Handler.api = _Api(world, world.app("api"), change)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _HalfPaid(dict[str, Any]):
    """The gateway's responses by payId: about every second payId is not paid yet."""

    def get(self, key: str, default: Any = None) -> Any:
        return WAITING if sum(key.encode()) % 2 else default


class _Api(NamedTuple):
    world: Deployment
    app: ModuleType
    change: ResponseFilter

    def respond(self, event: dict[str, Any]) -> ResponseDocument:
        self.world.now += 10
        return self.change(self.app.handler(event, None))


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[_Api]
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        response = _error(self, body) or self.api.respond(_event(self, body))
        content = response["body"].encode()
        self.send_response(response["statusCode"])
        headers = {"Content-Type": "application/json"} | response.get("headers", {})
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = _serve  # noqa: N815 - as http.server
    do_HEAD = do_TRACE = do_QUERY = _serve  # noqa: N815 - looks for them

    def log_message(self, *_: object) -> None:
        """Write no log."""


def _error(request: BaseHTTPRequestHandler, body: bytes) -> ResponseDocument | None:
    """Return the error with which API Gateway responds without the handler, if any."""
    if _route(request) is None:
        return _NOT_FOUND
    if request.headers.get("Authorization") != AUTHORIZATION:
        return _FORBIDDEN
    return _TOO_LARGE if len(body) > MAX_BODY_BYTES else None


def _route(request: BaseHTTPRequestHandler) -> str | None:
    path = urlsplit(request.path).path
    if path == "/payments/query" and request.command == "POST":
        return QUERY
    _, first, *rest = path.split("/")
    if first != "payments" or not rest or not rest[0]:
        return None
    routes = {("GET",): GET, ("PUT",): PUT, ("GET", "wait"): WAIT}
    return routes.get((request.command, *rest[1:]))


def _event(request: BaseHTTPRequestHandler, body: bytes) -> dict[str, Any]:
    """Return the event that API Gateway sends to the function (payload format 2.0)."""
    route = _route(request)
    assert route is not None
    url = urlsplit(request.path)
    event = sample(SAMPLES[route]) | {"rawPath": unquote(url.path), "rawQueryString": url.query}
    if route != QUERY:
        event["pathParameters"] = {"payId": unquote(url.path.split("/")[2])}
    typed = parse_qs(url.query, keep_blank_values=True)
    event["queryStringParameters"] = {name: ",".join(values) for name, values in typed.items()}
    return event | {"headers": dict(request.headers.items())} | _body(request, body)


def _body(request: BaseHTTPRequestHandler, body: bytes) -> dict[str, Any]:
    """Return the event's body: text as it is, everything else in base64, None for an empty one."""
    if not body:
        return {"body": None, "isBase64Encoded": False}
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        if kind in _TEXT_TYPES or kind.startswith("text/"):
            return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
