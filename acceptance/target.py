"""The system as a case sees it: by HTTP, queues, AWS's APIs and the command line tool only."""

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Lock
from typing import Any, NamedTuple, TypeVar

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from payresult_cli.app import main
from payresult_cli.context import Dependencies
from payresult_cli.stack import Stack, find_stack
from sandbox.audit import AuditQueueReader
from sandbox.client import Client

T = TypeVar("T")

SERVICES = ("cloudformation", "dynamodb", "events", "lambda", "sqs")

CHECK_DELAYS = (2,) * 31
"""The stack's CheckDelays during the run: 32 checks in a minute, so more than the 16 after which
Lambda's loop detection would end the chain."""

_ONE_COMMAND = Lock()
"""Commands write to the stdout of this process, and cases run beside each other."""

HTTP_SECONDS = 40
POLL_SECONDS = 0.5


class CaseFailed(Exception):
    """What was expected did not happen; the message says what did."""


class NotHere(Exception):
    """The emulator cannot show this; the message says why."""


class HttpResponse(NamedTuple):
    """A response of the API."""

    status: int
    body: Any


class Emulator(NamedTuple):
    """The addresses of the emulator, of the gateway on loopback, and of payresult's API.

    ``client`` is what the sandbox uses.
    """

    endpoint_url: str
    gateway_url: str
    api_url: str
    client: Client


@dataclass(frozen=True, slots=True)
class Target:
    """A payresult stack whose gateway is the simulated one.

    ``run`` makes the payIds of this run different from all others; ``used`` has all of them.
    ``stopping`` is set when the run ends. Cases run in threads, and a Session is not thread-safe,
    so ``clients`` has the client of each of SERVICES.
    """

    session: boto3.Session
    clients: Mapping[str, Any]
    name: str
    outputs: dict[str, str]
    events: AuditQueueReader
    run: str
    emulator: Emulator | None = None
    used: set[str] = field(default_factory=set)
    stopping: Event = field(default_factory=Event)
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def emulated(self) -> bool:
        """True on the emulator."""
        return self.emulator is not None

    @property
    def endpoint_url(self) -> str | None:
        """The address of all of AWS's APIs; None on AWS."""
        return self.emulator.endpoint_url if self.emulator else None

    @property
    def api_url(self) -> str:
        """The address of payresult's API."""
        return self.emulator.api_url if self.emulator else self.outputs["ApiUrl"]

    def client(self, service: str) -> Any:
        """Return the boto3 client of one of SERVICES."""
        return self.clients[service]

    def pay_id(self, scenario: str) -> str:
        """Return a payId that is used for the first time; *scenario* as in gateway_function."""
        found = f"{scenario}-{self.run}-{next(self._numbers)}"
        self.used.add(found)
        return found

    def call(
        self, method: str, path: str, body: object = None, *, signed: bool = True
    ) -> HttpResponse:
        """Return the response to a call of the HTTP API."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        request = AWSRequest(method, self.api_url + path, headers, content)
        if signed:
            credentials: Any = self.session.get_credentials()
            SigV4Auth(
                credentials.get_frozen_credentials(), "execute-api", self.session.region_name
            ).add_auth(request)
        response = URLLib3Session(timeout=HTTP_SECONDS).send(request.prepare())
        try:
            return HttpResponse(response.status_code, json.loads(response.content))
        except ValueError:
            return HttpResponse(response.status_code, None)

    def put(self, pay_id: str) -> HttpResponse:
        """PUT /payments/{payId}, with an order of its own, over the amount of the gateway."""
        order = {"orderId": pay_id, "expectedAmount": "19.99", "currency": "USD"}
        return self.call("PUT", f"/payments/{pay_id}", order)

    def get(self, pay_id: str) -> HttpResponse:
        """GET /payments/{payId}."""
        return self.call("GET", f"/payments/{pay_id}")

    def send(self, message: object) -> None:
        """Send a message to the checks queue, a str unchanged."""
        body = message if isinstance(message, str) else json.dumps(message)
        self.client("sqs").send_message(QueueUrl=self.outputs["ChecksQueueUrl"], MessageBody=body)

    def cli(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        """Run a command of cli/payresult; return its exit code and the objects it wrote."""

        def load_stack(_name: str, *, sandbox: bool) -> Stack:
            assert not sandbox  # noqa: S101 - no --sandbox is given
            return find_stack(self.session, self.name, self.endpoint_url, self.api_url)

        out, err = io.StringIO(), io.StringIO()
        with _ONE_COMMAND, redirect_stdout(out), redirect_stderr(err):
            code = main([*arguments, "--json"], Dependencies(load_stack=load_stack))
        if code > 1:
            raise CaseFailed(err.getvalue().strip())
        return code, [json.loads(line) for line in out.getvalue().splitlines()]

    def explained(self, pay_id: str) -> dict[str, Any]:
        """Return what `explain` knows about a payment."""
        _, records = self.cli("explain", pay_id)
        return records[0] if records else {}

    def eventually(
        self,
        what: str,
        probe: Callable[[], T | None],
        seconds: float,
        every: float = POLL_SECONDS,
    ) -> T:
        """Return the first true result of *probe*; CaseFailed names *what* after *seconds*."""
        deadline = time.monotonic() + seconds
        while not (found := probe()):
            if time.monotonic() > deadline:
                raise CaseFailed(f"{what}: not within {seconds:g} s")
            self.wait(every)
        return found

    def wait(self, seconds: float) -> None:
        """Let time pass. CaseFailed if the run is stopped."""
        if self.stopping.wait(seconds):
            raise CaseFailed("stopped")

    def sweep(self, pay_id: str | None = None) -> None:
        """Run the sweeper now, on the emulator only, with the payment due: AWS's schedule comes."""
        if self.emulator and pay_id:
            self.emulator.client.make_due(pay_id)
        if self.emulator:
            self.emulator.client.sweep()

    def expect_event(self, pay_id: str, seconds: float = 120) -> float:
        """Wait for the first event of a payment; return its time from the gateway's answer."""
        found = self.eventually(
            f"the event of {pay_id}", lambda: self.events.arrivals(pay_id), seconds
        )
        return found[0].latency


def expect(statement: str, found: object, expected: object) -> None:
    """Raise CaseFailed if *found* is not *expected*."""
    if found != expected:
        raise CaseFailed(f"{statement}: {found!r}, not {expected!r}")
