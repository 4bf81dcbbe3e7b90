"""The whole system on a virtual clock: the real handlers, with their dependencies in memory.

Each call to a dependency passes through ``Simulation.call``, where a campaign may observe it,
end the invocation, raise an error, or let a concurrent invocation run first.
"""

import json
from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Protocol

from botocore.exceptions import ClientError

from payresult.errors import ReadIncomplete
from tests.support.factories import DELAYS
from tests.support.fake_aws import (
    NEVER,
    Bus,
    Call,
    Crash,
    Message,
    Queue,
    operation_kind,
    pay_id_of,
)
from tests.support.fake_gateway import DAY, MINUTE, PARTNER, Gateway, Script
from tests.support.functions import Client, Functions
from tests.support.memory_table import InMemoryDynamoDB, ItemChange
from tests.support.oracle import Verdict, evaluate

START = 1_795_341_600_000
"""2026-11-22T10:00:00Z."""

ABORTED = (Crash, ClientError, ReadIncomplete)
"""The exceptions of an invocation that ends without a result."""

MAX_STREAM_ATTEMPTS = 4
"""One attempt and three retries."""

ClientWrapper = Callable[["Simulation", str, str, Client], Client]
"""Returns the client to use instead: (simulation, function, dependency, client) to client."""


def unwrapped(
    _simulation: "Simulation", _function: str, _dependency: str, client: Client
) -> Client:
    """Return *client*: the design as it is."""
    return client


