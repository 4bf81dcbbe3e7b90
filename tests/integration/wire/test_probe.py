"""Contract of `payresult probe`: what it tells of a gateway on loopback, and what it sends."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from payresult_cli.context import Dependencies
from tests.integration.wire.serving import (
    BODY,
    PARTNER,
    PAY_ID,
    Serve,
    answering,
    machine,
    server_context,
)
from tests.support.commands import CommandResult, run
from tests.support.fault_server import HEAD, FaultServer, Line, black_hole, closed_port

PATIENCE = 30
"""Seconds. Without the deadlines of 2 and 5 s the system would try for two minutes, and the server
would send for eight."""


def probe(base_url: str, *more: str) -> CommandResult:
    """Run one command line."""
    arguments = [PAY_ID, "--base-url", base_url, "--partner-code", PARTNER, *more]
    return run("probe", *arguments, dependencies=Dependencies())


def refused(base_url: str) -> str:
    """Return the only line that is written about what could not be asked."""
    result = probe(base_url, "--json")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("payresult: ")
    assert result.err.count("\n") == 1
    return result.err


def url(server: FaultServer, scheme: str = "http") -> str:
    """Return the base URL of *server*."""
    return f"{scheme}://127.0.0.1:{server.port}/payment"


@pytest.fixture
def trusting(serve_tls: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Serve:
    """TLS servers whose authority this machine trusts."""
    assert serve_tls.authority is not None
    serve_tls.authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    machine(monkeypatch, tmp_path / "roots.pem", tmp_path / "none")
    return serve_tls


def test_the_request_is_shown_as_it_is_sent() -> None:
    """Line, headers and body; one query, on the second of two connections."""
    with FaultServer(answering()) as server:
        result = probe(url(server), "--json")
        [record] = result.records
        [sent] = server.requests
        assert server.connections == 2
    shown = record["request"]
    assert result.code == 0
    assert shown["body"].encode() == sent.body
    assert {name.lower(): text for name, text in shown["headers"].items()} == sent.headers
    assert (shown["method"], shown["url"]) == ("POST", url(server) + "/resultQuery")
    assert sent.line == "POST /payment/resultQuery HTTP/1.1"
    assert record["connection"]["tls"] is None


def test_tls_is_shown_with_version_names_and_end(trusting: Serve) -> None:
    """In text as well."""
    server, _ = trusting(answering())
    result = probe(url(server, "https"))
    assert result.code == 0
    assert "TLSv1.3" in result.out
    assert "certificate  of 127.0.0.1, ends " in result.out
    [record] = probe(url(server, "https"), "--json").records
    assert record["connection"]["tls"]["names"] == ["127.0.0.1"]
    assert server.connections == 4


def test_a_wrong_certificate_is_told_and_nothing_is_sent(trusting: Serve) -> None:
    """Another name, or an authority that nobody knows."""
    assert trusting.authority is not None
    other = server_context(trusting.authority.issue_cert("127.0.0.2"))
    server, _ = trusting(answering(), other)
    text = refused(url(server, "https"))
    assert "its certificate is refused, by the functions too (IP address mismatch" in text
    assert server.requests == []
    assert server.connections == 1


def test_a_port_without_tls_is_told() -> None:
    """The scheme or the port is wrong."""
    with FaultServer(lambda line: line.send(b"HTTP/1.1 400 Bad\r\n\r\n")) as server:
        assert "does not speak TLS 1.2 or later" in refused(url(server, "https"))


def test_what_cannot_be_reached_is_told() -> None:
    """A closed port, a name that nobody has, an address that does not answer."""
    with closed_port() as port:
        assert "refuses connections: check the port" in refused(f"https://127.0.0.1:{port}")
    started = time.monotonic()
    with black_hole() as (host, port):
        assert "accepted no connection within 2 s" in refused(f"https://{host}:{port}")
    assert time.monotonic() - started < PATIENCE


def dribble(line: Line) -> None:
    """Never end an answer."""
    if line.request():
        line.dribble(HEAD * 100, every=0.1)


def garbage(line: Line) -> None:
    """Answer, but not by HTTP."""
    if line.request():
        line.send(b"SSH-2.0-OpenSSH\r\n")


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (dribble, "gave no complete answer within 5 s"),
        (garbage, "gave no HTTP answer that can be read"),
        (lambda line: line.request(), "gave no HTTP answer that can be read"),
    ],
)
def test_a_gateway_that_gives_no_answer_is_told(
    script: Callable[[Line], object], text: str
) -> None:
    """By the client's deadline."""
    started = time.monotonic()
    with FaultServer(script) as server:
        assert text in refused(url(server))
        assert len(server.requests) == 1
    assert time.monotonic() - started < PATIENCE


def test_what_was_found_before_a_failure_is_shown() -> None:
    """Connection and query, for somebody who asks the operator why there was no answer."""
    with FaultServer(lambda line: line.request()) as server:
        result = probe(url(server))
    assert result.code == 2
    assert result.out.startswith("Connection\n  name lookup ")
    assert json.loads(result.out.splitlines()[-2])["payId"] == PAY_ID


def test_an_answer_that_is_no_reply_ends_with_1() -> None:
    """A page of HTML with HTTP 200, and 503 with Retry-After."""
    later = HEAD.replace(b"200 OK", b"503 Busy") + b"Retry-After: 120\r\n"
    for body, head in ((b"<html>", HEAD), (BODY, later)):
        with FaultServer(answering(body, head)) as server:
            result = probe(url(server))
        assert result.code == 1
        assert "not understood" in result.out
    assert "asks again after 2 min" in result.out
