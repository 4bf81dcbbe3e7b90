"""Counts what AWS would bill for the real handlers in the simulation of the campaigns.

The calls, items, messages, events and bytes of log are those of the handlers; only the figures of
``durations`` are assumptions.
"""

from collections import Counter, defaultdict
from itertools import islice
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from payresult.domain.event import DETAIL_TYPE, SOURCE
from tests.benchmarks import sizes
from tests.benchmarks.durations import WAITS, Calls, billed_ms, cpu_ms, measured, wait_ms
from tests.benchmarks.logs import PLATFORM_LOG, written
from tests.support.fake_aws import Call, operation_kind
from tests.support.fake_gateway import Script
from tests.support.functions import Client
from tests.support.simulation import Simulation
from tests.support.template import TEMPLATE, properties

GB = 1 << 30

INDEXES: dict[str, tuple[str, ...]] = {
    index["IndexName"]: tuple(key["AttributeName"] for key in index["KeySchema"])
    for index in properties("Table")["GlobalSecondaryIndexes"]
}
"""The keys of each index; an index has nothing else. What TTL deletes is not billed (AWS, DynamoDB
developer guide, "Using time to live (TTL)")."""


def memory_of(function: str) -> int:
    """Return the memory of a function in the template, in MB."""
    default: int = TEMPLATE["Globals"]["Function"]["MemorySize"]
    memory: int = properties(f"{function.capitalize()}Function").get("MemorySize", default)
    return memory


class Meter:
    """A simulation with a meter; its queue delivers up to *batch* messages at a time.

    ``used`` is by the name of a price, ``shards`` has the number of writes to each shard of the
    index.
    """

    def __init__(self, script: Script, rng: Random, *, batch: int = 10) -> None:
        self.used: defaultdict[str, float] = defaultdict(float)
        self.shards: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.invocations: Counter[str] = Counter()
        self._calls: Calls = Counter()
        self._slept = False
        self._cpu = measured()
        self.simulation = Simulation(script, rng, wrap=self._connect)
        self.simulation.queue.batch_size = batch
        self.simulation.on_call = self._poller
        self.simulation.host = self
        self.simulation.pass_time = self._sleep

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Invoke a function, as the simulation's host, and count the invocation."""
        now = self.simulation.now
        self._calls.clear()
        self._slept = False
        with written(name) as log:
            result = self.simulation.functions.invoke(name, event)
        # Who sleeps wakes by the clock, so the calls to AWS are within the time that passed.
        waited = self.simulation.now - now if self._slept else wait_ms(self._calls)
        self.simulation.now = now  # the next invocation is concurrent
        records = len(event.get("Records", ())) or self._calls["table", "update_item"]
        self.records[name] += records
        self.invocations[name] += 1
        memory = memory_of(name)
        duration = billed_ms(waited, cpu_ms(name, records, self._cpu), memory)
        self.used["Lambda requests"] += 1
        self.used["Lambda arm64 GB-s"] += memory / 1024 * duration / 1000
        self.used["log GB"] += len((log.getvalue() + PLATFORM_LOG).encode()) / GB
        if name == "checks":
            self.used["SQS requests"] += 1  # the poller's ReceiveMessage
        return result

    def reset(self) -> None:
        """Set all counts to zero."""
        self.used.clear()
        self.shards.clear()
        self.records.clear()
        self.invocations.clear()

    def count(self, dependency: str, operation: str, request: dict[str, Any]) -> None:
        """Count a call before it is made."""
        claims = dependency == "table" and operation_kind(operation, request) == "claim order"
        self._calls[dependency, "claim order" if claims else operation] += 1
        if operation == "query" and dependency == "gateway":
            self.simulation.now += int(WAITS["gateway"])
        elif operation == "send_message_batch":
            bodies = (entry["MessageBody"] for entry in request["Entries"])
            self.used["SQS requests"] += sizes.chunks(*bodies)
        elif operation == "put_events":
            for entry in request["Entries"]:
                self.used["events"] += sizes.chunks(SOURCE, DETAIL_TYPE, entry["Detail"])
                self.used["archived GB"] += len(entry["Detail"].encode()) / GB

    def count_batch(self, request: dict[str, Any]) -> None:
        """Count a BatchGetItem."""
        items = self.simulation.dynamodb.items
        [wanted] = request["RequestItems"].values()
        found = [items.get(key["pk"]["S"]) for key in wanted["Keys"]]
        self.used["read units"] += sizes.read_units(found)

    def count_query(self, request: dict[str, Any], page: dict[str, Any]) -> None:
        """Count a Query of an index by what it found; the entries of an index are as large."""
        keys = INDEXES[request["IndexName"]]
        items = (each for each in self.simulation.dynamodb.items.values() if keys[0] in each)
        found = len(page["Items"]) if "Items" in page else page["Count"]
        entries = [_entry(item, keys) for item in islice(items, found)]
        self.used["read units"] += sizes.query_units(entries)

    def count_write(self, old: sizes.Item | None, new: sizes.Item | None) -> None:
        """Count a write; *new* is None if its condition failed."""
        self.used["table write units"] += sizes.write_units(old, new)
        if new is not None:
            for keys in INDEXES.values():
                entries = sizes.index_writes(old, new, keys)
                self.used["index write units"] += len(entries)
                self.shards.update(each[keys[0]]["S"] for each in entries)

    def _connect(
        self, _simulation: Simulation, _function: str, dependency: str, client: Client
    ) -> Client:
        return _Metered(self, dependency, client)

    def _sleep(self, seconds: float) -> None:
        """Let time pass; nothing else happens meanwhile."""
        self._slept = True
        self.simulation.now += round(seconds * 1000)

    def _poller(self, call: Call) -> None:
        if str(call) == "checks: after delete_message_batch":
            self.used["SQS requests"] += 1


class _Metered:
    """A client whose calls are counted."""

    def __init__(self, meter: Meter, dependency: str, client: Client) -> None:
        self._meter = meter
        self._dependency = dependency
        self._client = client

    def __getattr__(self, operation: str) -> Any:
        made = getattr(self._client, operation)

        def call(**request: Any) -> Any:
            self._meter.count(self._dependency, operation, request)
            if operation == "update_item":
                return self._write(made, request)
            if operation == "batch_get_item":
                self._meter.count_batch(request)
            response = made(**request)
            if operation == "query" and self._dependency == "table":
                self._meter.count_query(request, response)
            return response

        return call

    def _write(self, made: Any, request: dict[str, Any]) -> Any:
        items = self._meter.simulation.dynamodb.items
        pk = request["Key"]["pk"]["S"]
        old = items.get(pk)
        try:
            response = made(**request)
        except ClientError:
            self._meter.count_write(old, None)
            raise
        self._meter.count_write(old, items[pk])
        return response


def _entry(item: sizes.Item, keys: tuple[str, ...]) -> sizes.Item:
    return {name: item[name] for name in ("pk", *keys)}
