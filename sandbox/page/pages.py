"""Serves the page at the proxy's address: the static files, and the calls of its scripts.

`GET /_page/state?payId=…&show=…&find=…`: all that is shown. `POST /_page/start`, `/_page/play`,
`/_page/clear`, `/_page/query`, `/_page/wait`, `/_page/sweep` and `PUT /_page/faults/{name}`: see
`actions`. The proxy has checked Host, Origin and content type, so that a browser makes these calls
for the page itself only.
"""

from __future__ import annotations

import json
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from aws_lambda_powertools.event_handler.openapi import swagger_ui
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.client import SweepFailed
from sandbox.command_line import CommandFailed, CommandLine
from sandbox.packages import ROOT
from sandbox.page.actions import ActionRefused, Actions, valid_pay_id
from sandbox.page.duplicate_delivery import DuplicateDelivery
from sandbox.page.event_listener import EventListener
from sandbox.page.inspector import Inspector
from sandbox.page.payment_table import SHOWN, View
from sandbox.page.state import Sources, State
from sandbox.page.subscriber_view import SubscriberView

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.environment import Sandbox

PageResponse = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

SECURITY_HEADERS = {
    # Swagger UI's style sheet has its icons in data URLs.
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_FILES = Path(__file__).with_name("files")
_SWAGGER_UI = Path(swagger_ui.__file__).parent
"""Powertools ships it with its event handler, whose `enable_swagger` sends the same files."""

_FAILURES = BotoCoreError, ClientError, CommandFailed, HTTPException, json.JSONDecodeError, OSError
"""What a call raises where the emulator does not respond, or with something else than it should."""

_PREFIX = "/_page/"
_FAULTS = "/_page/faults/"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


class Pages:
    """Responds to calls that belong to the page; `close` ends its thread and its process."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._command_line = CommandLine(sandbox.credentials)
        inspector, listener = Inspector(sandbox, self._command_line), EventListener(sandbox)
        outputs = sandbox.subscriber
        subscriber = SubscriberView(sandbox.credentials, outputs) if outputs else None
        self._duplicates = DuplicateDelivery(sandbox, inspector, listener, subscriber)
        self._actions = Actions(inspector.client, sandbox.gateway, self._duplicates)
        sources = Sources(
            sandbox.gateway, inspector, listener, subscriber, self._duplicates, self._command_line
        )
        self._state = State(sources, self._actions)
        self._files = {f"{_PREFIX}{path.name}": path for path in _FILES.iterdir()}
        for name in ("swagger-ui-bundle.min.js", "swagger-ui.min.css"):
            self._files[f"{_PREFIX}{name}"] = _SWAGGER_UI / name
        self._files |= {"/": _FILES / "index.html", "/docs": _FILES / "docs.html"}
        self._files["/openapi.json"] = ROOT / "events" / "openapi.json"
        self._calls: dict[str, Callable[[Any], object]] = {
            f"POST {_PREFIX}start": self._actions.start,
            f"POST {_PREFIX}play": self._actions.play,
            f"POST {_PREFIX}clear": self._actions.clear,
            f"POST {_PREFIX}query": self._actions.query,
            f"POST {_PREFIX}wait": self._actions.wait,
            f"POST {_PREFIX}sweep": self._actions.sweep,
        }

    def close(self) -> None:
        """End the thread that sends duplicates, and the process that explains."""
        self._duplicates.switch(on=False)
        self._command_line.close()

    def respond(self, method: str, target: str, body: bytes) -> PageResponse | None:
        """The response; None if the call is for the deployed API."""
        url = urlsplit(target)
        if not url.path.startswith(_PREFIX) and url.path not in self._files:
            return None
        if method == "GET" and url.path in self._files:
            return _file_response(self._files[url.path])
        return self._call_response(method, url, body)

    def _call_response(self, method: str, url: SplitResult, body: bytes) -> PageResponse:
        try:
            document = self._document(method, url.path, url.query, body)
        except ActionRefused as refused:
            return _json_response(400, {"message": str(refused)})
        except SweepFailed as failed:
            return _json_response(502, {"message": str(failed)})
        except _FAILURES:
            return _json_response(502, {"message": "the emulator does not respond"})
        if document is None:
            return _json_response(404, {"message": "not found"})
        return _json_response(200, document)

    def _document(self, method: str, path: str, query: str, body: bytes) -> object:
        if (method, path) == ("GET", f"{_PREFIX}state"):
            return self._state.document(_view(query))
        if method == "PUT" and path.startswith(_FAULTS):
            return self._actions.switch(path.removeprefix(_FAULTS), _parsed(body))
        call = self._calls.get(f"{method} {path}")
        return call(_parsed(body)) if call else None


def _view(query: str) -> View:
    given = {name: values[-1] for name, values in parse_qs(query).items()}
    if given.get("show", "all") not in SHOWN:
        raise ActionRefused(f"show: must be one of {', '.join(SHOWN)}")
    pay_id = valid_pay_id(given["payId"]) if "payId" in given else None
    return View(pay_id, given.get("show", "all"), given.get("find", ""))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise ActionRefused("the body must be JSON") from None


def _file_response(path: Path) -> PageResponse:
    return 200, SECURITY_HEADERS | {"Content-Type": _TYPES[path.suffix]}, path.read_bytes()


def _json_response(status: int, document: object) -> PageResponse:
    return status, SECURITY_HEADERS, json.dumps(document).encode()
