"""A small server on loopback that breaks HTTP and TLS in the ways that a test asks for.

A test gives a script: a function that is run, in a thread of its own, for each connection.
It says with the Line's methods what the server does; when it returns, the line is closed.
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
    """What a client sent: the first line, the headers (names in lower case), the body."""

    line: str
    headers: dict[str, str]
    body: bytes


class Stopped(Exception):
    """The test is over, so the script is too."""


class Line:
    """One connection, seen from the server; *number* counts them from 1."""

    def __init__(self, server: "FaultServer", sock: socket.socket, number: int) -> None:
        self.number = number
        self._server = server
        self._sock = sock
        self._read = sock.makefile("rb")

    def request(self) -> Request | None:
        """Wait for a whole request; None when the client has closed the connection."""
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
        """Drop the requests so far, where thousands would come."""
        self._server.requests.clear()

    def send(self, data: bytes) -> None:
        """Send *data* at once."""
        self._sock.sendall(data)

    def reply(self, body: bytes, head: bytes = HEAD) -> None:
        """Send a whole answer."""
        self.send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def dribble(self, data: bytes, every: float = 0.02) -> None:
        """Send *data* a byte at a time. Raises OSError when the client has gone."""
        for byte in data:
            self.send(bytes([byte]))
            self.pause(every)

    def pause(self, seconds: float = 60.0) -> None:
        """Do nothing for so long, or until the server stops (which ends the script)."""
        if self._server.stopping.wait(seconds):
            raise Stopped

    def arrived(self) -> None:
        """Wait until all that was sent has arrived at the client's machine."""
        while any(fcntl.ioctl(self._sock, termios.TIOCOUTQ, bytes(4))):
            self.pause(0.001)

    def raw(self) -> socket.socket:
        """The TCP socket below TLS, to spoil records with; the caller closes it."""
        return socket.socket(fileno=os.dup(self._sock.fileno()))

    def half_close(self) -> None:
        """Say that nothing more comes, and go on listening."""
        self._sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def client_is_gone(self) -> bool:
        """Wait until the client has closed its end, 10 s at most."""
        self._sock.settimeout(10)
        try:
            return self._sock.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def abort(self) -> None:
        """Wake a script that waits for the client; safe from another thread."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._read.close()
        self._sock.close()


class FaultServer:
    """Listens on 127.0.0.1 while it is entered, over TLS if there is a context.

    ``port`` is where; ``requests`` are those that came whole; ``connections`` counts the TCP
    connections, ``finished`` the scripts that came to their end undisturbed.
    """

    def __init__(
        self, script: Callable[[Line], object], context: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[Request] = []
        self.connections = 0
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
        # A client that goes away in the middle is what most of these scripts are about.
        with contextlib.suppress(OSError, Stopped), self._line(sock, number) as line:
            self._script(line)
            self.finished += 1

    @contextlib.contextmanager
    def _line(self, sock: socket.socket, number: int) -> Iterator[Line]:
        sock.settimeout(20)  # no test hangs for ever
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
def black_hole() -> Iterator[tuple[str, int]]:
    """An address on loopback where nobody ever accepts: connecting to it just waits."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        # Once the queue of a listener is full, Linux drops what else knocks.
        for _ in range(4):
            knocker = stack.enter_context(socket.socket())
            knocker.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                knocker.connect(listener.getsockname())
        yield listener.getsockname()
