"""C10: a gateway that breaks HTTP, TLS and time, over real sockets with certificates of our own.

Whatever it does, a call is back half a second after its deadline at the latest, and to whom the
client cannot trust no byte of a request goes.
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
from random import Random
from typing import NamedTuple

import trustme

from payresult.errors import GatewayUnavailable, InvalidReply
from payresult.gateway.client import GatewayClient
from sandbox.ports import free_port
from tests.fault_injection.oracle import Verdict
from tests.fault_injection.results import Outcome, Tick
from tests.support.fault_server import HEAD, FaultServer, Line, black_hole

PARTNER, PAY_ID = "P000818", "20190321192436"
BODY = json.dumps({"partnerCode": PARTNER, "payId": PAY_ID, "payRst": "success"}).encode()
DEADLINE, GRACE = 0.5, 0.5
GROWTH = 10 * 1024
"""Kilobytes that the process may grow by."""

AT_A_TIME = 8
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LONG = HEAD + b"Content-Length: 4096\r\n\r\n"
YEAR = dt.timedelta(days=365)

Script = Callable[[Line], object]


def _hear(line: Line) -> None:
    """Take a request, and do not keep it: there will be many."""
    line.request()
    line.forget()


def answer(raw: bytes, end: Callable[[Line], object] = Line.close) -> Script:
    """Send *raw* as the answer, then do *end*."""

    def script(line: Line) -> None:
        _hear(line)
        line.send(raw)
        end(line)

    return script


def dribble(start: bytes, endless: bytes) -> Script:
    """Send *start*, then *endless* a byte at a time."""

    def script(line: Line) -> None:
        _hear(line)
        line.send(start)
        line.dribble(endless * 400)

    return script


def flood(start: bytes, endless: bytes) -> Script:
    """Send *start*, then *endless* without end."""

    def script(line: Line) -> None:
        _hear(line)
        line.send(start)
        while True:
            line.send(endless * 1000)

    return script


BACK_IN_TIME: dict[str, tuple[Script, str]] = {
    "a good answer": (answer(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY), "Reply"),
    "silence": (answer(b"", Line.pause), "GatewayUnavailable"),
    "a slow status line": (dribble(b"", b"HTTP/1.1 200 OK "), "GatewayUnavailable"),
    "slow headers": (dribble(HEAD, b"X-A: b\r\n"), "GatewayUnavailable"),
    "a slow body": (dribble(LONG, b" "), "GatewayUnavailable"),
    "a slow body without a length": (dribble(HEAD + b"\r\n", b" "), "GatewayUnavailable"),
    "slow chunks": (dribble(CHUNKED, b"1\r\n \r\n"), "GatewayUnavailable"),
    "a flood of 100s": (flood(b"", b"HTTP/1.1 100 x\r\n\r\n"), "GatewayUnavailable"),
    "a flood of headers": (flood(HEAD, b"X-A: b\r\n"), "GatewayUnavailable"),
    "a header without end": (flood(HEAD + b"X-A: ", b"b"), "GatewayUnavailable"),
    "a body without end": (flood(HEAD + b"\r\n", b" "), "InvalidReply"),
    "chunks without end": (flood(CHUNKED, b"400\r\n" + b" " * 1024 + b"\r\n"), "InvalidReply"),
    "a huge body": (flood(HEAD + b"Content-Length: 999999999999\r\n\r\n", b" "), "InvalidReply"),
    "a body cut off": (answer(LONG + b" "), "GatewayUnavailable"),
    "chunks cut off": (answer(CHUNKED + b"ff\r\n "), "GatewayUnavailable"),
    "a chunk of no size": (answer(CHUNKED + b"-1\r\n "), "GatewayUnavailable"),
    "headers cut off": (answer(HEAD, Line.half_close), "GatewayUnavailable"),
    "a reset": (answer(b"", Line.reset), "GatewayUnavailable"),
    "a reset in the body": (answer(LONG + b" ", Line.reset), "GatewayUnavailable"),
    "no HTTP at all": (answer(b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n"), "GatewayUnavailable"),
    "a redirect": (answer(b"HTTP/1.1 302 x\r\nLocation: https://x\r\n\r\n"), "InvalidReply"),
    "no content": (answer(b"HTTP/1.1 204 x\r\n\r\n"), "InvalidReply"),
    "429": (answer(b"HTTP/1.1 429 x\r\nRetry-After: -1\r\n\r\n"), "GatewayUnavailable"),
    "503": (answer(b"HTTP/1.1 503 x\r\n\r\n"), "GatewayUnavailable"),
    "a packed body": (
        answer(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b"),
        "InvalidReply",
    ),
}
NOT_TO_BE_TRUSTED = ("another host", "expired", "another authority", "TLS 1.1", "no TLS")
NOWHERE = ("a black hole", "nobody", "no such name")


class Place(NamedTuple):
    """Where a fault is, and what a call should come to there.

    *heard* counts the requests that came to where none should.
    """

    name: str
    url: str
    expected: str
    heard: Callable[[], int] = lambda: 0
    trusted: bool = True


def wire(size: int, _dice: Random, tick: Tick) -> Outcome:
    """Meet each fault *size* times, eight at a time, by clients that last."""
    authority = trustme.CA()
    problems: list[str] = []
    with _places(authority) as places, ThreadPoolExecutor(AT_A_TIME) as pool:
        clients = [_client(each.url, authority) for each in places]
        before = 0
        for number in range(size):
            problems += filter(None, pool.map(_meet, places, clients))
            # By half-time all is loaded that is loaded once, by each thread; the rest is growth.
            before = _size() if number <= size // 2 else before
            tick(number / size)
        grown = _size() - before
        told = [f"told to: {each.name}" for each in places if not each.trusted and each.heard()]
    problems += [f"grown by {grown} KB"] if grown > GROWTH else []
    return Outcome(size * len(places), size * (len(places) - 1), Verdict(), (*problems, *told))


def _size() -> int:
    """The most memory that this process has had so far, in kilobytes."""
    gc.collect()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _client(url: str, authority: trustme.CA) -> GatewayClient:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    authority.configure_trust(context)
    return GatewayClient(url, PARTNER, ssl_context=context, deadline=DEADLINE)


def _meet(place: Place, client: GatewayClient) -> str:
    """Call once; return what was wrong with how it ended."""
    start = time.monotonic()
    try:
        came = type(client.query(PAY_ID)).__name__
    except (GatewayUnavailable, InvalidReply) as error:
        came = type(error).__name__
    late = time.monotonic() - start - DEADLINE
    if late > GRACE:
        return f"{place.name}: {late:.2f} s after the deadline"
    return "" if came == place.expected else f"{place.name}: {came}"


@contextmanager
def _places(authority: trustme.CA) -> Iterator[list[Place]]:
    good = _context(authority.issue_cert("127.0.0.1"))
    with ExitStack() as stack:
        places = []
        for name, (script, expected) in BACK_IN_TIME.items():
            server = stack.enter_context(FaultServer(script, good))
            places.append(Place(name, f"https://127.0.0.1:{server.port}", expected))
        for name, context in zip(NOT_TO_BE_TRUSTED, _untrusted(authority), strict=True):
            places.append(_untrusted_place(stack, name, context))
        hole = stack.enter_context(black_hole())
        hosts = (f"127.0.0.1:{hole[1]}", f"127.0.0.1:{free_port()}", "gateway.invalid")
        for name, host in zip(NOWHERE, hosts, strict=True):
            places.append(Place(name, f"https://{host}", "GatewayUnavailable"))
        yield places


def _untrusted_place(stack: ExitStack, name: str, context: ssl.SSLContext | None) -> Place:
    heard: list[bytes] = []

    def listen(line: Line) -> None:
        if context is not None:
            line.request()
            heard.append(b"a request, and all of it")
        else:
            with line.raw() as sock:
                heard.extend([data] if PARTNER.encode() in (data := sock.recv(65_536)) else [])

    server = stack.enter_context(FaultServer(listen, context))
    url = f"https://127.0.0.1:{server.port}"
    return Place(name, url, "GatewayUnavailable", lambda: len(heard), trusted=False)


def _untrusted(authority: trustme.CA) -> Iterator[ssl.SSLContext | None]:
    """The servers' sides of NOT_TO_BE_TRUSTED."""
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
