"""The table: the only module that reads or writes it. ``writes`` says what is written.

Every write is one UpdateItem under a named condition. Where the condition does not hold,
StaleWrite carries the item as it is now, and the caller decides again.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Union

from botocore.exceptions import ClientError

from payresult import errors
from payresult.aws import items
from payresult.errors import PaymentChanged, ReadIncomplete

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from payresult.aws.expressions import Update
    from payresult.domain.payment import Payment

MAX_READ_ATTEMPTS = 5
MAX_KEYS_PER_READ = 100
"""BatchGetItem's limit (AWS, BatchGetItem)."""


Stored = Union["Payment", errors.UnreadableItem]


class PaymentRepository:
    """Payments of one partnerCode in one table."""

    def __init__(self, client: "DynamoDBClient", table: str, partner_code: str) -> None:
        self._client = client
        self._table = table
        self.partner_code = partner_code

    def get_many(self, pay_ids: Iterable[str]) -> "dict[str, Stored]":
        """Return those of the payments that are stored, by payId, as they are now.

        One bad item is no reason to keep back the others: it stands there as UnreadableItem.
        """
        keys = [self._key(pay_id) for pay_id in dict.fromkeys(pay_ids)]
        found: dict[str, Stored] = {}
        for start in range(0, len(keys), MAX_KEYS_PER_READ):
            for item in self._read(keys[start : start + MAX_KEYS_PER_READ]):
                found[self._pay_id(item)] = _stored(item)
        return found

    def write(self, pay_id: str, update: "Update") -> "Payment":
        """Carry out *update* and return the payment after it; StaleWrite if it may not be."""
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=self._key(pay_id),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **update.arguments(),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            old: dict[str, Any] | None = error.response.get("Item")  # type: ignore[assignment]  # the stubs do not know it
            raise PaymentChanged(items.to_payment(old) if old else None) from None
        return items.to_payment(answer["Attributes"])

    def due(self, kind: Literal["CHECK", "EVENT"], now: int, limit: int) -> list[str]:
        """Return payIds whose ``workAt`` has come, at most *limit* of each shard, oldest first.

        The index lags behind the table: read each payment again before acting on it.
        """
        shards = (f"{kind}#{number}" for number in range(items.SHARD_COUNT))
        return [pay_id for shard in shards for pay_id in self._due_in(shard, now, limit)]

    def count_followed(self) -> int:
        """Return how many payments have a next check, as the index knows it."""
        return sum(self._count(f"CHECK#{number}") for number in range(items.SHARD_COUNT))

    def _count(self, shard: str) -> int:
        """DynamoDB reads one MB of the index at a time, some 18,000 payments."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="work",
            KeyConditionExpression="workShard = :shard",
            ExpressionAttributeValues={":shard": {"S": shard}},
            Select="COUNT",
        )
        return sum(page["Count"] for page in pages)

    def _due_in(self, shard: str, now: int, limit: int) -> Iterator[str]:
        answer = self._client.query(
            TableName=self._table,
            IndexName="work",
            KeyConditionExpression="workShard = :shard AND workAt <= :now",
            ExpressionAttributeValues={":shard": {"S": shard}, ":now": {"N": str(now)}},
            Limit=limit,
        )
        for item in answer["Items"]:
            if item["pk"]["S"].startswith(f"{self.partner_code}#"):
                yield self._pay_id(item)

    def _key(self, pay_id: str) -> dict[str, Any]:
        return {"pk": {"S": items.key(self.partner_code, pay_id)}}

    def _pay_id(self, item: items.Item) -> str:
        pk: str = item["pk"]["S"]
        return pk.removeprefix(f"{self.partner_code}#")

    def _read(self, keys: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        requested: Any = {self._table: {"Keys": list(keys), "ConsistentRead": True}}
        for _ in range(MAX_READ_ATTEMPTS):
            answer = self._client.batch_get_item(RequestItems=requested)
            yield from answer["Responses"].get(self._table, [])
            requested = answer["UnprocessedKeys"]
            if not requested:
                return
        message = "DynamoDB held back part of the answer"
        raise ReadIncomplete(message)


def require_readable(found: "Stored | None") -> "Payment | None":
    """Return the payment that was *found*, if one was; raise what made it unreadable."""
    if isinstance(found, errors.UnreadableItem):
        raise found
    return found


def _stored(item: items.Item) -> "Stored":
    try:
        return items.to_payment(item)
    except errors.UnreadableItem as error:
        return error
