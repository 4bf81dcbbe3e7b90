"""The indexes of the table: what is due, and what waits for a person.

They lag behind the table: read each payment again before acting on it.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from payresult.aws import items
from payresult.aws.batches import MAX_KEYS_PER_READ
from payresult.domain.payment import DUPLICATE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ATTENTION = ("REVIEW", "UNRESOLVED", DUPLICATE)
"""What waits for a person, by the reason in the index ``attention``."""

PAGE = 500
"""Entries of the index in one Query: of some 100 bytes each, so 50 KB or 6.5 read units."""

MAX_OTHERS = 10_000
"""The most entries of other partner codes that are passed over in a shard, each minute anew.

1 MB of the index or 125 read units; in 16 shards 2,000 units a sweep, which is $11 a month.
"""


@dataclass(frozen=True, slots=True)
class DuePiece:
    """Some of what is due: at most 100 index entries. ``others`` belong to other partner codes."""

    pay_ids: list[str]
    others: int


class Indexes:
    """The indexes ``work`` and ``attention``, for the payments of one partnerCode."""

    def __init__(self, client: "DynamoDBClient", table: str, partner_code: str) -> None:
        self._client = client
        self._table = table
        self._partner_code = partner_code
        self._prefix = items.key(partner_code, "")

    def due(self, kind: Literal["CHECK", "EVENT"], now: int) -> Iterator[DuePiece]:
        """Yield what is due (``workAt`` has passed), page after page, in pieces.

        The shards take turns, entry by entry, each from its oldest on. An error of one shard is
        raised when the others are at their end.
        """
        failures: list[Exception] = []
        entries = self._due_in_turns(kind, now, failures)
        while keys := list(islice(entries, MAX_KEYS_PER_READ)):
            own = [key for key in keys if key.startswith(self._prefix)]
            yield DuePiece([key.removeprefix(self._prefix) for key in own], len(keys) - len(own))
        if failures:
            raise failures[0]

    def count_followed(self) -> int:
        """Return how many payments have a next check."""
        shards = (f"CHECK#{number}" for number in range(items.SHARD_COUNT))
        return sum(self._count("work", "workShard = :shard", {":shard": {"S": s}}) for s in shards)

    def waiting(self, reason: str) -> Iterator[tuple[str, int]]:
        """Yield payId and ``attentionSince`` of what waits for a person, the oldest first.

        *reason* is one of ATTENTION.
        """
        values = {":reason": {"S": items.attention(self._partner_code, reason)}}
        for page in self._pages("attention", "attention = :reason", values):
            for item in page["Items"]:
                yield item["pk"]["S"].removeprefix(self._prefix), int(item["attentionSince"]["N"])

    def count_attention(self, since: int = 0) -> int:
        """Return how many payments wait for a person since *since* (milliseconds) or later."""
        condition = "attention = :reason AND attentionSince >= :since"
        reasons = (items.attention(self._partner_code, reason) for reason in ATTENTION)
        values = ({":reason": {"S": each}, ":since": {"N": str(since)}} for each in reasons)
        return sum(self._count("attention", condition, each) for each in values)

    def _due_in_turns(self, kind: str, now: int, failures: list[Exception]) -> Iterator[str]:
        shards = (f"{kind}#{number}" for number in range(items.SHARD_COUNT))
        waiting = deque(self._due_in(shard, now) for shard in shards)
        while waiting:
            shard = waiting.popleft()
            try:
                key = next(shard)
            except StopIteration:
                continue
            except Exception as error:  # noqa: BLE001 - raised after the turns of the others
                failures.append(error)
                continue
            waiting.append(shard)
            yield key

    def _due_in(self, shard: str, now: int) -> Iterator[str]:
        """Yield the keys of what is due in a shard, oldest first."""
        condition = "workShard = :shard AND workAt <= :now"
        values = {":shard": {"S": shard}, ":now": {"N": str(now)}}
        others = 0
        for page in self._pages("work", condition, values, Limit=PAGE):
            keys = [item["pk"]["S"] for item in page["Items"]]
            yield from keys
            others += sum(not key.startswith(self._prefix) for key in keys)
            if others >= MAX_OTHERS:
                return

    def _count(self, index: str, condition: str, values: dict[str, Any]) -> int:
        """DynamoDB reads 1 MB of an index at a time, some 10,000 payments."""
        return sum(page["Count"] for page in self._pages(index, condition, values, Select="COUNT"))

    def _pages(
        self, index: str, condition: str, values: dict[str, Any], **more: Any
    ) -> Iterator[Any]:
        """Yield the pages of a Query of an index."""
        while True:
            page = self._client.query(
                TableName=self._table,
                IndexName=index,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                **more,
            )
            yield page
            if "LastEvaluatedKey" not in page:
                return
            more["ExclusiveStartKey"] = page["LastEvaluatedKey"]
