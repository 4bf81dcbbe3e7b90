"""P7: C10 faults in HTTP, TLS and timing, over real sockets with a private certificate authority.

Each call must end half a second after its deadline at the latest, and no byte of a request may be
sent to an untrusted server.
"""

import datetime as dt
import gc
import json
import resource
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import trustme

from payresult.errors import GatewayUnavailable, InvalidReply
from payresult.gateway.client import GatewayClient
from tests.fault_injection.results import Run
from tests.support.fault_server import HEAD, FaultServer, Line, black_hole, closed_port

PARTNER, PAY_ID = "P000818", "20190321192436"
BODY = json.dumps({"partnerCode": PARTNER, "payId": PAY_ID, "payRst": "success"}).encode()
DEADLINE, GRACE = 0.5, 0.5
"""Seconds."""

ATTEMPTS = 3
"""A call that is late, or without an answer at its deadline, is repeated: the machine may have been
busy, but not each time."""

MAX_GROWTH_KB = 10 * 1024
"""By how much the process may grow."""

MAX_CONCURRENCY = 8
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LONG = HEAD + b"Content-Length: 4096\r\n\r\n"
YEAR = dt.timedelta(days=365)

Script = Callable[[Line], object]


def sends(raw: bytes, end: Callable[[Line], object] = Line.close) -> Script:
    """Send *raw* as the response, then call *end*."""

    def script(line: Line) -> None:
        line.request()
        line.forget()  # the server's list of requests would grow
        line.send(raw)
        end(line)

    return script


def slowly(endless: bytes) -> Callable[[Line], object]:
    """Return an end: *endless* repeatedly, byte by byte."""
    return lambda line: line.dribble(endless * 400)


def forever(endless: bytes) -> Callable[[Line], object]:
    """Return an end: *endless* repeatedly, as fast as possible."""

    def flood(line: Line) -> None:
        while True:
            line.send(endless * 1000)

    return flood


