"""A table in memory: the calls of a DynamoDB client that payresult makes, much faster than moto.

``test_memory`` compares it with moto, answer by answer.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError

from tests.fault_injection.expressions import Item, Scope, condition, placeholders, update

NEVER = 1 << 60

_KEY_CONDITIONS = ("workShard = :shard", "workShard = :shard AND workAt <= :now")


@dataclass(frozen=True, slots=True)
class Image:
    """A change of an item, as the stream tells it."""

    old: Item | None
    new: Item


class Memory:
    """One table with the index ``work``; *changed* is told of each change, in order."""

    def __init__(self, changed: Callable[[Image], None]) -> None:
        self.items: dict[str, Item] = {}
        self._changed = changed
        self._shards: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._due: list[tuple[int, str]] = []
        self._lock = Lock()

    def update_item(self, **request: Any) -> dict[str, Any]:
        """UpdateItem with a condition; ALL_NEW, and ALL_OLD where the condition fails."""
        names = request["ExpressionAttributeNames"]
        values = request.get("ExpressionAttributeValues", {})
        text = " ".join((request["UpdateExpression"], request["ConditionExpression"]))
        if placeholders(text) != names.keys() | values.keys():
            raise refused("ValidationException")
        pk = request["Key"]["pk"]["S"]
        with self._lock:
            old = self.items.get(pk)
            scope = Scope(old or {}, names, values)
            if not condition(request["ConditionExpression"])(scope):
                raise refused("ConditionalCheckFailedException", old)
            new = dict(old or request["Key"])
            update(request["UpdateExpression"])(scope, new)
            self._keep(pk, old, new)
        return {"Attributes": new}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """BatchGetItem of one table, consistent."""
        [(table, asked)] = request["RequestItems"].items()
        keys = [key["pk"]["S"] for key in asked["Keys"]]
        if len(set(keys)) != len(keys) or not 1 <= len(keys) <= 100:
            raise refused("ValidationException")
        found = [self.items[key] for key in keys if key in self.items]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def query(self, **request: Any) -> dict[str, Any]:
        """Query of the index for a shard, or for what is due in it, oldest first."""
        values = request["ExpressionAttributeValues"]
        if request["KeyConditionExpression"] != _KEY_CONDITIONS[len(values) - 1]:
            raise refused("ValidationException")
        now = int(values.get(":now", {"N": NEVER})["N"])
        with self._lock:
            entries = list(self._shards[values[":shard"]["S"]].items())
        found = [(at, pk) for pk, at in entries if at <= now]
        items = [{"pk": {"S": pk}} for _, pk in sorted(found)[: request.get("Limit")]]
        return {"Count": len(found)} | ({} if "Select" in request else {"Items": items})

    def get_paginator(self, operation: str) -> "_Pages":
        """All of a query on one page."""
        return _Pages(getattr(self, operation))

    def put(self, item: Item) -> None:
        """Put *item* in the place of what is there."""
        with self._lock:
            pk = item["pk"]["S"]
            self._keep(pk, self.items.get(pk), dict(item))

    def delete(self, pk: str) -> None:
        """Delete an item."""
        with self._lock:
            old = self.items.pop(pk, {})
            if "workShard" in old:
                del self._shards[old["workShard"]["S"]][pk]

    def next_due(self) -> int:
        """When the next item wants the sweeper, NEVER if none does."""
        while self._due:
            at, pk = self._due[0]
            if self.items.get(pk, {}).get("workAt") == {"N": str(at)}:
                return at
            heappop(self._due)
        return NEVER

    def _keep(self, pk: str, old: Item | None, new: Item) -> None:
        self.items[pk] = new
        if old is not None and "workShard" in old:
            del self._shards[old["workShard"]["S"]][pk]
        if "workShard" in new:
            at = int(new["workAt"]["N"])
            self._shards[new["workShard"]["S"]][pk] = at
            heappush(self._due, (at, pk))
        if old != new:
            self._changed(Image(old, new))


class _Pages:
    def __init__(self, query: Callable[..., dict[str, Any]]) -> None:
        self._query = query

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        yield self._query(**request)


def refused(code: str, old: Item | None = None) -> ClientError:
    """The error of a client whose call was refused."""
    # botocore puts the item of ALL_OLD at the top of the response
    response: Any = {"Error": {"Code": code, "Message": code}} | ({"Item": old} if old else {})
    return ClientError(response, "UpdateItem")
