"""An in-memory DynamoDB table with the client calls that payresult makes, much faster than moto.

``tests/fault_injection/test_memory_table.py`` compares it with moto, response by response.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
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

INDEXES = {"work": ("workShard", "workAt"), "attention": ("attention", "attentionSince")}
"""By index, its hash key and its range key (a number); both are sparse, keys only."""

_KEY_CONDITION = re.compile(r"(\w+) = (:\w+)(?: AND (\w+) (<=|>=) (:\w+))?")
_COMPARE = {"<=": int.__le__, ">=": int.__ge__}


@dataclass(frozen=True, slots=True)
class ItemChange:
    """The images of an item before and after a write, as in the table's stream."""

    old: Item | None
    new: Item


class InMemoryDynamoDB:
    """One table with its INDEXES; *on_change* is called for each change, in order."""

    def __init__(self, on_change: Callable[[ItemChange], None]) -> None:
        self.items: dict[str, Item] = {}
        self._on_change = on_change
        self._indexes: dict[str, defaultdict[str, dict[str, int]]] = {
            name: defaultdict(dict) for name in INDEXES
        }
        self._due: list[tuple[int, str]] = []
        self._lock = Lock()

    def update_item(self, **request: Any) -> dict[str, Any]:
        """UpdateItem; returns the item where the request asks for it."""
        names = request["ExpressionAttributeNames"]
        values = request.get("ExpressionAttributeValues", {})
        condition = request.get("ConditionExpression", "")
        text = " ".join((request["UpdateExpression"], condition))
        if placeholders(text) != names.keys() | values.keys():
            raise client_error("ValidationException")
        pk = request["Key"]["pk"]["S"]
        with self._lock:
            old = self.items.get(pk)
            scope = Scope(old or {}, names, values)
            if condition:
                _require(condition, scope, old, request)
            new = dict(old or request["Key"])
            parse_update(request["UpdateExpression"])(scope, new)
            self._store(pk, old, new)
        return {"Attributes": new} if request.get("ReturnValues") == "ALL_NEW" else {}

    def delete_item(self, **request: Any) -> None:
        """DeleteItem with a condition."""
        names = request["ExpressionAttributeNames"]
        values = request.get("ExpressionAttributeValues", {})
        if placeholders(request["ConditionExpression"]) != names.keys() | values.keys():
            raise client_error("ValidationException")
        pk = request["Key"]["pk"]["S"]
        with self._lock:
            old = self.items.get(pk)
            scope = Scope(old or {}, names, values)
            _require(request["ConditionExpression"], scope, old, request)
            self._unindex(pk, self.items.pop(pk, {}))

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """BatchGetItem of one table with consistent reads."""
        [(table, wanted)] = request["RequestItems"].items()
        keys = [key["pk"]["S"] for key in wanted["Keys"]]
        if len(set(keys)) != len(keys) or not 1 <= len(keys) <= 100:
            raise client_error("ValidationException")
        found = [self.items[key] for key in keys if key in self.items]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def query(self, **request: Any) -> dict[str, Any]:
        """Query of a partition of an index, or of a part of it, in the order of the range key."""
        index = request["IndexName"]
        partition, fits = parse_key_condition(request)
        with self._lock:
            entries = list(self._indexes[index][partition].items())
        start = request.get("ExclusiveStartKey")
        after = _place(index, start) if start else (-1, "")
        found = sorted((at, pk) for pk, at in entries if fits(at) and (at, pk) > after)
        page = found[: request.get("Limit")]
        answer: dict[str, Any] = {"Count": len(page)}
        # DynamoDB stops at the limit, before it knows that the next entry does not fit
        if len(page) == request.get("Limit") and any((at, pk) > page[-1] for pk, at in entries):
            answer["LastEvaluatedKey"] = _entry(index, partition, *page[-1])
        if "Select" not in request:
            answer["Items"] = [_entry(index, partition, at, pk) for at, pk in page]
        return answer

    def put(self, item: Item) -> None:
        """Put *item*, replacing an existing one."""
        with self._lock:
            pk = item["pk"]["S"]
            self._store(pk, self.items.get(pk), dict(item))

    def delete(self, pk: str) -> None:
        """Delete an item."""
        with self._lock:
            self._unindex(pk, self.items.pop(pk, {}))

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
        self._unindex(pk, old or {})
        for index, (hash_key, range_key) in INDEXES.items():
            if hash_key in new and range_key in new:
                at = int(new[range_key]["N"])
                self._indexes[index][new[hash_key]["S"]][pk] = at
        if "workShard" in new:
            heappush(self._due, (int(new["workAt"]["N"]), pk))
        if old != new:
            self._on_change(ItemChange(old, new))

    def _unindex(self, pk: str, old: Item) -> None:
        for index, (hash_key, _) in INDEXES.items():
            if hash_key in old:
                self._indexes[index][old[hash_key]["S"]].pop(pk, None)


def _require(condition: str, scope: Scope, old: Item | None, request: Mapping[str, Any]) -> None:
    if not parse_condition(condition)(scope):
        returned = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        raise client_error("ConditionalCheckFailedException", old if returned else None)


def parse_key_condition(request: Mapping[str, Any]) -> tuple[str, Callable[[int], bool]]:
    """Return the partition that a Query of an index reads, and a test of the range key."""
    text, values = request["KeyConditionExpression"], request["ExpressionAttributeValues"]
    parsed = _KEY_CONDITION.fullmatch(text)
    if parsed is None or placeholders(text) != values.keys():
        raise client_error("ValidationException")
    hash_key, partition, range_key, operator, bound = parsed.groups()
    if (hash_key, range_key or INDEXES[request["IndexName"]][1]) != INDEXES[request["IndexName"]]:
        raise client_error("ValidationException")
    if bound is None:
        return values[partition]["S"], lambda _: True
    limit = int(values[bound]["N"])
    return values[partition]["S"], lambda at: _COMPARE[operator](at, limit)


def _entry(index: str, partition: str, at: int, pk: str) -> Item:
    hash_key, range_key = INDEXES[index]
    return {"pk": {"S": pk}, hash_key: {"S": partition}, range_key: {"N": str(at)}}


def _place(index: str, key: Item) -> tuple[int, str]:
    return int(key[INDEXES[index][1]]["N"]), key["pk"]["S"]


class HoldsBack:
    """The client of a table that never reads the item *pk* (AWS, BatchGetItem, UnprocessedKeys)."""

    def __init__(self, client: Any, pk: str) -> None:
        self._client = client
        self._key = {"pk": {"S": pk}}

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._client, operation)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """Read the other keys, and return this one as unprocessed."""
        [(table, wanted)] = request["RequestItems"].items()
        asked = [key for key in wanted["Keys"] if key != self._key]
        answer: dict[str, Any] = {"Responses": {}}
        if asked:
            read = {table: wanted | {"Keys": asked}}
            answer = self._client.batch_get_item(RequestItems=read)
        held_back = {table: {"Keys": [self._key]}} if self._key in wanted["Keys"] else {}
        return answer | {"UnprocessedKeys": held_back}


def client_error(code: str, old: Item | None = None) -> ClientError:
    """Return the error that a boto3 client raises, with the item *old* of ALL_OLD."""
    # botocore puts the item of ALL_OLD at the top of the response
    response: Any = {"Error": {"Code": code, "Message": code}} | ({"Item": old} if old else {})
    return ClientError(response, "UpdateItem")
