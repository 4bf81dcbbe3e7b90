"""A deadline that holds for a whole exchange, whatever the other side does.

A socket's own time-out is for one operation: a server that sends a byte now and then keeps
a caller for as long as it likes. Here every operation gets only what is left of the whole.
All that HTTP reads, be it the status line, a header, a chunk or a body without a length,
comes through ``recv_into``; the TLS handshake and each read of a TLS record are bounded by
the time-out as a whole (CPython's ``_ssl`` counts it down itself). So no thread has to
watch over the socket, and none can close one that somebody else uses by now.
"""

import socket
import ssl
import time
from typing import Any

MAX_RECEIVED = 1_048_576
"""Bytes in one exchange. No answer comes near it, but a bad chunk size can make http.client
read until the end of the stream."""


class Deadline:
    """A moment in the future, on the monotonic clock."""

    __slots__ = ("_at",)

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, always more than 0. Raises TimeoutError when there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    def within(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and the one *seconds* from now."""
        return Deadline(min(seconds, self.left()))


class DeadlineSocket(socket.socket):
    """A TCP socket that obeys the deadline of the exchange it is used for."""

    _deadline: Deadline
    received: int
    """Bytes that came in since ``start``."""
    ended: bool
    """True once the other side has said that no more will come."""

    def start(self, deadline: Deadline) -> None:
        """Begin an exchange that has to end by *deadline*."""
        self._deadline = deadline
        self.received = 0
        self.ended = False

    def recv_into(self, *args: Any) -> int:
        """As ``socket.recv_into``, but TimeoutError comes at the deadline.

        OSError comes after MAX_RECEIVED bytes.
        """
        self.settimeout(self._deadline.left())
        count = super().recv_into(*args)
        self.received += count
        self.ended = count == 0
        if self.received > MAX_RECEIVED:
            raise OSError("no answer is that long")
        return count

    def sendall(self, *args: Any) -> None:
        """As ``socket.sendall``, but TimeoutError comes at the deadline."""
        self.settimeout(self._deadline.left())
        super().sendall(*args)


class DeadlineTLSSocket(DeadlineSocket, ssl.SSLSocket):
    """The same over TLS: an SSLContext makes it by its documented ``sslsocket_class``."""
