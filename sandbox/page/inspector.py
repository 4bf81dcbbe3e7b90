"""Looks at the running system from outside, for what the page shows and counts."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from sandbox.client import Client
from sandbox.provider import FIELDS, reply_to

if TYPE_CHECKING:
    from collections.abc import Collection

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

    from sandbox.environment import Sandbox

_FUNCTIONS = ("Api", "Checks", "Publisher", "Sweeper")
_SIGN = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_PLAN = reply_to(dict.fromkeys(FIELDS, ""), "paid")["servicePlanShowName"]
_SETTLING = 1000
"""Milliseconds after which no line of the log is written with an earlier time."""


class Look:
    """Reads table, dead-letter queue and logs, with plain values."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.visitor = Client(sandbox)
        self._stack = sandbox.stack
        self._dynamodb: DynamoDBClient = sandbox.account.client("dynamodb")
        self._sqs: SQSClient = sandbox.account.client("sqs")
        self._logs: CloudWatchLogsClient = sandbox.account.client("logs")
        self._groups = _log_groups(sandbox)
        self._read_until = -1
        self.lines = 0
        self.leaks = 0

    def items(self) -> list[dict[str, Any]]:
        """All payments of the table."""
        read = TypeDeserializer().deserialize
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._stack["TableName"], ConsistentRead=True
        )
        return [
            {name: read(value) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]

    def letters(self) -> list[str]:
        """The bodies in the dead-letter queue; it is counted first, for it is empty as a rule."""
        found = self._sqs.get_queue_attributes(
            QueueUrl=self._stack["DeadLetterQueueUrl"],
            AttributeNames=["ApproximateNumberOfMessages"],
        )
        count = int(found["Attributes"]["ApproximateNumberOfMessages"])
        return self.visitor.dead_letters() if count else []

    def read_logs(self, signs: Collection[str]) -> None:
        """Read what was logged since the last time, and count the lines that hold a secret."""
        until = int(time.time() * 1000) - _SETTLING
        pages = self._logs.get_paginator("filter_log_events")
        for group in self._groups:
            for page in pages.paginate(
                logGroupName=group, startTime=self._read_until + 1, endTime=until
            ):
                self._count([event["message"] for event in page["events"]], signs)
        self._read_until = until

    def _count(self, lines: list[str], signs: Collection[str]) -> None:
        self.lines += len(lines)
        self.leaks += sum(
            _PLAN in line or any(each in signs for each in _SIGN.findall(line)) for line in lines
        )


def _log_groups(sandbox: Sandbox) -> list[str]:
    functions: LambdaClient = sandbox.account.client("lambda")
    names = [sandbox.stack[f"{each}FunctionName"] for each in _FUNCTIONS]
    return [
        functions.get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
        for name in names
    ]
