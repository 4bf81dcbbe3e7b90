"""The sections of `payresult probe`: lines for people, and a value for --json. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from payresult.domain.payment import to_iso8601
from payresult.domain.reply import truncate
from payresult.gateway.client import HEADERS, PATH
from payresult.gateway.protocol import HttpResponse
from payresult_cli.formatting import format_time_and_age, printable
from payresult_cli.gateway_route import Route
from payresult_cli.judgement import Judgement
from payresult_cli.open_questions import QUESTIONS

MAX_BODY_CHARACTERS = 2000
"""Of the answer's body that are shown. A documented one has about 300."""

_MAX_HEADER_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the output: its name in JSON, its value there, and its lines."""

    name: str
    value: Any
    lines: list[str]


def connection_section(route: Route, now: int) -> Section:
    """Return what the measuring connection found."""
    value: dict[str, Any] = {
        "addresses": route.addresses,
        "address": route.address,
        "lookupMs": round(route.lookup_ms, 1),
        "tcpMs": round(route.tcp_ms, 1),
    }
    lines = [
        f"name lookup  {route.lookup_ms:6.0f} ms   {', '.join(route.addresses)}",
        f"TCP          {route.tcp_ms:6.0f} ms   {route.address}",
    ]
    tls = route.tls
    if tls is None:
        return Section("connection", value | {"tls": None}, [*lines, "TLS          none"])
    value["tls"] = {
        "version": tls.version,
        "ms": round(tls.milliseconds, 1),
        "names": tls.names,
        "endsAt": to_iso8601(tls.ends_at),
    }
    names = printable(", ".join(tls.names))
    ends = format_time_and_age(tls.ends_at, now)
    lines.append(f"TLS          {tls.milliseconds:6.0f} ms   {tls.version}")
    lines.append(f"certificate  of {names}, ends {ends}")
    return Section("connection", value, lines)


def request_section(base_url: str, body: bytes) -> Section:
    """Return the query as it is sent; *body* is the client's."""
    url = urlsplit(base_url)
    headers = {"Host": _host(base_url), "Content-Length": str(len(body)), **HEADERS}
    text = body.decode()
    value = {"method": "POST", "url": base_url + PATH, "headers": headers, "body": text}
    lines = [
        f"POST {url.path}{PATH} HTTP/1.1",
        *(f"{name}: {text}" for name, text in headers.items()),
        "",
        text,
    ]
    return Section("request", value, lines)


def answer_section(response: HttpResponse, milliseconds: float | None) -> Section:
    """Return status, headers and body; *milliseconds* is None for a saved answer."""
    text = response.body.decode("utf-8", "backslashreplace")
    body = truncate(text, MAX_BODY_CHARACTERS)
    value = {
        "status": response.status,
        "headers": dict(response.headers),
        "body": body,
        "ms": None if milliseconds is None else round(milliseconds, 1),
    }
    took = "" if milliseconds is None else f"   ({milliseconds:.0f} ms with its own connection)"
    lines = [
        f"HTTP {response.status}{took}",
        *_headers(response.headers),
        "",
        *(printable(line) for line in body.split("\n")),
    ]
    return Section("answer", value, lines)


def verdict_section(judgement: Judgement) -> Section:
    """Return what payresult makes of the answer, and by which rule."""
    understood = judgement.reply is not None
    value = {
        "understood": understood,
        "status": judgement.status,
        "rule": judgement.rule,
        "why": judgement.why,
    }
    first = "understood" if understood else "not understood, so its status stays"
    lines = [f"{first}: {judgement.status}", f"Rule: {judgement.rule}.", *judgement.why]
    return Section("verdict", value, lines)


def next_section(judgement: Judgement) -> Section:
    """Return what payresult would do next."""
    return Section("next", judgement.next, judgement.next)


def questions_section(answers: Mapping[str, str]) -> Section:
    """Return the open questions, each with what this answer says."""
    lines = [line for name, text in QUESTIONS.items() for line in (text, f"  {answers[name]}")]
    return Section("questions", answers, lines)


def _headers(headers: Mapping[str, str]) -> list[str]:
    return [
        truncate(printable(f"{name}: {value}"), _MAX_HEADER_CHARACTERS)
        for name, value in headers.items()
    ]


def _host(base_url: str) -> str:
    """Return the Host header: without the port where it is the scheme's own."""
    url = urlsplit(base_url)
    own = 443 if url.scheme == "https" else 80
    host = url.netloc.rpartition(":")[0] if url.port is not None else url.netloc
    return host if url.port in {None, own} else f"{host}:{url.port}"
