"""urllib3's connection, on a socket whose timeout holds for a whole exchange.

A socket's own timeout is for one operation: a server that sends a byte now and then holds its
caller for as long as it likes. Here ``settimeout`` sets a budget for all operations that follow.
urllib3 calls it before it sends and before it reads, with what its ``Timeout`` leaves.
"""

import importlib.resources
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError
from urllib3.response import HTTPResponse

MAX_RECEIVED = 1_048_576
"""Bytes of one answer. HTTP has no limit for 100 Continue or for a chunk of size -1."""

MAX_IDLE = 30
"""Seconds. Servers and NAT gateways forget an idle connection, often without a packet."""

Addresses = list[tuple[Any, ...]]
"""What ``socket.getaddrinfo`` returns."""


class StaleConnection(HTTPError):
    """A kept connection broke before a byte of the answer came."""


class Deadline:
    """A moment in the future, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, always more than 0. Raises TimeoutError when there are none."""
        remaining = self._at - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the deadline has passed")
        return remaining


class BudgetSocket(socket.socket):
    """A TCP socket whose timeout is for all that follows, until it is set again."""

    received = 0
    """Bytes of the current answer."""
    ended = False
    """True once the server has closed its side."""

    def settimeout(self, value: float | None) -> None:
        """Set the budget in seconds. None counts as 0: nothing may wait without a limit."""
        self._deadline = Deadline(value or 0)
        super().settimeout(value)

    def recv_into(self, *args: Any) -> int:
        """As ``socket.recv_into``. Raises OSError after MAX_RECEIVED bytes."""
        super().settimeout(self._deadline.remaining())
        count = super().recv_into(*args)
        self.received += count
        self.ended = count == 0
        if self.received > MAX_RECEIVED:
            raise OSError("the answer is too long")
        return count

    def sendall(self, *args: Any) -> None:
        """As ``socket.sendall``."""
        super().settimeout(self._deadline.remaining())
        super().sendall(*args)


class BudgetTLSSocket(BudgetSocket, ssl.SSLSocket):
    """The same over TLS. ``ssl`` limits the handshake and each read as a whole by the timeout."""


class Resolver:
    """Looks up names in another thread, for ``getaddrinfo`` has no timeout."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lookup: Future[Addresses] | None = None

    def addresses(self, host: str, port: int, deadline: Deadline) -> Addresses:
        """Return what ``getaddrinfo`` finds. Raises OSError; TimeoutError at *deadline*."""
        # While a look-up hangs, all callers wait for the same one, so it costs one thread.
        with self._lock:
            if self._lookup is None or self._lookup.done():
                lookup = self._lookup = Future()
                # A daemon: the end of the process does not wait for a name server.
                threading.Thread(
                    None, _look_up, "payresult-lookup", (lookup, host, port), daemon=True
                ).start()
            lookup = self._lookup
        return lookup.result(deadline.remaining())


def _look_up(future: Future[Addresses], host: str, port: int) -> None:
    try:
        future.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except Exception as exc:  # noqa: BLE001 - result() raises it in the waiting threads
        future.set_exception(exc)


def connect(addresses: Addresses, deadline: Deadline) -> BudgetSocket:
    """Return a socket connected to the first of *addresses* that accepts. Raises OSError."""
    failure = OSError("the name has no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        # An equal share for each address, so that a silent one leaves time for the next.
        share = deadline.remaining() / (len(addresses) - position)
        sock = None
        try:
            sock = BudgetSocket(family, kind, protocol)
            # Headers and body go out in two writes; without this the body waits for an ACK.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(share)
            sock.connect(address)
            sock.settimeout(deadline.remaining())
        except OSError as exc:  # also where this machine does not know the family
            failure = exc
            if sock is not None:
                sock.close()
        else:
            return sock
    raise failure


class BudgetConnection(HTTPConnection):
    """urllib3's connection on a BudgetSocket; *clock* tells seconds since 1970."""

    sock: BudgetSocket

    def __init__(
        self, *args: Any, resolver: Resolver, clock: Callable[[], float], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._resolver = resolver
        self._clock = clock
        self._exchanges = 0
        self._used_at = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether it can be used again; urllib3's pool asks each time.

        The wall clock counts the idle time: the monotonic one stops in a frozen environment.
        """
        return 0 <= self._clock() - self._used_at <= MAX_IDLE and super().is_connected

    def _new_conn(self) -> BudgetSocket:
        self._exchanges = 0
        deadline = Deadline(self.timeout or 0)
        try:
            return connect(self._resolver.addresses(self.host, self.port, deadline), deadline)
        except OSError as exc:
            raise NewConnectionError(self, "no connection") from exc

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # of http.client, by urllib3
        """As urllib3's. Raises StaleConnection where the request may be sent again."""
        sock = self.sock  # http.client sets it to None where the server is going to close
        sock.received = 0
        try:
            response = super().getresponse()
        except OSError as exc:
            if self._exchanges and not sock.received and not isinstance(exc, TimeoutError):
                raise StaleConnection from exc
            raise
        if sock.ended:  # http.client has taken that for the end of the headers
            response.close()
            raise ProtocolError("the headers were cut off")
        self._exchanges += 1
        self._used_at = self._clock()
        return response


class BudgetTLSConnection(BudgetConnection, HTTPSConnection):
    """The same over TLS. The ``sslsocket_class`` of its context has to be BudgetTLSSocket."""


def default_tls_context() -> ssl.SSLContext:
    """Return a context that trusts this machine's roots, with TLS 1.2 at least.

    Load it once: reading the roots takes some 15 ms.
    """
    # A bare SSLContext: create_default_context would honour SSLKEYLOGFILE and write the
    # session keys to a file. This protocol checks certificate and host name by default.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The system's roots, for AWS updates them on Lambda without a deployment. Their paths are
    # compiled in: load_default_certs would take them from SSL_CERT_FILE and SSL_CERT_DIR, so
    # that a forgotten variable decides whom we trust. A Python from python.org on macOS has no
    # roots until somebody installs them: then those that botocore ships.
    paths = ssl.get_default_verify_paths()
    file = paths.openssl_cafile if Path(paths.openssl_cafile).is_file() else None
    folder = paths.openssl_capath if Path(paths.openssl_capath).is_dir() else None
    if file or folder:
        context.load_verify_locations(file, folder)
    else:
        roots = importlib.resources.files("botocore").joinpath("cacert.pem")
        context.load_verify_locations(cadata=roots.read_text(encoding="utf-8"))
    return context
