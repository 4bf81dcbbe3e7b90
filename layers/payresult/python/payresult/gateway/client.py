"""Sends the provider's ``POST /resultQuery``, with urllib3."""

import logging
import ssl
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.exceptions import TimeoutError as TimeoutException
from urllib3.util import parse_url

from payresult.domain.payment import FailureKind
from payresult.domain.reply import Reply
from payresult.errors import GatewayUnavailable
from payresult.gateway.connection import (
    BudgetConnection,
    BudgetTLSConnection,
    BudgetTLSSocket,
    Deadline,
    Resolver,
    StaleConnection,
    default_tls_context,
)
from payresult.gateway.protocol import MAX_BODY, HttpResponse, read_reply, request_body

CONNECT_SECONDS = 2.0
"""For name, TCP and TLS together, and inside the deadline of the whole call."""

DEADLINE_SECONDS = 5.0
"""For one query as a whole."""

_NO_ANSWER = (HTTPError, OSError, ValueError)
"""What urllib3 raises while it exchanges; ValueError for a chunk of negative size."""

HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "payresult",  # common firewall rules refuse a request without one
}
"""Of each query, beside Host and Content-Length."""

PATH = "/resultQuery"
"""What is added to the base URL."""

# urllib3 logs what it cannot parse of an answer, and no log may carry that. The level is set on
# this logger because it is the one setting that all loggers below it inherit.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class _Pool(HTTPConnectionPool):
    ConnectionCls = BudgetConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = BudgetTLSConnection


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
        deadline: float = DEADLINE_SECONDS,
        pool_size: int = 32,
    ) -> None:
        url = parse_url(base_url)
        host = url.host or ""
        pool: Callable[..., HTTPConnectionPool] = partial(_Pool, host, url.port or 80)
        if url.scheme == "https":
            context = ssl_context or default_tls_context()
            context.sslsocket_class = BudgetTLSSocket
            pool = partial(_TLSPool, host, url.port or 443, ssl_context=context)
        options = {"maxsize": pool_size, "headers": HEADERS, "retries": False}
        self._new_pool = partial(pool, **options, resolver=Resolver(), clock=clock)
        self._pool = self._new_pool()
        self._path = (url.path or "").rstrip("/") + PATH
        self._partner_code = partner_code
        self._clock = clock
        self._deadline = deadline

    def query(self, pay_id: str) -> Reply:
        """Return what the gateway says about *pay_id*.

        Raises GatewayUnavailable or InvalidReply, always by the deadline.
        """
        body = request_body(pay_id, partner_code=self._partner_code, now=self._clock())
        response = self.send(pay_id, body)
        return read_reply(
            response, pay_id=pay_id, partner_code=self._partner_code, now=self._clock()
        )

    def send(self, pay_id: str, body: bytes) -> HttpResponse:
        """Return the response to *body*, the query for *pay_id* as ``request_body`` returns it.

        Raises GatewayUnavailable, always by the deadline. A query changes nothing at the gateway,
        so it is sent again, once and at once, where a kept connection turns out to be dead before
        a byte of the answer came.
        """
        try:
            return self._post(body, Deadline(self._deadline))
        except _NO_ANSWER as exc:
            cause = _root_cause(exc)
            # From None, and by its name only: its text can quote what the gateway sent.
            raise GatewayUnavailable(
                f"no answer from the gateway ({type(cause).__name__})",
                pay_id=pay_id,
                how=_how(cause),
                rule=type(cause).__name__,
            ) from None

    def _post(self, body: bytes, deadline: Deadline) -> HttpResponse:
        try:
            return self._exchange(body, deadline)
        except StaleConnection:
            # A new pool, for the other connections that were kept are likely dead too.
            self._pool = self._new_pool()
            return self._exchange(body, deadline)

    def _exchange(self, body: bytes, deadline: Deadline) -> HttpResponse:
        with self._pool.urlopen(
            "POST",
            self._path,
            body,
            redirect=False,
            timeout=Timeout(connect=CONNECT_SECONDS, total=deadline.remaining()),
            preload_content=False,
            decode_content=False,
        ) as response:  # the end closes the connection where the body was not read to its end
            headers = {name.lower(): value for name, value in response.headers.iteritems()}
            return HttpResponse(response.status, headers, _body(response))


def _body(response: BaseHTTPResponse) -> bytes:
    """Return the body; of one that is too large, the first MAX_BODY + 1 bytes.

    One that breaks off counts as empty, except in a reply: the status and Retry-After were told.
    """
    try:
        body = response.read(MAX_BODY + 1)
        if len(body) <= MAX_BODY and response.length_remaining:  # read(n) does not raise for that
            raise ProtocolError("the body was cut off")
    except _NO_ANSWER:
        if response.status == HTTPStatus.OK:
            raise
        return b""
    return body


def _root_cause(error: BaseException) -> BaseException:
    """Return the error that urllib3 wrapped, as cause or as argument."""
    wrapped = [each for each in (error.__cause__, *error.args) if isinstance(each, Exception)]
    return _root_cause(wrapped[0]) if wrapped else error


def _how(cause: BaseException) -> FailureKind:
    """Say by its type how *cause* kept the gateway from answering."""
    if isinstance(cause, (TimeoutError, TimeoutException)):
        return "timeout"
    broken = isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError))  # closed amid TLS
    return "tls" if isinstance(cause, ssl.SSLError) and not broken else "connection"
