"""The whole system on a clock of its own, and everything that can be done to it.

The handlers are the real ones, the edges are in memory. Each call to an edge passes through
``call``, where a campaign may look, crash, refuse, or let somebody else go first.
"""

import json
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from botocore.exceptions import ClientError

from tests.fault_injection.fake_aws import (
    NEVER,
    Bus,
    Call,
    Crash,
    Message,
    Queue,
    kind_of,
    pay_id_of,
)
from tests.fault_injection.fake_gateway import DAY, MINUTE, PARTNER, Gateway, Script
from tests.fault_injection.functions import Client, Functions
from tests.fault_injection.memory_table import Image, Memory
from tests.fault_injection.oracle import Verdict, judge

START = 1_795_341_600_000
"""2026-11-22T10:00:00Z."""

DELAYS = (
    *(5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 900, 900),
    *(3600,) * 5,
    *(21600,) * 3,
    *(86400,) * 6,
)
"""The schedule of design section 6."""

BROKEN_OFF = (Crash, ClientError)
"""How an invocation ends that returns nothing."""

STREAM_TRIES = 4
"""Once, and three retries."""

Wrap = Callable[["Stage", str, str, Client], Client]
"""A design: (stage, function, edge, client) to the client that the function has instead."""


def ours(_stage: "Stage", _role: str, _edge: str, client: Client) -> Client:
    """The design as it is."""
    return client


