"""The provider's ``POST /resultQuery``: the only module that speaks HTTP.

``http.client`` does the HTTP. urllib3 would do too, but it quotes malformed headers of a
reply in a log warning, its pool does not tell a connection that died while it was kept from
one that died answering, and it takes twice the time.
"""

import http.client
import json
import queue
import select
import ssl
import time
import weakref
from collections.abc import Callable
from urllib.parse import urlsplit

from payresult.domain.reply import Reply
from payresult.errors import GatewayUnavailable
from payresult.gateway.connection import Dialer, default_tls_context
from payresult.gateway.deadline import Deadline, DeadlineSocket
from payresult.gateway.protocol import MAX_BODY, HttpResponse, read_reply
from payresult.gateway.signing import sign

CONNECT_SECONDS = 2.0
"""For name, TCP and TLS together, and inside the deadline of the whole call."""

_PORTS = {"http": 80, "https": 443}


class GatewayClient:
    """Asks the gateway for results; up to *pool_size* connections are kept for reuse.

    Threads may share one. *base_url* is taken as valid (``https``, or ``http`` to loopback).
    *clock* tells seconds since 1970; *deadline* is in seconds, for one query as a whole.
    *ssl_context* is for this client alone; by default it trusts the machine's roots.
    """

    def __init__(
        self,
        base_url: str,
        partner_code: str,
        *,
        clock: Callable[[], float] = time.time,
        ssl_context: ssl.SSLContext | None = None,
        deadline: float = 5.0,
        pool_size: int = 32,
    ) -> None:
        url = urlsplit(base_url)
        host = url.hostname or ""
        context = (ssl_context or default_tls_context()) if url.scheme == "https" else None
        self._dialer = Dialer(host, url.port or _PORTS[url.scheme], context)
        self._path = url.path.rstrip("/") + "/resultQuery"
        self._headers = {
            "Host": url.netloc,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "payresult",  # common firewall rules refuse a request without one
        }
        self._partner_code = partner_code
        self._clock = clock
        self._deadline = deadline
        self._kept: queue.LifoQueue[_Connection] = queue.LifoQueue(pool_size)
        weakref.finalize(self, _close_all, self._kept)

    def query(self, pay_id: str) -> Reply:
        """Return what the gateway says about *pay_id*.

        Raises GatewayUnavailable or BadReply. It comes back by the deadline, always. A query
        changes nothing at the gateway, so it is sent again, once and at once, where a kept
        connection turns out to be dead before a byte of an answer came.
        """
        try:
            answer = self._post(self._request(pay_id), Deadline(self._deadline))
        except (OSError, http.client.HTTPException) as exc:
            # From None, and by its name only: its text can quote what the gateway sent.
            raise GatewayUnavailable(
                f"no answer from the gateway ({type(exc).__name__})", pay_id=pay_id
            ) from None
        return read_reply(answer, pay_id=pay_id, partner_code=self._partner_code, now=self._clock())

    def _request(self, pay_id: str) -> bytes:
        params = {
            "partnerCode": self._partner_code,
            "payId": pay_id,
            "tradeTime": str(int(self._clock() * 1000)),
            "tradeType": "resultQuery",
            "version": "3.0",
        }
        return json.dumps({**params, "sign": sign(params)}).encode()

    def _post(self, body: bytes, deadline: Deadline) -> HttpResponse:
        kept = self._take_kept()
        if kept is not None:
            try:
                return self._exchange(kept, body, deadline)
            except OSError:  # also for want of time, and then there is none to connect either
                if kept.heard:
                    raise
        return self._exchange(_Connection(self._dialer), body, deadline)

    def _exchange(self, connection: "_Connection", body: bytes, deadline: Deadline) -> HttpResponse:
        answer = connection.post(self._path, body, self._headers, deadline)
        if connection.reusable:
            try:
                self._kept.put_nowait(connection)
            except queue.Full:
                connection.close()
        return answer

    def _take_kept(self) -> "_Connection | None":
        while True:
            try:
                connection = self._kept.get_nowait()
            except queue.Empty:
                return None
            if connection.quiet:
                return connection
            connection.close()


class _Connection(http.client.HTTPConnection):
    """One connection to the gateway, used for one exchange at a time."""

    _socket: DeadlineSocket
    _by: Deadline

    def __init__(self, dialer: Dialer) -> None:
        super().__init__("")  # whom to call is the dialer's business, and Host a header
        self._dialer = dialer

    def connect(self) -> None:
        """Open the socket; http.client calls it when there is none."""
        self.sock = self._socket = self._dialer.dial(self._by.within(CONNECT_SECONDS))
        self._socket.start(self._by)

    def post(self, path: str, body: bytes, headers: dict[str, str], by: Deadline) -> HttpResponse:
        """Return the answer to one POST. After an error the connection is closed."""
        self._by = by
        if self.sock is not None:
            self._socket.start(by)
        try:
            self.request("POST", path, body, headers)
            with self.getresponse() as response:
                return self._read(response)
        except BaseException:
            self.close()
            raise

    def _read(self, response: http.client.HTTPResponse) -> HttpResponse:
        if self._socket.ended:  # http.client has taken that for the end of the headers
            raise http.client.IncompleteRead(b"")
        headers = {name.lower(): value for name, value in response.getheaders()}
        if response.status != http.HTTPStatus.OK:
            self.close()  # its body tells nothing, so nobody waits for it
            return HttpResponse(response.status, headers, b"")
        try:
            body = response.read(MAX_BODY + 1)
        except ValueError:  # from a chunk of negative size
            raise http.client.IncompleteRead(b"") from None
        if len(body) > MAX_BODY:
            self.close()
        elif response.length:  # read(n) keeps quiet about a body that was cut off
            raise http.client.IncompleteRead(body, response.length)
        return HttpResponse(response.status, headers, body)

    @property
    def heard(self) -> bool:
        """True if a byte of an answer came in the last exchange."""
        return self._socket.received > 0

    @property
    def reusable(self) -> bool:
        """True if the last answer was read to its end and the server keeps the line open."""
        return self.sock is not None

    @property
    def quiet(self) -> bool:
        """True if nothing came in since the last answer: no goodbye, and nothing unasked."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)


def _close_all(connections: "queue.LifoQueue[_Connection]") -> None:
    while not connections.empty():
        connections.get_nowait().close()
