"""Counts what AWS would bill of the real handlers on the campaigns' stage.

Not one figure here is guessed but those of ``durations``: each call, item, message, event and
byte of the log is the one that the handlers made.
"""

from collections import Counter, defaultdict
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from payresult.domain.event import DETAIL_TYPE, SOURCE
from tests.benchmarks import sizes
from tests.benchmarks.durations import WAITS, Calls, billed, busy, measured, waited
from tests.benchmarks.logs import PLATFORM_LOG, written
from tests.fault_injection.fake_aws import Call
from tests.fault_injection.fake_gateway import Script
from tests.fault_injection.functions import Client
from tests.fault_injection.simulation import Stage
from tests.support.template import TEMPLATE, properties

GB = 1 << 30

INDEX = ("workShard", "workAt")


def memory_of(function: str) -> int:
    """The MB that the template gives to a function."""
    everywhere: int = TEMPLATE["Globals"]["Function"]["MemorySize"]
    own: int = properties(f"{function.capitalize()}Function").get("MemorySize", everywhere)
    return own


class Meter:
    """A stage with a bill; its queue gives out *batch* messages at most.

    ``used`` is by the name of a price, ``shards`` has the writes to each part of the index.
    """

    def __init__(self, script: Script, dice: Random, *, batch: int = 10) -> None:
        self.used: defaultdict[str, float] = defaultdict(float)
        self.shards: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.invocations: Counter[str] = Counter()
        self._calls: Calls = Counter()
        self._cpu = measured()
        self.stage = Stage(script, dice, wrap=self._connect)
        self.stage.queue.batch = batch
        self.stage.before = self._poller
        self.stage.host = self

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Hand *event* to a handler, as a stage's host does, and put the invocation on the bill."""
        now = self.stage.now
        self._calls.clear()
        with written(name) as log:
            answer = self.stage.functions.invoke(name, event)
        self.stage.now = now  # the next invocation runs beside this one
        records = len(event.get("Records", ())) or self._calls["table", "update_item"]
        self.records[name] += records
        self.invocations[name] += 1
        memory = memory_of(name)
        duration = billed(waited(self._calls), busy(name, records, self._cpu), memory)
        self.used["Lambda requests"] += 1
        self.used["Lambda arm64 GB-s"] += memory / 1024 * duration / 1000
        self.used["log GB"] += len((log.getvalue() + PLATFORM_LOG).encode()) / GB
        if name == "checks":
            self.used["SQS requests"] += 1  # the poller's ReceiveMessage
        return answer

    def reset(self) -> None:
        """Begin a new bill."""
        self.used.clear()
        self.shards.clear()
        self.records.clear()
        self.invocations.clear()

    def count(self, edge: str, operation: str, request: dict[str, Any]) -> None:
        """Put a call on the bill that is about to be made; its waiting is the invocation's."""
        self._calls[edge, operation] += 1
        if operation == "query" and edge == "gateway":
            self.stage.now += int(WAITS["gateway"])
        elif operation == "send_message_batch":
            bodies = (entry["MessageBody"] for entry in request["Entries"])
            self.used["SQS requests"] += sizes.chunks(*bodies)
        elif operation == "put_events":
            for entry in request["Entries"]:
                self.used["events"] += sizes.chunks(SOURCE, DETAIL_TYPE, entry["Detail"])
                self.used["archived GB"] += len(entry["Detail"].encode()) / GB

    def count_reads(self, request: dict[str, Any]) -> None:
        """Put a read on the bill: of items by their keys, or of a part of the index."""
        items = self.stage.table.items
        if "RequestItems" in request:
            [asked] = request["RequestItems"].values()
            found = [items.get(key["pk"]["S"]) for key in asked["Keys"]]
            self.used["read units"] += sizes.read_units(found)
        else:
            values = request["ExpressionAttributeValues"]
            entries = [_entry(item) for item in items.values() if _found(item, values)]
            self.used["read units"] += sizes.query_units(entries[: request.get("Limit")])

    def count_write(self, old: sizes.Item | None, new: sizes.Item | None) -> None:
        """Put a write on the bill; *new* None: its condition failed."""
        self.used["table write units"] += sizes.write_units(old, new)
        if new is not None:
            for entry in sizes.index_writes(old, new, INDEX):
                self.used["index write units"] += 1
                self.shards[entry["workShard"]["S"]] += 1

    def _connect(self, _stage: Stage, _role: str, edge: str, client: Client) -> Client:
        return _Metered(self, edge, client)

    def _poller(self, call: Call) -> None:
        if str(call) == "checks: after delete_message_batch":
            self.used["SQS requests"] += 1


class _Metered:
    """A client whose calls are counted."""

    def __init__(self, meter: Meter, edge: str, client: Client) -> None:
        self._meter = meter
        self._edge = edge
        self._client = client

    def __getattr__(self, operation: str) -> Any:
        made = getattr(self._client, operation)

        def call(**request: Any) -> Any:
            self._meter.count(self._edge, operation, request)
            if operation == "update_item":
                return self._write(made, request)
            if self._edge == "table":
                self._meter.count_reads(request)
            return made(**request)

        return call

    def get_paginator(self, operation: str) -> "_Metered":
        """A paginator whose only page is counted."""
        return _Metered(self._meter, self._edge, self._client.get_paginator(operation))

    def _write(self, made: Any, request: dict[str, Any]) -> Any:
        items = self._meter.stage.table.items
        pk = request["Key"]["pk"]["S"]
        old = items.get(pk)
        try:
            answer = made(**request)
        except ClientError:
            self._meter.count_write(old, None)
            raise
        self._meter.count_write(old, items[pk])
        return answer


def _found(item: sizes.Item, values: dict[str, Any]) -> bool:
    """Say whether a query of the index for *values* reads the entry of *item*."""
    if item.get("workShard") != values[":shard"]:
        return False
    return ":now" not in values or int(item["workAt"]["N"]) <= int(values[":now"]["N"])


def _entry(item: sizes.Item) -> sizes.Item:
    return {name: item[name] for name in ("pk", *INDEX)}
