"""Serves the page at the front's address: the files, and what the page asks for.

`GET /_page/state?payId=…`: all that is shown. `POST /_page/start`, `/_page/ask`, `/_page/sweep` and
`PUT /_page/faults/{name}` do what `deeds` says. The front has looked at Host, Origin and content
type before, so that a browser makes these calls for the page itself only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.packages import ROOT
from sandbox.page.actions import ActionRefused, Actions, valid
from sandbox.page.duplicate_delivery import Doubling
from sandbox.page.event_listener import Tap
from sandbox.page.inspector import Look
from sandbox.page.state import State
from sandbox.page.subscriber_view import Shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.environment import Sandbox

Answer = tuple[int, dict[str, str], bytes]

GUARDED = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_FILES = Path(__file__).with_name("files")
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
    """Answers what belongs to the page; `close` ends what it has switched on."""

    def __init__(self, sandbox: Sandbox) -> None:
        look, tap, gateway = Look(sandbox), Tap(sandbox), sandbox.gateway
        shop = Shop(sandbox.account, sandbox.subscriber) if sandbox.subscriber else None
        self._doubling = Doubling(sandbox, look, tap, shop)
        self._deeds = Actions(look.visitor, gateway, self._doubling)
        self._state = State(gateway, look, tap, shop, self._deeds, self._doubling)
        self._files = {f"{_PREFIX}{path.name}": path for path in _FILES.iterdir()}
        self._files |= {"/": _FILES / "index.html", "/docs": _FILES / "docs.html"}
        self._files["/openapi.json"] = ROOT / "events" / "openapi.json"
        self._calls: dict[str, Callable[[Any], object]] = {
            f"POST {_PREFIX}start": self._deeds.start,
            f"POST {_PREFIX}ask": self._deeds.ask,
            f"POST {_PREFIX}sweep": self._deeds.sweep,
        }

    def close(self) -> None:
        """Begin nothing more."""
        self._doubling.switch(on=False)

    def answer(self, method: str, target: str, body: bytes) -> Answer | None:
        """Status, headers and body; None where the deployed API is meant."""
        url = urlsplit(target)
        if not url.path.startswith(_PREFIX) and url.path not in self._files:
            return None
        if method == "GET" and url.path in self._files:
            return _file(self._files[url.path])
        try:
            found = self._found(method, url.path, url.query, body)
        except ActionRefused as refused:
            return _json(400, {"message": str(refused)})
        except (BotoCoreError, ClientError, OSError):
            return _json(502, {"message": "the emulator does not answer"})
        return _json(404, {"message": "not found"}) if found is None else _json(200, found)

    def _found(self, method: str, path: str, query: str, body: bytes) -> object:
        if (method, path) == ("GET", f"{_PREFIX}state"):
            told = parse_qs(query).get("payId")
            return self._state.document(valid(told[0]) if told else None)
        if method == "PUT" and path.startswith(_FAULTS):
            return self._deeds.switch(path.removeprefix(_FAULTS), _read(body))
        call = self._calls.get(f"{method} {path}")
        return call(_read(body)) if call else None


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise ActionRefused("the body must be JSON") from None


def _file(path: Path) -> Answer:
    return 200, GUARDED | {"Content-Type": _TYPES[path.suffix]}, path.read_bytes()


def _json(status: int, document: object) -> Answer:
    return status, GUARDED, json.dumps(document).encode()
