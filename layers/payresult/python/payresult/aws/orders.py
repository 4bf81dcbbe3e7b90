"""The markers of orders: an item each, which names the payment that was found paid first.

A marker is no payment: it has neither a status nor a place in an index, and scans pass over it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from payresult.aws import items
from payresult.aws.expressions import Update
from payresult.domain.payment import Payment
from payresult.errors import ReadIncomplete

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Passes while the order has a marker.
MARKED = "attribute_exists(#pk)"
# Passes while the marker names this payment.
HELD = "#payId = :held"


class Orders:
    """The markers of one partnerCode, in the table of its payments."""

    def __init__(self, client: "DynamoDBClient", table: str, partner_code: str) -> None:
        self._client = client
        self._table = table
        self._partner_code = partner_code

    def claim(self, order_id: str | None, pay_id: str) -> str | None:
        """Mark the order as paid by *pay_id*; return the payId that came before it, if any.

        Whoever repeats it gets the same answer. The marker lives as long as the payment of its
        order that came to rest last, so a time that an earlier one set is removed.
        """
        if order_id is None:
            return None
        update = Update()
        update.set_if_absent(payId=pay_id)
        update.remove("expiresAt")
        answer: Any = self._client.update_item(
            **self._marker(order_id), ReturnValues="ALL_NEW", **update.arguments()
        )
        holder: str = answer["Attributes"]["payId"]["S"]
        return None if holder == pay_id else holder

    def holder(self, order_id: str) -> str | None:
        """Return the payId that the order's marker names, None if there is no marker."""
        keys = [self._marker(order_id)["Key"]]
        # As all reads: an operator's policy (docs/operations.md) has no dynamodb:GetItem.
        answer: Any = self._client.batch_get_item(
            RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
        )
        if answer["UnprocessedKeys"]:
            raise ReadIncomplete("the marker of the order: not read")
        read = answer["Responses"].get(self._table)
        return read[0]["payId"]["S"] if read else None

    def expire(self, payment: Payment) -> None:
        """Let the marker expire with *payment*. Where this write is lost, the marker stays."""
        order_id = payment.registration.order_id
        if not (payment.settled and payment.expires_at and order_id):
            return
        update = Update()
        update.require(MARKED)
        update.set(expiresAt=payment.expires_at)
        with _unless_refused():
            self._client.update_item(**self._marker(order_id), **update.arguments())

    def release(self, payment: Payment) -> None:
        """Delete the marker of the payment's order if it names this payment."""
        order_id = payment.registration.order_id
        if order_id is None:
            return
        with _unless_refused():
            self._client.delete_item(
                **self._marker(order_id),
                ConditionExpression=HELD,
                ExpressionAttributeNames={"#payId": "payId"},
                ExpressionAttributeValues={":held": {"S": payment.pay_id}},
            )

    def _marker(self, order_id: str) -> dict[str, Any]:
        key = items.order_key(self._partner_code, order_id)
        return {"TableName": self._table, "Key": {"pk": {"S": key}}}


@contextmanager
def _unless_refused() -> Iterator[None]:
    """A write whose condition does not hold has nothing to do."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
