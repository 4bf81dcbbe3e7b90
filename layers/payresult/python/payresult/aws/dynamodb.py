"""The table of payments: reads and conditional writes. ``updates`` says what is written."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from payresult.aws import items
from payresult.domain.payment import Payment
from payresult.errors import PaymentChanged, ReadIncomplete, UnreadableItem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from payresult.aws.expressions import Update

MAX_READ_ATTEMPTS = 5
MAX_KEYS_PER_READ = 100
"""BatchGetItem's limit (AWS, BatchGetItem)."""

Stored = Payment | UnreadableItem
"""What a read brings for a stored payId."""


class PaymentRepository:
    """The payments of one partnerCode in one table."""

    def __init__(self, client: "DynamoDBClient", table: str, partner_code: str) -> None:
        self._client = client
        self._table = table
        self.partner_code = partner_code

    def get_many(self, pay_ids: Iterable[str]) -> dict[str, Stored]:
        """Return the stored payments among *pay_ids*, by payId, by a consistent read.

        An item that cannot be read is an UnreadableItem here, so that it does not keep back the
        others. Raises ReadIncomplete.
        """
        keys = [self._key(pay_id) for pay_id in dict.fromkeys(pay_ids)]
        found: dict[str, Stored] = {}
        for start in range(0, len(keys), MAX_KEYS_PER_READ):
            for item in self._read(keys[start : start + MAX_KEYS_PER_READ]):
                found[self._pay_id(item)] = _stored(item)
        return found

    def write(self, pay_id: str, update: "Update") -> Payment:
        """Write *update* and return the payment after it.

        Raises PaymentChanged, with the payment as it is now, where the condition does not hold.
        """
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
        """Return payIds whose ``workAt`` has passed, at most *limit* of each shard, oldest first.

        The index lags behind the table: read each payment again before acting on it.
        """
        shards = (f"{kind}#{number}" for number in range(items.SHARD_COUNT))
        return [pay_id for shard in shards for pay_id in self._due_in(shard, now, limit)]

    def count_followed(self) -> int:
        """Return how many payments have a next check, according to the index."""
        return sum(self._count(f"CHECK#{number}") for number in range(items.SHARD_COUNT))

    def _count(self, shard: str) -> int:
        """DynamoDB reads 1 MB of the index at a time, some 18,000 payments."""
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
        raise ReadIncomplete(f"DynamoDB returned part of the keys in {MAX_READ_ATTEMPTS} attempts")


def require_readable(stored: Stored | None) -> Payment | None:
    """Return *stored* if it is a payment or None; raise an UnreadableItem."""
    if isinstance(stored, UnreadableItem):
        raise stored
    return stored


def _stored(item: items.Item) -> Stored:
    try:
        return items.to_payment(item)
    except UnreadableItem as error:
        return error
