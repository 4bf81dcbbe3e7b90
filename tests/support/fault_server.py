"""A server on loopback that violates HTTP and TLS in the ways that a test needs.

A test passes a script: a function that runs for each connection, in a thread of its own, and calls
the methods of its Line. When it returns, the connection is closed.
"""

import contextlib
import fcntl
import os
import socket
import ssl
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True)
class Request:
    """A request: the first line, the headers (names in lower case), the body."""

    line: str
    headers: dict[str, str]
    body: bytes


class Stopped(Exception):
    """Ends a script when the test is over."""


class Line:
    """One connection, at the server; *number* counts them from 1."""

    def __init__(self, server: "FaultServer", sock: socket.socket, number: int) -> None:
        self.number = number
        self._server = server
        self._sock = sock
        self._read = sock.makefile("rb")

    def request(self) -> Request | None:
        """Wait for a complete request; None if the client has closed the connection."""
        first = self._read.readline()
        if not first:
            return None
        headers = {}
        while (raw := self._read.readline()) not in (b"\r\n", b""):
            name, _, value = raw.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = self._read.read(int(headers["content-length"]))
        request = Request(first.decode().rstrip(), headers, body)
        self._server.requests.append(request)
        return request

    def forget(self) -> None:
        """Drop the recorded requests, for tests that send thousands."""
        self._server.requests.clear()

    def send(self, data: bytes) -> None:
        """Send *data* at once."""
        self._sock.sendall(data)

    def reply(self, body: bytes, head: bytes = HEAD) -> None:
        """Send a complete answer."""
        self.send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def dribble(self, data: bytes, every: float = 0.02) -> None:
        """Send *data* a byte at a time. Raises OSError if the client has closed the connection."""
        for byte in data:
            self.send(bytes([byte]))
            self.pause(every)

    def pause(self, seconds: float = 60.0) -> None:
        """Wait *seconds*, or until the server stops (which ends the script)."""
        if self._server.stopping.wait(seconds):
            raise Stopped

    def arrived(self) -> None:
        """Wait until the client's machine has acknowledged all that was sent."""
        while any(fcntl.ioctl(self._sock, termios.TIOCOUTQ, bytes(4))):
            self.pause(0.001)

    def raw(self) -> socket.socket:
        """Return the TCP socket below TLS, to write broken records to; the caller closes it."""
        return socket.socket(fileno=os.dup(self._sock.fileno()))

    def half_close(self) -> None:
        """End the sending side, and go on reading."""
        self._sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def client_is_gone(self) -> bool:
        """Return whether the client closes the connection within 10 s."""
        self._sock.settimeout(10)
        try:
            return self._sock.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def abort(self) -> None:
        """End a script that waits for the client; safe from another thread."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._read.close()
        self._sock.close()


class FaultServer:
    """Listens on 127.0.0.1 while it is entered, over TLS if there is a context.

    ``requests`` are the complete ones; ``connections`` counts the TCP connections, ``ended`` those
    that are closed, ``finished`` the scripts that returned normally.
    """

    def __init__(
        self, script: Callable[[Line], object], context: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.ended = 0
        self.finished = 0
        self.stopping = threading.Event()
        self._script = script
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept)
        self._threads: list[threading.Thread] = []
        self._lines: list[Line] = []

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes accept
        self._accepting.join()
        self._listener.close()
        for line in list(self._lines):
            line.abort()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self.stopping.is_set():
                sock.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock, self.connections))
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        # Most of these scripts test a client that closes the connection early.
        with contextlib.suppress(OSError, Stopped), self._line(sock, number) as line:
            self._script(line)
            self.finished += 1
        self.ended += 1

    @contextlib.contextmanager
    def _line(self, sock: socket.socket, number: int) -> Iterator[Line]:
        sock.settimeout(20)  # so that no test waits for ever
        try:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
        except OSError:
            sock.close()
            raise
        line = Line(self, sock, number)
        self._lines.append(line)
        try:
            yield line
        finally:
            line.close()
            self._lines.remove(line)


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port on 127.0.0.1 that refuses connections; it stays bound, so no process can get it."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@contextlib.contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """Yield an address on loopback that never accepts: connecting to it times out."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        # Once the queue of a listener is full, Linux drops further connections.
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                client.connect(listener.getsockname())
        yield listener.getsockname()