FAULTS: dict[str, Script] = {
    "a valid response": sends(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY),
    "silence": sends(b"", Line.pause),
    "a slow status line": sends(b"", slowly(b"HTTP/1.1 200 OK ")),
    "slow headers": sends(HEAD, slowly(b"X-A: b\r\n")),
    "a slow body": sends(LONG, slowly(b" ")),
    "a slow body without a length": sends(HEAD + b"\r\n", slowly(b" ")),
    "slow chunks": sends(CHUNKED, slowly(b"1\r\n \r\n")),
    "a flood of 100s": sends(b"", forever(b"HTTP/1.1 100 x\r\n\r\n")),
    "a flood of headers": sends(HEAD, forever(b"X-A: b\r\n")),
    "a header without end": sends(HEAD + b"X-A: ", forever(b"b")),
    "a body without end": sends(HEAD + b"\r\n", forever(b" ")),
    "chunks without end": sends(CHUNKED, forever(b"400\r\n" + b" " * 1024 + b"\r\n")),
    "a huge body": sends(HEAD + b"Content-Length: 999999999999\r\n\r\n", forever(b" ")),
    "a body cut off": sends(LONG + b" "),
    "chunks cut off": sends(CHUNKED + b"ff\r\n "),
    "a chunk of no size": sends(CHUNKED + b"-1\r\n "),
    "headers cut off": sends(HEAD, Line.half_close),
    "a reset": sends(b"", Line.reset),
    "a reset in the body": sends(LONG + b" ", Line.reset),
    "no HTTP at all": sends(b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n"),
    "a redirect": sends(b"HTTP/1.1 302 x\r\nLocation: https://x\r\n\r\n"),
    "no content": sends(b"HTTP/1.1 204 x\r\n\r\n"),
    "404": sends(b"HTTP/1.1 404 x\r\nContent-Length: 2\r\n\r\n{}"),
    "a page": sends(HEAD + b"Content-Length: 6\r\n\r\n<html>"),
    "an envelope": sends(HEAD + b'Content-Length: 11\r\n\r\n{"data":{}}'),
    "429": sends(b"HTTP/1.1 429 x\r\nRetry-After: -1\r\n\r\n"),
    "503": sends(b"HTTP/1.1 503 x\r\n\r\n"),
    "a packed body": sends(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b"),
}
"""By fault, the script of the server."""

UNAVAILABLE = "GatewayUnavailable"
OTHERWISE = {"a valid response": "Reply", "404": "InvalidReply", "an envelope": "InvalidReply"}
"""The type of the result or of the exception, where it is not UNAVAILABLE."""

UNTRUSTED = ("another host", "expired", "another authority", "TLS 1.1", "no TLS")
UNREACHABLE = ("connection not accepted", "closed port", "unknown host")


class Endpoint(NamedTuple):
    """An address with a fault, and the expected result of a query to it.

    ``received`` returns the number of requests that an untrusted server received.
    """

    name: str
    url: str
    expected: str
    received: Callable[[], int] = lambda: 0
    trusted: bool = True


def wire(run: Run) -> None:
    """Query each endpoint *size* times, eight at a time, with one client for each."""
    authority = trustme.CA()
    with _endpoints(authority) as endpoints, ThreadPoolExecutor(MAX_CONCURRENCY) as pool:
        clients = [_client(each.url, authority) for each in endpoints]
        before = 0
        for number in run.numbers():
            run.problems += filter(None, pool.map(_query, endpoints, clients))
            # after half of the rounds each thread has loaded all that is loaded once
            before = _memory_kb() if number <= run.size // 2 else before
        grown = _memory_kb() - before
        run.problems += [
            f"a request was sent to: {each.name}" for each in endpoints if _leaked(each)
        ]
    run.problems += [f"grown by {grown} KB"] if grown > MAX_GROWTH_KB else []
    run.tries = run.size * len(endpoints)
    run.faults = run.tries - run.size


def _leaked(endpoint: Endpoint) -> bool:
    return not endpoint.trusted and endpoint.received() > 0


def _memory_kb() -> int:
    """Return the resident size of this process, on systems without /proc its peak so far."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(statm.read_text(encoding="ascii").split()[1]) * resource.getpagesize() // 1024


def _client(url: str, authority: trustme.CA) -> GatewayClient:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    authority.configure_trust(context)
    return GatewayClient(url, PARTNER, ssl_context=context, deadline=DEADLINE)


def _query(endpoint: Endpoint, client: GatewayClient) -> str:
    """Make a query; return the problem, "" if there is none."""
    result, late = "", 0.0
    for _ in range(ATTEMPTS):
        start = time.monotonic()
        try:
            result = type(client.query(PAY_ID)).__name__
        except (GatewayUnavailable, InvalidReply) as error:
            result = type(error).__name__
        late = time.monotonic() - start - DEADLINE
        if result not in {endpoint.expected, UNAVAILABLE}:
            break
        if result == endpoint.expected and late <= GRACE:
            return ""
    return f"{endpoint.name}: {result}, {late:.2f} s after the deadline"


@contextmanager
def _endpoints(authority: trustme.CA) -> Iterator[list[Endpoint]]:
    trusted = _context(authority.issue_cert("127.0.0.1"))
    with ExitStack() as stack:
        endpoints = []
        for name, script in FAULTS.items():
            server = stack.enter_context(FaultServer(script, trusted))
            url = f"https://127.0.0.1:{server.port}"
            endpoints.append(Endpoint(name, url, OTHERWISE.get(name, UNAVAILABLE)))
        for name, context in zip(UNTRUSTED, _untrusted_contexts(authority), strict=True):
            endpoints.append(_untrusted_endpoint(stack, name, context))
        hole = stack.enter_context(black_hole())
        closed = stack.enter_context(closed_port())
        hosts = (f"127.0.0.1:{hole[1]}", f"127.0.0.1:{closed}", "gateway.invalid")
        for name, host in zip(UNREACHABLE, hosts, strict=True):
            endpoints.append(Endpoint(name, f"https://{host}", UNAVAILABLE))
        yield endpoints


def _untrusted_endpoint(stack: ExitStack, name: str, context: ssl.SSLContext | None) -> Endpoint:
    received: list[bytes] = []

    def listen(line: Line) -> None:
        if context is not None:
            line.request()
            received.append(b"a whole request")
        else:
            with line.raw() as sock:
                received.extend([data] if PARTNER.encode() in (data := sock.recv(65_536)) else [])

    server = stack.enter_context(FaultServer(listen, context))
    url = f"https://127.0.0.1:{server.port}"
    return Endpoint(name, url, UNAVAILABLE, lambda: len(received), trusted=False)


def _untrusted_contexts(authority: trustme.CA) -> Iterator[ssl.SSLContext | None]:
    """Yield the servers' TLS contexts for UNTRUSTED; None is a server without TLS."""
    yield _context(authority.issue_cert("gateway.example"))
    past = dt.datetime.now(dt.UTC) - YEAR
    yield _context(authority.issue_cert("127.0.0.1", not_before=past - YEAR, not_after=past))
    yield _context(trustme.CA().issue_cert("127.0.0.1"))
    old = _context(authority.issue_cert("127.0.0.1"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    yield old
    yield None


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
