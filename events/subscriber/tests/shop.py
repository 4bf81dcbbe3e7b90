"""The function on moto, for the tests: deliver messages to it, and read its effects."""

import copy
import json
from types import ModuleType
from typing import Any

import boto3

REGION = "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:receipts"
TABLES = {
    "CLAIMS_TABLE": "pk",
    "ACTIVATIONS_TABLE": "pk",
    "REFUNDS_TABLE": "pk",
    "RECEIPTS_TABLE": "id",
}
"""The variable that names each table, and its key."""

EVENT: dict[str, Any] = {
    "version": "0",
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "PaymentSucceeded",
    "source": "payresult",
    "account": "123456789012",
    "time": "2026-11-22T10:00:00Z",
    "region": REGION,
    "resources": [],
    "detail": {
        "metadata": {
            "eventId": "14b5e130-c446-5f11-a536-4cea1c63337a",
            "schemaVersion": "1",
            "environment": "prod",
            "idempotencyKey": "PaymentSucceeded:prod:P000818:20190321192436",
        },
        "data": {
            "partnerCode": "P000818",
            "payId": "20190321192436",
            "orderId": "A-17",
            "amount": "19.99",
            "currency": "USD",
            "payRst": "success",
            "observedAt": "2026-11-22T10:00:00.123Z",
        },
    },
}


def event(pay_id: str = "20190321192436", **data: Any) -> dict[str, Any]:
    """The event of *pay_id*; *data* replaces fields of the payment, and None leaves one out."""
    made = copy.deepcopy(EVENT)
    key = f"PaymentSucceeded:prod:P000818:{pay_id}"
    made["detail"]["metadata"]["idempotencyKey"] = key
    fields = made["detail"]["data"] | {"payId": pay_id} | data
    made["detail"]["data"] = {name: value for name, value in fields.items() if value is not None}
    return made


class Context:
    """The Lambda context of the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the function's whole timeout."""
        return 30_000


class Shop:
    """The function, its tables, and a queue that receives the receipts. Created within moto."""

    def __init__(self, app: ModuleType) -> None:
        self.app = app
        self._dynamodb = boto3.resource("dynamodb")
        self._sns = boto3.client("sns")
        self._sqs = boto3.client("sqs")

    def open(self) -> None:
        """Create tables, topic and queue."""
        for name, key in TABLES.items():
            self._dynamodb.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            )
        self._queue = self._sqs.create_queue(QueueName="receipts")["QueueUrl"]
        self.restore_topic()

    def deliver(self, *events: Any) -> list[int]:
        """Deliver *events* in one batch, a str unchanged; return the indexes that failed."""
        bodies = [each if isinstance(each, str) else json.dumps(each) for each in events]
        batch = {"Records": [record(place, body) for place, body in enumerate(bodies)]}
        failed = self.app.handler(batch, Context())["batchItemFailures"]
        return [int(failure["itemIdentifier"]) for failure in failed]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the items of the table called *table*, by key."""
        found = self._dynamodb.Table(table).scan()["Items"]
        return sorted(found, key=lambda item: str(item[TABLES[table]]))

    def sent(self) -> list[dict[str, Any]]:
        """Return the receipts that were requested since the last call."""
        batch = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in batch.get("Messages", [])]

    def change_receipt(self, **values: Any) -> None:
        """Set attributes of the one record that powertools keeps."""
        (found,) = self.rows("RECEIPTS_TABLE")
        self._dynamodb.Table("RECEIPTS_TABLE").put_item(Item=found | values)

    def lose_topic(self) -> None:
        """Make publishing impossible."""
        self._sns.delete_topic(TopicArn=TOPIC)

    def restore_topic(self) -> None:
        """Make it possible again."""
        self._sns.create_topic(Name="receipts")
        queue = f"arn:aws:sqs:{REGION}:123456789012:receipts"
        raw = {"RawMessageDelivery": "true"}
        self._sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue, Attributes=raw)


def record(place: int, body: str) -> dict[str, Any]:
    """Return a message as Lambda passes it; its id is its index in the batch."""
    return {"messageId": str(place), "body": body, "eventSource": "aws:sqs"}
