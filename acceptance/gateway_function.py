"""The simulated gateway of an acceptance run: a function with an HTTPS address, without a state.

The payId says what it answers, and until when (seconds since 1970): `later1795701234-x` is paid
from then on, `down1795701234-x` gets HTTP 500 until then. `paid-x`, `wrong-x` (paid, another
amount), `never-x`, `busy-x` (HTTP 429) and `html-x` (a page) always get the same.
"""

import base64
import json
import re
import time
from typing import Any

from sandbox.provider import reply_to, verdict_on

_PAY_ID = re.compile(r"([a-z]+)(\d*)-")
_JSON = "application/json;charset=UTF-8"


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a call of the function's URL (AWS, "Invoking Lambda function URLs")."""
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    status, content_type, text = answer(event["rawPath"], raw)
    return {"statusCode": status, "headers": {"Content-Type": content_type}, "body": text}


def answer(path: str, body: bytes) -> tuple[int, str, str]:
    """Return status, content type and body of the answer to a POST."""
    request = _parsed(body)
    if path != "/resultQuery":
        return 404, _JSON, '{"message": "not found"}'
    if verdict_on(request) != "ok":
        return 200, _JSON, json.dumps({"operateCode": "E", "message": verdict_on(request)})
    name, until = _scenario(request["payId"])
    if name == "html":
        return 200, "text/html", "<html>under maintenance</html>"
    if name == "busy":
        return 429, _JSON, '{"message": "too many requests"}'
    if name == "down" and time.time() < until:
        return 500, _JSON, '{"message": "internal error"}'
    waiting = name == "never" or (name == "later" and time.time() < until)
    said = "pending" if waiting else "wrong" if name == "wrong" else "paid"
    return 200, _JSON, json.dumps(reply_to(request, said))


def _scenario(pay_id: str) -> tuple[str, int]:
    match = _PAY_ID.match(pay_id)
    return (match[1], int(match[2] or 0)) if match else ("paid", 0)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
