"""Reads what the example subscriber (events/subscriber) did with each event."""

from __future__ import annotations

import json
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from boto3.dynamodb.types import TypeDeserializer

from sandbox.page.log_reader import LogReader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

    from sandbox.credentials import Credentials


class SubscriberEntry(NamedTuple):
    """A line of the subscriber's log about a payment; `at` in epoch milliseconds."""

    at: int
    pay_id: str
    message: str


class SubscriberView:
    """Reads the subscriber's log and table; *outputs* are those of its stack."""

    def __init__(self, credentials: Credentials, outputs: dict[str, str]) -> None:
        self._outputs = outputs
        self._dynamodb: DynamoDBClient = credentials.client("dynamodb")
        logs: CloudWatchLogsClient = credentials.client("logs")
        self._log = LogReader(logs, outputs["LogGroupName"])
        self._sqs: SQSClient = credentials.client("sqs")
        self._lock = Lock()
        self._entries: list[SubscriberEntry] = []

    def entries(self, pay_id: str) -> list[SubscriberEntry]:
        """Its log lines about *pay_id* so far, oldest first."""
        with self._lock:
            for at, text in self._log.read():
                self._keep(at, text)
            return [entry for entry in self._entries if entry.pay_id == pay_id]

    def activation(self, event: dict[str, Any]) -> dict[str, Any]:
        """The item in its table for the order of *event*; empty before the activation."""
        data = event["data"]
        payment_key = f"PAYMENT#{data['partnerCode']}#{data['payId']}"
        key = f"ORDER#{data['orderId']}" if "orderId" in data else payment_key
        table = self._outputs["ActivationsTableName"]
        found = self._dynamodb.get_item(TableName=table, Key={"pk": {"S": key}})
        read = TypeDeserializer().deserialize
        return {name: read(value) for name, value in found.get("Item", {}).items()}

    def deliver(self, envelope: dict[str, Any]) -> None:
        """Send an event to its queue, past the rule."""
        body = json.dumps(envelope)
        self._sqs.send_message(QueueUrl=self._outputs["QueueUrl"], MessageBody=body)

    def _keep(self, at: int, text: str) -> None:
        try:
            line = json.loads(text)
        except ValueError:
            return  # a line of the Lambda runtime
        if isinstance(line, dict) and "payId" in line:
            self._entries.append(SubscriberEntry(at, str(line["payId"]), str(line.get("message"))))
