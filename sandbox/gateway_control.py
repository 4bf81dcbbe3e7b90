"""The control paths of the simulated gateway: what tests and users switch, and what it recorded.

* `PUT /_replies/{payId}`, or `PUT /_replies` for every payId: play a reply until it is cleared.
  The body is a file (a reply's body, or what `curl -i` saved), or, with the content type
  `application/json`, `{"status"?, "headers"?, "body"?}`; see `replies`.
* `DELETE` of these: clear it. `GET /_replies`: what is played.
* `PUT /_scenarios/{payId}` `{"answer": "pending", "paidAtCheck": 3}`: see `scenarios`.
* `PUT /_down` `true` or `false`. `GET /_requests?payId=…`: the requests so far.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.replies import InvalidPlayedReply, reply_of_document, reply_of_file
from sandbox.scenarios import scenario_of_script

if TYPE_CHECKING:
    from sandbox.gateway import SimulatedGateway

ALL = "*"
"""Stands for every payId: no payId has this character."""

_SCENARIOS, _REPLIES = "/_scenarios/", "/_replies"
_PATHS = """\
PUT /_replies/{payId}, /_replies, /_scenarios/{payId} or /_down; \
DELETE /_replies/{payId} or /_replies; GET /_replies or /_requests"""

Answer = tuple[int, object]
"""Status and JSON body."""


class Call(NamedTuple):
    """A call of a control path."""

    method: str
    target: str
    content_type: str
    body: bytes


def control(gateway: SimulatedGateway, call: Call) -> Answer:
    """Do what *call* asks for."""
    url = urlsplit(call.target)
    path, pay_ids = url.path, parse_qs(url.query).get("payId", [None])
    try:
        if path == _REPLIES or path.startswith(f"{_REPLIES}/"):
            return _reply(gateway, unquote(path[len(_REPLIES) + 1 :]) or ALL, call)
        if call.method == "PUT":
            return _put(gateway, path, _parsed(call.body))
    except ValueError as error:
        return 400, {"message": str(error)}
    if (call.method, path) == ("GET", "/_requests"):
        return 200, [asdict(each) for each in gateway.requests(pay_ids[0])]
    return 404, {"message": _PATHS}


def _reply(gateway: SimulatedGateway, pay_id: str, call: Call) -> Answer:
    if call.method == "PUT":
        if call.content_type == "application/json":
            reply = reply_of_document(_parsed(call.body))
        else:
            reply = reply_of_file(call.body)
        gateway.play(pay_id, reply)
    elif call.method == "DELETE":
        gateway.clear(pay_id)
    return 200, {"playing": played(gateway)}


def played(gateway: SimulatedGateway) -> list[dict[str, Any]]:
    """What is played now: payId (ALL: every one), status, headers as sent, bytes of the body."""
    return [
        {
            "payId": pay_id,
            "status": reply.status,
            "headers": [f"{name}: {value}" for name, value in reply.sent_headers],
            "bodyBytes": len(reply.body),
        }
        for pay_id, reply in sorted(gateway.replies().items())
    ]


def _put(gateway: SimulatedGateway, path: str, body: Any) -> Answer:
    if path == "/_down" and isinstance(body, bool):
        gateway.down = body
        return 200, {"down": body}
    if path.startswith(_SCENARIOS) and isinstance(body, dict):
        scenario = scenario_of_script(body)
        gateway.script(path.removeprefix(_SCENARIOS), scenario)
        return 200, asdict(scenario)
    return 404, {"message": _PATHS}


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise InvalidPlayedReply("body", "must be JSON") from None
