"""Measures the way to the gateway: name lookup, TCP and TLS, on a connection that asks nothing.

The client's own connections tell no times, and the functions need none. So `probe` opens this one
first, with the client's lookup, socket and trust, and closes it before the query.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from payresult.gateway.client import CONNECT_SECONDS
from payresult.gateway.connection import (
    Addresses,
    BudgetTLSSocket,
    Deadline,
    Resolver,
    connect,
)
from payresult_cli.errors import CommandError

Causes = Mapping[type[OSError], str]
"""What to tell the user by the type of an error; the first that fits."""

_WITHIN = f"within {CONNECT_SECONDS:g} s"

_LOOKUP: Causes = {
    TimeoutError: f"the name server did not answer {_WITHIN}: check this machine's network",
    OSError: "this name has no address ({reason}): check the host in --base-url, and the network",
}
_TCP: Causes = {
    ConnectionRefusedError: "refuses connections: check the port in --base-url, and ask the"
    " gateway's operator whether it is running",
    TimeoutError: f"accepted no connection {_WITHIN}: check your firewall, and ask the gateway's"
    " operator whether they admit your IP address",
    OSError: "cannot be reached ({reason}): check this machine's network",
}
_TLS: Causes = {
    ssl.SSLCertVerificationError: "its certificate is refused, by the functions too ({reason}):"
    " check the host in --base-url, and tell the gateway's operator",
    TimeoutError: f"completed no TLS handshake {_WITHIN}: check the port in --base-url, and ask"
    " the gateway's operator",
    ssl.SSLError: "does not speak TLS 1.2 or later ({reason}): check the port in --base-url",
    OSError: "broke the connection off in the TLS handshake ({reason}): check the port in"
    " --base-url, and ask the gateway's operator whether they admit your IP address",
}


@dataclass(frozen=True, slots=True)
class Tls:
    """A TLS session: its version, the certificate's names, its end (ms since 1970)."""

    version: str
    names: tuple[str, ...]
    ends_at: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Route:
    """The addresses of the name, the one that accepted, and how long each step took (ms)."""

    addresses: tuple[str, ...]
    address: str
    lookup_ms: float
    tcp_ms: float
    tls: Tls | None


def measure(base_url: str, context: ssl.SSLContext) -> Route:
    """Connect to the host of *base_url* and return what that took.

    *context* is used for https. CommandError says which step failed and what to do.
    """
    url = urlsplit(base_url)
    host, secure = url.hostname or "", url.scheme == "https"
    port = url.port or (443 if secure else 80)
    deadline, started = Deadline(CONNECT_SECONDS), perf_counter()
    with _step(f"{host}:", _LOOKUP):
        addresses = Resolver().addresses(host, port, deadline)
    found = perf_counter()
    with _step(f"{host}:{port}", _TCP):
        sock = connect(addresses, deadline)
    connected = perf_counter()
    with sock:
        address = sock.getpeername()[0]
        with _step(f"{host}:{port}", _TLS):
            tls = _handshake(sock, host, context) if secure else None
    return Route(
        _texts(addresses), address, (found - started) * 1000, (connected - found) * 1000, tls
    )


def _handshake(sock: socket.socket, host: str, context: ssl.SSLContext) -> Tls:
    started = perf_counter()
    context.sslsocket_class = BudgetTLSSocket
    with context.wrap_socket(sock, server_hostname=host) as tls:
        milliseconds = (perf_counter() - started) * 1000
        certificate: dict[str, Any] = tls.getpeercert() or {}
        names = tuple(name for _, name in certificate.get("subjectAltName", ()))
        ends_at = int(ssl.cert_time_to_seconds(certificate["notAfter"])) * 1000
        return Tls(tls.version() or "", names, ends_at, milliseconds)


def _texts(addresses: Addresses) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(each[4][0]) for each in addresses))


@contextmanager
def _step(where: str, causes: Causes) -> Iterator[None]:
    """Turn an OSError of this step into a CommandError about *where*."""
    try:
        yield
    except OSError as error:
        text = next(text for kind, text in causes.items() if isinstance(error, kind))
        raise CommandError(f"{where} {text.format(reason=_reason(error))}") from None


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    if isinstance(error, ssl.SSLError):
        return (error.reason or type(error).__name__).replace("_", " ").lower()
    return error.strerror or type(error).__name__
