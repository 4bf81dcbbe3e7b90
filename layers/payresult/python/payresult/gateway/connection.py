"""Opening a connection by a deadline: the name, TCP, TLS."""

import importlib.resources
import socket
import ssl
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from payresult.gateway.deadline import Deadline, DeadlineSocket, DeadlineTLSSocket

Addresses = list[tuple[Any, ...]]
"""What ``socket.getaddrinfo`` returns."""


class Dialer:
    """Opens connections to one *host* and *port*; over TLS if there is a *context*.

    Many threads may use one. *context* is made to produce sockets that obey deadlines.
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self._host = host
        self._port = port
        self._context = context
        self._lock = threading.Lock()
        self._lookup: Future[Addresses] | None = None
        if context is not None:
            context.sslsocket_class = DeadlineTLSSocket

    def dial(self, deadline: Deadline) -> DeadlineSocket:
        """Return an open socket. Raises OSError; TimeoutError when *deadline* passes."""
        sock = _connect(self._addresses(deadline), deadline)
        if self._context is None:
            return sock
        with sock:  # wrap_socket takes the descriptor over; this closes what it did not take
            sock.settimeout(deadline.left())
            tls = self._context.wrap_socket(sock, server_hostname=self._host)
        assert isinstance(tls, DeadlineTLSSocket)  # noqa: S101 - tells mypy what __init__ arranged
        return tls

    def _addresses(self, deadline: Deadline) -> Addresses:
        # getaddrinfo cannot be interrupted, so another thread calls it and we wait only as
        # long as we may. While it hangs, all callers wait for the same one: a dead name
        # server costs one thread, however many queries there are.
        with self._lock:
            if self._lookup is None or self._lookup.done():
                self._lookup = self._look_up()
            lookup = self._lookup
        return lookup.result(deadline.left())

    def _look_up(self) -> Future[Addresses]:
        future: Future[Addresses] = Future()

        def run() -> None:
            try:
                future.set_result(
                    socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                )
            except Exception as exc:  # noqa: BLE001 - raised again by result(), in the waiting thread
                future.set_exception(exc)

        # A daemon: the end of the process does not wait for a name server.
        threading.Thread(target=run, name="payresult-lookup", daemon=True).start()
        return future


def _connect(addresses: Addresses, deadline: Deadline) -> DeadlineSocket:
    failure = OSError("the name has no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        # An equal share for each address, so that a black hole leaves time for the next.
        share = deadline.left() / (len(addresses) - position)
        try:
            sock = DeadlineSocket(family, kind, protocol)
        except OSError as exc:  # such as: this machine has no IPv6
            failure = exc
            continue
        try:
            # Headers and body go out in two writes; without this the body waits for an ACK.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(share)
            sock.connect(address)
        except OSError as exc:
            sock.close()
            failure = exc
        else:
            return sock
    raise failure


def default_tls_context() -> ssl.SSLContext:
    """Return a context that trusts this machine's roots, with TLS 1.2 at least.

    Load it once: reading the roots takes some 15 ms.
    """
    # A bare SSLContext: create_default_context would honour SSLKEYLOGFILE and write the
    # session keys to a file. This protocol checks certificate and host name by default.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The system's roots, for Amazon patches them on Lambda without a deployment of ours;
    # Debian and most Pythons on macOS have them too. Python.org's on macOS has none until
    # somebody installs them: then those that botocore ships, which is always beside us.
    # Where they are is compiled in: load_default_certs would let SSL_CERT_FILE and
    # SSL_CERT_DIR say it, so that a variable left over somewhere decides whom we trust.
    paths = ssl.get_default_verify_paths()
    file = paths.openssl_cafile if Path(paths.openssl_cafile).is_file() else None
    folder = paths.openssl_capath if Path(paths.openssl_capath).is_dir() else None
    if file or folder:
        context.load_verify_locations(file, folder)
    else:
        roots = importlib.resources.files("botocore").joinpath("cacert.pem")
        context.load_verify_locations(cadata=roots.read_text(encoding="utf-8"))
    return context