class Host(Protocol):
    """Where the functions run."""

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Hand *event* to a function; its answer, or a Crash."""


class Stage:
    """One run. *script* is the gateway's part, *dice* decide all that is left to chance."""

    def __init__(
        self,
        script: Script,
        dice: Random,
        *,
        delays: tuple[int, ...] = DELAYS,
        wrap: Wrap = ours,
        table: Callable[[Callable[[Image], None]], Any] = Memory,
    ) -> None:
        self.now = START
        self.before: Callable[[Call], None] = lambda _: None
        self.stream_alive = True
        self.sweeper_alive = True
        self.stream: deque[tuple[Image, int]] = deque()
        self.faults = 0
        self.gateway = Gateway(script, lambda: self.now)
        self.queue = Queue(lambda: self.now)
        self.bus = Bus(lambda: self.now)
        self.table: Memory = table(self._changed)
        self.edges = {
            "table": self.table,
            "queue": self.queue,
            "bus": self.bus,
            "gateway": self.gateway,
        }
        self._wrap = wrap
        self.functions = Functions(self.connect, lambda: self.now / 1000, dice.random, delays)
        self.host: Host = self.functions

    def connect(self, role: str, edge: str) -> Client:
        """The client of a function for an edge."""
        return self._wrap(self, role, edge, _Edge(self, role, edge))

    def call(self, role: str, edge: str, operation: str, request: dict[str, Any]) -> Any:
        """Make a call, unless the campaign ends it before."""
        kind, pay_id = kind_of(operation, request), pay_id_of(operation, request)
        self.before(Call(role, "before", kind, pay_id))
        answer = getattr(self.edges[edge], operation)(**request)
        self.before(Call(role, "after", kind, pay_id))
        return answer

    def crash(self) -> None:
        """End the invocation that is running."""
        self.faults += 1
        raise Crash

    # What people do

    def order(self, pay_id: str, **fields: str) -> None:
        """Send a message as an order service does."""
        self.queue.put(json.dumps({"payId": pay_id} | fields))

    def put(self, pay_id: str, **fields: str) -> int:
        """PUT /payments/{payId}; the HTTP status."""
        event = {"routeKey": "PUT /payments/{payId}", "body": json.dumps(fields)}
        return self._request(event | {"pathParameters": {"payId": pay_id}})

    def get(self, pay_id: str) -> int:
        """GET /payments/{payId}; the HTTP status."""
        event = {"routeKey": "GET /payments/{payId}", "pathParameters": {"payId": pay_id}}
        return self._request(event)

    def _request(self, event: dict[str, Any]) -> int:
        status: int = self.host.invoke("api", event)["statusCode"]
        return status

    # What time brings

    def run(self, duration: int) -> None:
        """Let *duration* milliseconds pass, or less if nothing is left to do."""
        end = self.now + duration
        while True:
            if self.stream and self.stream_alive:
                self.deliver_stream()
                continue
            at = min(self.queue.next_at(), self._next_sweep())
            if at > end:
                break
            self.now = max(at, self.now)
            if self.queue.next_at() <= self.now:
                self.deliver()
            else:
                self.sweep()
        self.now = end if at < NEVER else self.now

    def settle(self) -> None:
        """Let everything come to its end, with an operator who redrives what was buried."""
        self.stream_alive = self.sweeper_alive = True
        self.before = lambda _: None
        self.run(12 * DAY)
        self.queue.redrive()
        self.run(12 * DAY)

    def deliver(self) -> None:
        """Deliver what is visible, ten at most; a crash leaves it to be delivered again."""
        batch = self.queue.receive()
        for message in self._failed(batch):
            self.queue.give_back(message)

    def sweep(self) -> None:
        """Sweep once; a crash leaves it to the next minute."""
        try:
            self.host.invoke("sweeper", {})
        except BROKEN_OFF:
            self.now += MINUTE

    def deliver_stream(self) -> None:
        """Deliver ten changes at most; what failed comes again, with what stood behind it."""
        batch = [self.stream.popleft() for _ in range(min(10, len(self.stream)))]
        records = {str(number): _record(number, image) for number, (image, _) in enumerate(batch)}
        try:
            answer = self.host.invoke("publisher", {"Records": list(records.values())})
            failed = [int(each["itemIdentifier"]) for each in answer["batchItemFailures"]]
            again = batch[min(failed) :] if failed else []  # the stream goes on from the first one
        except BROKEN_OFF:
            again = batch
        left = [(image, tries + 1) for image, tries in again if tries < STREAM_TRIES]
        self.stream.extendleft(reversed(left))

    def verdict(self, paid: set[str] | frozenset[str] = frozenset()) -> Verdict:
        """What the judge says of this run."""
        prefix = f"{PARTNER}#"
        table = {pk.removeprefix(prefix): item for pk, item in self.table.items.items()}
        return judge(self.gateway.log, self.bus.log, table, paid)

    def _failed(self, batch: list[Message]) -> list[Message]:
        ids = {str(message.number): message for message in batch}
        records = [{"messageId": key, "body": message.body} for key, message in ids.items()]
        try:
            answer = self.host.invoke("checks", {"Records": records})
            self.call("checks", "queue", "delete_message_batch", {})
        except BROKEN_OFF:
            return batch
        return [ids[each["itemIdentifier"]] for each in answer["batchItemFailures"]]

    def _changed(self, image: Image) -> None:
        """The event source mapping's filter."""
        if image.new.get("eventState") == {"S": "PENDING"}:
            self.stream.append((image, 1))

    def _next_sweep(self) -> int:
        """The first full minute with work for the sweeper; it is idle in the others."""
        due = self.table.next_due() if self.sweeper_alive else NEVER
        return due if due == NEVER else -(-max(due, self.now + 1) // MINUTE) * MINUTE


class _Edge:
    def __init__(self, stage: Stage, role: str, edge: str) -> None:
        self._stage = stage
        self._role = role
        self._edge = edge

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation == "get_paginator":  # counting is no part of any promise
            return self._stage.table.get_paginator

        def call(**request: Any) -> Any:
            return self._stage.call(self._role, self._edge, operation, request)

        return call


def _record(number: int, image: Image) -> dict[str, Any]:
    change = {"NewImage": image.new, "SequenceNumber": str(number)}
    old = {"OldImage": image.old} if image.old else {}
    return {"eventName": "MODIFY", "dynamodb": change | old}
