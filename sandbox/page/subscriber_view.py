"""The subscriber of events/subscriber, where it is deployed: what it did about each event."""

from __future__ import annotations

import json
import time
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from boto3.dynamodb.types import TypeDeserializer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

    from sandbox.credentials import Account

_SETTLING = 500
"""Milliseconds after which no line of the log is written with an earlier time."""


class Act(NamedTuple):
    """What the subscriber says that it did: when (epoch milliseconds), for whom, and what."""

    at: int
    pay_id: str
    what: str


class Shop:
    """Reads the subscriber's log and table; *outputs* are those of its stack."""

    def __init__(self, account: Account, outputs: dict[str, str]) -> None:
        self._outputs = outputs
        self._dynamodb: DynamoDBClient = account.client("dynamodb")
        self._logs: CloudWatchLogsClient = account.client("logs")
        self._sqs: SQSClient = account.client("sqs")
        self._lock = Lock()
        self._acts: list[Act] = []
        self._read_until = -1

    def acts(self, pay_id: str) -> list[Act]:
        """What it did for *pay_id* so far, oldest first."""
        with self._lock:
            self._read()
            return [act for act in self._acts if act.pay_id == pay_id]

    def activation(self, event: dict[str, Any]) -> dict[str, Any]:
        """What its table has for the order of *event*; empty before it has acted."""
        data = event["data"]
        of_payment = f"PAYMENT#{data['partnerCode']}#{data['payId']}"
        key = f"ORDER#{data['orderId']}" if "orderId" in data else of_payment
        table = self._outputs["ActivationsTableName"]
        found = self._dynamodb.get_item(TableName=table, Key={"pk": {"S": key}})
        read = TypeDeserializer().deserialize
        return {name: read(value) for name, value in found.get("Item", {}).items()}

    def deliver(self, envelope: dict[str, Any]) -> None:
        """Put an event into its queue once more."""
        body = json.dumps(envelope)
        self._sqs.send_message(QueueUrl=self._outputs["QueueUrl"], MessageBody=body)

    def _read(self) -> None:
        until = int(time.time() * 1000) - _SETTLING
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._outputs["LogGroupName"],
            startTime=self._read_until + 1,
            endTime=until,
        )
        for page in pages:
            for event in page["events"]:
                self._keep(event["timestamp"], event["message"])
        self._read_until = until

    def _keep(self, at: int, text: str) -> None:
        try:
            line = json.loads(text)
        except ValueError:
            return  # Lambda's own lines
        if isinstance(line, dict) and "payId" in line:
            self._acts.append(Act(at, str(line["payId"]), str(line.get("message"))))
