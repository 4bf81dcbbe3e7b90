"""The table of payments: reads and conditional writes. ``updates`` says what is written."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from payresult.aws import items
from payresult.aws.batches import MAX_KEYS_PER_READ, batches
from payresult.aws.expressions import Update
from payresult.aws.indexes import Indexes
from payresult.aws.operator_updates import AT_REST
from payresult.aws.orders import Orders
from payresult.domain.payment import Payment
from payresult.errors import PaymentChanged, ReadIncomplete, UnreadableItem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""The longest pauses, in seconds, before DynamoDB is asked again for the keys that it held back.

Asked again at once, it would hold them back again (AWS, BatchGetItem: exponential backoff). Each
pause is a random part of these, 1.55 s in all at most. The least that a function has for it is
6 s: the publisher ends after 15 s, and one call may need its last retry (9 s).
"""

THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
}
"""DynamoDB read none of the keys (AWS, BatchGetItem, and DynamoDB "Error handling")."""

Stored = Payment | UnreadableItem | ReadIncomplete
"""What a read brings for a payId that is, or may be, stored."""


class PaymentRepository:
    """The payments of one partnerCode in one table.

    *pause* waits for at most so many seconds; by default it does not wait. ``indexes`` finds what
    is due and what waits for a person, ``orders`` has the markers of their orders.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        partner_code: str,
        pause: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._table = table
        self.partner_code = partner_code
        self._pause = pause
        self.indexes = Indexes(client, table, partner_code)
        self.orders = Orders(client, table, partner_code)

    def get(self, pay_id: str) -> Payment | None:
        """Return the payment, None if it is not stored. Raises as ``require_readable``."""
        return require_readable(self.get_many([pay_id]).get(pay_id))

    def get_many(self, pay_ids: Iterable[str]) -> dict[str, Stored]:
        """Return the stored payments among *pay_ids*, by payId, by a consistent read.

        Neither keeps back the others: an item that cannot be read is an UnreadableItem here, a
        payId that DynamoDB did not read, also when asked again, a ReadIncomplete.
        """
        wanted = list(dict.fromkeys(pay_ids))
        found: dict[str, Stored] = {}
        for batch in batches(wanted, MAX_KEYS_PER_READ):
            found |= self._read(batch)
        return found

    def write(self, pay_id: str, update: Update) -> Payment:
        """Write *update* and return the payment after it.

        Raises PaymentChanged, with the payment as it is now, where the condition does not hold.
        """
        answer = self._conditionally(
            self._client.update_item,
            pay_id,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **update.arguments(),
        )
        return items.to_payment(answer["Attributes"])

    def try_write(self, pay_id: str, update: Update) -> bool:
        """Write *update* and return whether its condition held.

        DynamoDB does not send the item: to parse it is a fifth of the CPU of a claimed check.
        """
        try:
            self._conditionally(self._client.update_item, pay_id, **update.arguments())
        except PaymentChanged:
            return False
        return True

    def forget(self, payment: Payment) -> None:
        """Erase a payment of which nothing is planned or unsent, and its order's marker before it.

        Raises PaymentChanged, with the payment as it is now, where that does not hold.
        """
        self.orders.release(payment)
        try:
            self._conditionally(
                self._client.delete_item,
                payment.pay_id,
                ConditionExpression=f"attribute_exists(#pk) AND {AT_REST}",
                ExpressionAttributeNames={f"#{n}": n for n in ("pk", "workShard", "attention")},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except PaymentChanged as changed:
            if (kept := changed.current) and kept.settled:  # it still is what its order was paid by
                self.orders.claim(kept.registration.order_id, kept.pay_id)
            raise

    def _conditionally(self, call: Callable[..., Any], pay_id: str, **arguments: Any) -> Any:
        """Return the response of a write. PaymentChanged has the item if ALL_OLD is asked."""
        try:
            return call(TableName=self._table, Key=self._key(pay_id), **arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            item: Any = error.response.get("Item")
            raise PaymentChanged(items.to_payment(item) if item else None) from None

    def _read(self, pay_ids: Sequence[str]) -> dict[str, Stored]:
        found: dict[str, Stored] = {}
        missing = [self._key(pay_id) for pay_id in pay_ids]
        for longest in (0, *PAUSES):
            if longest:
                self._pause(longest)
            try:
                read, missing = self._read_once(missing)
            except ClientError as error:
                if error.response["Error"]["Code"] not in THROTTLED:
                    raise
                break  # botocore has asked three times, with pauses of its own
            found |= read
            if not missing:
                break
        unread = [self._pay_id(key["pk"]["S"]) for key in missing]
        return found | {pay_id: ReadIncomplete(f"{pay_id}: not read") for pay_id in unread}

    def _read_once(
        self, keys: Sequence[dict[str, Any]]
    ) -> tuple[dict[str, Stored], list[dict[str, Any]]]:
        """Return what DynamoDB read, and the keys that it held back."""
        answer: Any = self._client.batch_get_item(
            RequestItems={self._table: {"Keys": list(keys), "ConsistentRead": True}}
        )
        read = answer["Responses"].get(self._table, [])
        held_back = answer["UnprocessedKeys"].get(self._table, {"Keys": []})
        return {self._pay_id(item["pk"]["S"]): _stored(item) for item in read}, held_back["Keys"]

    def _key(self, pay_id: str) -> dict[str, Any]:
        return {"pk": {"S": items.key(self.partner_code, pay_id)}}

    def _pay_id(self, key: str) -> str:
        return key.removeprefix(f"{self.partner_code}#")


def require_readable(stored: Stored | None) -> Payment | None:
    """Return *stored* if it is a payment or None.

    Raises UnreadableItem, or ReadIncomplete: nobody knows whether the payment is stored.
    """
    if isinstance(stored, (UnreadableItem, ReadIncomplete)):
        raise stored
    return stored


def _stored(item: items.Item) -> Payment | UnreadableItem:
    try:
        return items.to_payment(item)
    except UnreadableItem as error:
        return error