class FunctionHost(Protocol):
    """Runs the functions."""

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Invoke a function with *event*. Raises Crash where its process ends."""


class Simulation:
    """One run. *script* has the gateway's responses; *rng* makes all random decisions.

    ``now`` is the virtual time in milliseconds, ``on_call`` is called before and after each call to
    a dependency, ``faults`` counts the injected faults.
    """

    def __init__(
        self,
        script: Script,
        rng: Random,
        *,
        delays: Sequence[int] = DELAYS,
        wrap: ClientWrapper = unwrapped,
        table: Callable[[Callable[[ItemChange], None]], Any] = InMemoryDynamoDB,
        retention_days: int = 0,
    ) -> None:
        self.now = START
        self.on_call: Callable[[Call], None] = lambda _: None
        self.pass_time: Callable[[float], None] = self._pass_time
        self.stream_enabled = True
        self.sweeper_enabled = True
        self.checks_enabled = True
        self.stream: deque[tuple[ItemChange, int]] = deque()
        self.faults = 0
        self.gateway = Gateway(script, lambda: self.now)
        self.queue = Queue(lambda: self.now)
        self.bus = Bus(lambda: self.now)
        self.dynamodb: InMemoryDynamoDB = table(self._on_change)
        self.dependencies: dict[str, Any] = {
            "table": self.dynamodb,
            "queue": self.queue,
            "bus": self.bus,
            "gateway": self.gateway,
        }
        self._wrap = wrap
        self.functions = Functions(
            self.connect,
            lambda: self.now / 1000,
            rng.random,
            delays,
            sleep=self.sleep,
            retention_days=retention_days,
        )
        self.host: FunctionHost = self.functions

    def connect(self, function: str, dependency: str) -> Client:
        """Return the client of a function for a dependency."""
        client = _InterceptedClient(self, function, dependency)
        return self._wrap(self, function, dependency, client)

    def call(self, function: str, dependency: str, operation: str, request: dict[str, Any]) -> Any:
        """Make a call; ``on_call`` may end it before or after."""
        kind, pay_id = operation_kind(operation, request), pay_id_of(operation, request)
        self.on_call(Call(function, "before", kind, pay_id))
        response = getattr(self.dependencies[dependency], operation)(**request)
        self.on_call(Call(function, "after", kind, pay_id))
        return response

    def crash(self) -> None:
        """End the invocation that is running."""
        self.faults += 1
        raise Crash

    # The users' actions

    def send_order(self, pay_id: str, **fields: str) -> None:
        """Send a message to the queue, as an order service does."""
        self.queue.put(json.dumps({"payId": pay_id} | fields))

    def put_payment(self, pay_id: str, **fields: str) -> int:
        """Return the HTTP status of PUT /payments/{payId}."""
        return self._request("PUT", pay_id, body=json.dumps(fields))[0]

    def get_payment(self, pay_id: str) -> int:
        """Return the HTTP status of GET /payments/{payId}."""
        return self.look_up(pay_id)[0]

    def look_up(self, pay_id: str) -> tuple[int, dict[str, Any]]:
        """Return HTTP status and body of GET /payments/{payId}."""
        return self._request("GET", pay_id)

    def wait_for(self, pay_id: str, seconds: int) -> tuple[int, dict[str, Any]]:
        """Return HTTP status and body of GET /payments/{payId}/wait; see ``sleep``."""
        query = {"seconds": str(seconds)}
        return self._request("GET", pay_id, "/wait", queryStringParameters=query)

    def _request(
        self, method: str, pay_id: str, tail: str = "", **more: Any
    ) -> tuple[int, dict[str, Any]]:
        route = {"routeKey": f"{method} /payments/{{payId}}{tail}"}
        event = route | {"pathParameters": {"payId": pay_id}} | more
        response = self.host.invoke("api", event)
        return response["statusCode"], json.loads(response["body"])

    # The passing of time

    def sleep(self, seconds: float) -> None:
        """Sleep as a caller who waits; ``Waiters`` lets other callers run meanwhile."""
        self.pass_time(seconds)

    def _pass_time(self, seconds: float) -> None:
        end = self.now + round(seconds * 1000)
        self.run(end - self.now)
        self.now = end

    def run(self, duration: int) -> None:
        """Run for *duration* milliseconds, or less if nothing is left to do."""
        end = self.now + duration
        while True:
            if self.stream and self.stream_enabled:
                self.deliver_changes()
                continue
            at = min(self._next_message(), self._next_sweep())
            if at > end:
                break
            self.now = max(at, self.now)
            if self._next_message() <= self.now:
                self.deliver_messages()
            else:
                self.sweep()
        # A sweep that crashed has moved the clock by a minute, perhaps beyond the end.
        self.now = max(end, self.now) if at < NEVER else self.now

    def run_to_completion(self) -> None:
        """Run without crashes until all is done, with one redrive of the dead letters."""
        self.stream_enabled = self.sweeper_enabled = True
        self.on_call = lambda _: None
        self.run(12 * DAY)
        self.queue.redrive()
        self.run(12 * DAY)

    def deliver_messages(self) -> None:
        """Deliver a batch of visible messages; after a crash they are delivered again."""
        batch = self.queue.receive()
        try:
            failed = self.handle(batch)
            self.call("checks", "queue", "delete_message_batch", {})
        except ABORTED:
            failed = batch
        for message in failed:
            self.queue.return_failed(message)

    def handle(self, batch: list[Message]) -> list[Message]:
        """Invoke ``checks`` with *batch*, and return the failed messages."""
        ids = {str(message.number): message for message in batch}
        records = [_message_record(key, message) for key, message in ids.items()]
        response = self.host.invoke("checks", {"Records": records})
        return [ids[each["itemIdentifier"]] for each in response["batchItemFailures"]]

    def sweep(self) -> None:
        """Invoke the sweeper once; after a crash it is invoked again in the next minute."""
        try:
            self.host.invoke("sweeper", {})
        except ABORTED:
            self.now += MINUTE

    def deliver_changes(self) -> None:
        """Deliver up to ten changes of the table; from the first failed one on they are retried."""
        batch = [self.stream.popleft() for _ in range(min(10, len(self.stream)))]
        records = [_record(number, change) for number, (change, _) in enumerate(batch)]
        try:
            response = self.host.invoke("publisher", {"Records": records})
            failed = [int(each["itemIdentifier"]) for each in response["batchItemFailures"]]
            retried = batch[min(failed) :] if failed else []
        except ABORTED:
            retried = batch
        left = [(change, tried + 1) for change, tried in retried if tried < MAX_STREAM_ATTEMPTS]
        self.stream.extendleft(reversed(left))

    def verdict(self, paid: set[str] | frozenset[str] = frozenset()) -> Verdict:
        """Return the oracle's verdict on this run; *paid* are the payIds that need an event."""
        prefix = f"{PARTNER}#"
        stored = self.dynamodb.items.items()
        table = {pk.removeprefix(prefix): item for pk, item in stored if "status" in item}
        return evaluate(self.gateway.log, self.bus.log, table, paid)

    def next_due(self) -> int:
        """Return the smallest ``workAt`` in the table, NEVER if there is none."""
        return self.dynamodb.next_due()

    def _on_change(self, change: ItemChange) -> None:
        """Add *change* to the stream if it passes the filter of the event source mapping."""
        if change.new.get("eventState") == {"S": "PENDING"}:
            self.stream.append((change, 1))

    def _next_message(self) -> int:
        """Return when the next message is delivered: never while the event source is off."""
        return self.queue.next_visible_at() if self.checks_enabled else NEVER

    def _next_sweep(self) -> int:
        """Return the next full minute in which the sweeper has work."""
        due = self.next_due() if self.sweeper_enabled else NEVER
        return due if due == NEVER else -(-max(due, self.now + 1) // MINUTE) * MINUTE


class _InterceptedClient:
    """A client whose calls pass through ``Simulation.call``."""

    def __init__(self, simulation: Simulation, function: str, dependency: str) -> None:
        self._simulation = simulation
        self._function = function
        self._dependency = dependency

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            return self._simulation.call(self._function, self._dependency, operation, request)

        return call


def _message_record(key: str, message: Message) -> dict[str, Any]:
    attributes = {"SentTimestamp": str(message.sent_at)}
    return {"messageId": key, "body": message.body, "attributes": attributes}


def _record(number: int, change: ItemChange) -> dict[str, Any]:
    images = {"NewImage": change.new} | ({"OldImage": change.old} if change.old else {})
    return {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": str(number)} | images}
