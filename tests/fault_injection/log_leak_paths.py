"""P8: for C18 each path by which untrusted text enters payresult, with a marker in the text."""

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.support.fault_server import HEAD
from tests.support.samples import GET, PUT, QUERY, SAMPLES, WAIT, sample

PARTNER = "P000818"
PAY_ID_PLACEHOLDER = "reply-??"
"""Replaced with the payId in a reply; as long as each payId."""


class Invocation(NamedTuple):
    """An invocation of a function with *event*, and the raw HTTP reply of the gateway."""

    name: str
    function: str
    event: dict[str, Any]
    reply: bytes = b""


def invocations(text: str) -> Iterator[Invocation]:
    """Yield all invocations for a marker *text*."""
    for number, reply in enumerate(_replies(text)):
        pay_id = f"reply-{number:02}"
        yield Invocation(
            pay_id, "checks", _message({"payId": pay_id, "orderId": _plain(text)}), reply
        )
        yield Invocation(f"{pay_id}, again", "api", _request(GET, text, pay_id), reply)
        stray = f"stray-{number:02}"  # not registered, so the response has a problem
        yield Invocation(stray, "api", _request(GET, text, stray), reply)
    for number, body in enumerate(_messages(text)):
        yield Invocation(f"message-{number}", "checks", _raw_message(body))
    for number, event in enumerate(_requests(text)):
        yield Invocation(f"request-{number}", "api", event)
    for number, event in enumerate(_records(text)):
        yield Invocation(f"record-{number}", "publisher", event)
    yield Invocation("sweep", "sweeper", {"note": text})


def _replies(text: str) -> Iterator[bytes]:
    """Yield raw HTTP replies, from the status line to the last byte."""
    document = {
        "partnerCode": PARTNER,
        "payId": PAY_ID_PLACEHOLDER,
        "payRst": "success",
        "payAmount": "$1.00",
    }
    raw, line = text.encode(), _plain(text).encode()
    for fields in (
        {"servicePlanShowName": text, "sign": text, text: text},
        {"payAmount": text, "payResultDate": text, "packageType": text, "orderPeriod": text},
        {"payRst": text, "message": text},
        {"payRst": [text]},
        {"payId": text},
        {"partnerCode": text},
    ):
        yield _ok(json.dumps(document | fields).encode())
    for body in (
        b'{"payRst":"' + raw,
        b"<html>" + raw,
        b'{"' + line + b'":1,"' + line + b'":2}',
        b"\xff" + raw,
        b'["' + line * 3000 + b'"]',
        b'"' + line + b'"',
    ):
        yield _ok(body)
    yield b"HTTP/1.1 500 " + line + b"\r\nContent-Length: 0\r\nX-A: " + line + b"\r\n\r\n"
    yield b"HTTP/1.1 429 x\r\nRetry-After: " + line + b"\r\nContent-Length: 0\r\n\r\n"
    yield b"HTTP/1.1 302 x\r\nLocation: https://x/" + line + b"\r\nContent-Length: 0\r\n\r\n"
    yield b"HTTP/1.1 400 x\r\nContent-Length: %d\r\n\r\n" % len(raw) + raw
    yield b"HTTP/1.1 " + line + b"\r\n\r\n"
    yield line + b"\r\n\r\n"
    yield b"HTTP/1.1 200 OK\r\nContent-Type: " + line + b"\r\nContent-Length: 0\r\n\r\n"
    yield HEAD + b"Content-Encoding: " + line + b"\r\nContent-Length: 2\r\n\r\n{}"
    yield HEAD + line + b"\r\n bad " + line + b"\r\nContent-Length: 2\r\n\r\n{}"
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + line + b"\r\n" + line
    yield HEAD + b"Content-Length: " + line + b"\r\n\r\n" + raw
    yield HEAD + b"Content-Length: 9999\r\n\r\n" + raw


def _messages(text: str) -> Iterator[str]:
    """Yield bodies of messages."""
    yield text
    yield json.dumps({text: text})
    for fields in (
        {"payId": text},
        {"payId": "ordered", "orderId": text},
        {"payId": "ordered", "orderId": _plain(text), "expectedAmount": text},
        {"payId": "ordered", "orderId": _plain(text), "currency": text},
        {"payId": "ordered", "step": text},
        {"payId": "reply-00", "orderId": _plain(text) + "-another"},
        {"payId": "ordered", _plain(text): 1},
        {"payIds": ["ordered", text]},
        {"payIds": text},
    ):
        yield json.dumps(fields)


def _requests(text: str) -> Iterator[dict[str, Any]]:
    """Yield requests to the API."""
    yield _request(GET, text, text)
    yield _request(WAIT, text, "reply-00") | {"queryStringParameters": {"seconds": text}}
    for body in (
        text,
        json.dumps({"orderId": text}),
        json.dumps({"orderId": _plain(text), "expectedAmount": text}),
        json.dumps({"currency": text}),
        json.dumps({"orderId": _plain(text)}),
        json.dumps({"orderId": _plain(text) + "-another"}),
        json.dumps([text]),
        text * 2000,
    ):
        yield _request(PUT, text, "put") | {"body": body}
    coded = base64.b64encode(b"\xff" + text.encode()).decode()
    yield _request(PUT, text, "put") | {"body": coded, "isBase64Encoded": True}
    yield _request(PUT, text, "put") | {"body": text, "isBase64Encoded": True}
    yield _request(PUT, text, "unreadable")
    yield _request(QUERY, text) | {"body": json.dumps({"payIds": [text]})}
    yield _request(QUERY, text) | {"body": json.dumps({"payIds": ["unreadable", "reply-01"]})}
    yield {"routeKey": text}


def _records(text: str) -> Iterator[dict[str, Any]]:
    """Yield events of the table's stream."""
    image = {"payId": {"S": "reply-00"}, "eventState": {"S": "PENDING"}, "event": {"S": text}}
    for changed in ({}, {"payId": {"S": "unreadable"}}, {"payId": {"S": "unsendable"}}):
        change = {"SequenceNumber": "1", "NewImage": image | changed}
        yield {"Records": [{"dynamodb": change, "note": text}]}
    yield {"Records": [{"dynamodb": {"NewImage": {"eventState": {"S": "PENDING"}, text: text}}}]}


def _request(route: str, text: str, pay_id: str = "") -> dict[str, Any]:
    """Return a request with the marker in all parts that the handler does not use."""
    event = sample(SAMPLES[route])
    headers = {"authorization": text, "cookie": text, "user-agent": text, "x-any": text}
    event |= {"headers": event["headers"] | headers, "rawQueryString": text, "rawPath": text}
    event |= {"cookies": [text], "queryStringParameters": {"q": text}}
    return event | ({"pathParameters": {"payId": pay_id}} if pay_id else {})


def _message(body: dict[str, Any]) -> dict[str, Any]:
    return _raw_message(json.dumps(body))


def _raw_message(body: str) -> dict[str, Any]:
    return {"Records": [{"messageId": "1", "body": body, "attributes": {}}]}


def _ok(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _plain(text: str) -> str:
    """Return the first half of the marker, which is valid as an orderId or a header."""
    return text.partition('"')[0]
