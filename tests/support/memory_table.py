"""An in-memory DynamoDB table with the client calls that payresult makes, much faster than moto.

``tests/fault_injection/test_memory_table.py`` compares it with moto, response by response.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError

from tests.support.expressions import (
    Item,
    Scope,
    parse_condition,
    parse_update,
    placeholders,
)

NEVER = 1 << 60

_KEY_CONDITIONS = ("workShard = :shard", "workShard = :shard AND workAt <= :now")


@dataclass(frozen=True, slots=True)
class ItemChange:
    """The images of an item before and after a write, as in the table's stream."""

    old: Item | None
    new: Item


class InMemoryDynamoDB:
    """One table with the index ``work``; *on_change* is called for each change, in order."""

    def __init__(self, on_change: Callable[[ItemChange], None]) -> None:
        self.items: dict[str, Item] = {}
        self._on_change = on_change
        self._shards: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._due: list[tuple[int, str]] = []
        self._lock = Lock()

    def update_item(self, **request: Any) -> dict[str, Any]:
        """UpdateItem with a condition; returns ALL_NEW, or ALL_OLD where the condition fails."""
        names = request["ExpressionAttributeNames"]
        values = request.get("ExpressionAttributeValues", {})
        text = " ".join((request["UpdateExpression"], request["ConditionExpression"]))
        if placeholders(text) != names.keys() | values.keys():
            raise client_error("ValidationException")
        pk = request["Key"]["pk"]["S"]
        with self._lock:
            old = self.items.get(pk)
            scope = Scope(old or {}, names, values)
            if not parse_condition(request["ConditionExpression"])(scope):
                raise client_error("ConditionalCheckFailedException", old)
            new = dict(old or request["Key"])
            parse_update(request["UpdateExpression"])(scope, new)
            self._store(pk, old, new)
        return {"Attributes": new}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """BatchGetItem of one table with consistent reads."""
        [(table, wanted)] = request["RequestItems"].items()
        keys = [key["pk"]["S"] for key in wanted["Keys"]]
        if len(set(keys)) != len(keys) or not 1 <= len(keys) <= 100:
            raise client_error("ValidationException")
        found = [self.items[key] for key in keys if key in self.items]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def query(self, **request: Any) -> dict[str, Any]:
        """Query of the index for a shard, or for its due entries, oldest first."""
        values = request["ExpressionAttributeValues"]
        if request["KeyConditionExpression"] != _KEY_CONDITIONS[len(values) - 1]:
            raise client_error("ValidationException")
        now = int(values.get(":now", {"N": NEVER})["N"])
        with self._lock:
            entries = list(self._shards[values[":shard"]["S"]].items())
        found = [(at, pk) for pk, at in entries if at <= now]
        items = [{"pk": {"S": pk}} for _, pk in sorted(found)[: request.get("Limit")]]
        return {"Count": len(found)} | ({} if "Select" in request else {"Items": items})

    def get_paginator(self, operation: str) -> "_SinglePage":
        """Return a paginator with all results on one page."""
        return _SinglePage(getattr(self, operation))

    def put(self, item: Item) -> None:
        """Put *item*, replacing an existing one."""
        with self._lock:
            pk = item["pk"]["S"]
            self._store(pk, self.items.get(pk), dict(item))

    def delete(self, pk: str) -> None:
        """Delete an item."""
        with self._lock:
            old = self.items.pop(pk, {})
            if "workShard" in old:
                del self._shards[old["workShard"]["S"]][pk]

    def next_due(self) -> int:
        """Return the smallest ``workAt`` of all items, NEVER if there is none."""
        while self._due:
            at, pk = self._due[0]
            if self.items.get(pk, {}).get("workAt") == {"N": str(at)}:
                return at
            heappop(self._due)
        return NEVER

    def _store(self, pk: str, old: Item | None, new: Item) -> None:
        self.items[pk] = new
        if old is not None and "workShard" in old:
            del self._shards[old["workShard"]["S"]][pk]
        if "workShard" in new:
            at = int(new["workAt"]["N"])
            self._shards[new["workShard"]["S"]][pk] = at
            heappush(self._due, (at, pk))
        if old != new:
            self._on_change(ItemChange(old, new))


class _SinglePage:
    def __init__(self, query: Callable[..., dict[str, Any]]) -> None:
        self._query = query

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        yield self._query(**request)


def client_error(code: str, old: Item | None = None) -> ClientError:
    """Return the error that a boto3 client raises, with the item *old* of ALL_OLD."""
    # botocore puts the item of ALL_OLD at the top of the response
    response: Any = {"Error": {"Code": code, "Message": code}} | ({"Item": old} if old else {})
    return ClientError(response, "UpdateItem")
