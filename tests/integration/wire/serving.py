"""Support: a server for the gateway client, answers for it to send, and ways to query it."""

import contextlib
import json
import re
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import trustme

from payresult.domain.reply import Reply
from payresult.errors import GatewayUnavailable
from payresult.gateway.client import GatewayClient
from tests.support.fault_server import HEAD, FaultServer, Line

PAY_ID = "20190321192436"
PARTNER = "P000818"
FIELDS = {"partnerCode": PARTNER, "payId": PAY_ID, "payRst": "success"}
BODY = json.dumps(FIELDS).encode()
NOW = 1_790_000_000.123
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSING = HEAD + b"Connection: close\r\n\r\n"
SHORT = 0.5
"""A deadline, in seconds, that is waited for. What dribbles takes 5 s."""

Script = Callable[[Line], object]


def sized(body: bytes, size: int | None = None, head: bytes = HEAD) -> bytes:
    """Return an answer with *body*, which says that it has *size* bytes (None: what it has)."""
    return head + b"Content-Length: %d\r\n\r\n" % (len(body) if size is None else size) + body


GOOD = sized(BODY)


class Serve(contextlib.ExitStack):
    """A server and a client for it; the server stops at the end of the test."""

    def __init__(self, authority: trustme.CA | None) -> None:
        super().__init__()
        self.authority = authority

    def __call__(
        self,
        script: Script,
        context: ssl.SSLContext | None = None,
        **options: Any,
    ) -> tuple[FaultServer, GatewayClient]:
        """Start *script*; *context* replaces the server's own, *options* are the client's."""
        if context is None and self.authority is not None:
            context = server_context(self.authority.issue_cert("127.0.0.1"))
        server = self.enter_context(FaultServer(script, context))
        options = {"deadline": 10.0, "clock": lambda: NOW, **options}
        if self.authority is not None:
            options.setdefault("ssl_context", client_context(self.authority))
        scheme = "http" if self.authority is None else "https"
        return server, GatewayClient(
            f"{scheme}://127.0.0.1:{server.port}/payment", PARTNER, **options
        )

    def raw(self, script: Script) -> tuple[FaultServer, GatewayClient]:
        """Start a server that spoils TLS: it does not speak it, but its client does."""
        assert self.authority is not None
        server = self.enter_context(FaultServer(script))
        return server, GatewayClient(
            f"https://127.0.0.1:{server.port}",
            PARTNER,
            deadline=SHORT,
            ssl_context=client_context(self.authority),
        )


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server's context with *certificate*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    """A client's context that trusts *authority*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


def machine(monkeypatch: pytest.MonkeyPatch, file: Path, folder: Path) -> None:
    """Make this a machine that has its roots there, and nowhere else."""
    paths = ssl.get_default_verify_paths()
    monkeypatch.setattr(
        ssl,
        "get_default_verify_paths",
        lambda: paths._replace(openssl_cafile=str(file), openssl_capath=str(folder)),
    )


def ask(client: GatewayClient, pay_id: str = PAY_ID) -> Reply:
    """Query in another thread and wait 15 s at most, so that no broken deadline hangs a test."""
    answer: Future[Reply] = Future()

    def run() -> None:
        try:
            answer.set_result(client.query(pay_id))
        except BaseException as exc:  # noqa: BLE001 - handed over to the waiting thread
            answer.set_exception(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        return answer.result(15)
    finally:
        thread.join(1)


def unavailable(client: GatewayClient, how: str | None = None) -> str:
    """Query, which must not succeed for want of an answer; return the error's text.

    The error has to say *how*, in its attribute, unless that is None.
    """
    with pytest.raises(GatewayUnavailable) as caught:
        ask(client)
    assert caught.value.pay_id == PAY_ID
    assert caught.value.http_status is None
    assert how in {None, caught.value.how}
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert not {PARTNER, "resultQuery", "127.0.0.1"} & set(re.findall(r"[\w.]+", str(caught.value)))
    return str(caught.value)


def answering(body: bytes = BODY, head: bytes = HEAD) -> Script:
    """A script that answers every request on its line."""

    def script(line: Line) -> None:
        while line.request():
            line.send(sized(body, head=head))

    return script


def exchanges(*answers: bytes | Script) -> Script:
    """A script that waits for a request before each of *answers*: to be sent, or to be called."""

    def script(line: Line) -> None:
        for answer in answers:
            line.request()
            if isinstance(answer, bytes):
                line.send(answer)
            else:
                answer(line)

    return script


def in_turn(*scripts: Script) -> Script:
    """A script that is another for each connection; the last one is for all that follow."""
    return lambda line: scripts[min(line.number, len(scripts)) - 1](line)
