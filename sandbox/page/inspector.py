"""Reads table, dead-letter queue and logs from outside, for the page and its invariants."""

from __future__ import annotations

import json
import re
import time
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from sandbox.client import Client
from sandbox.provider import FIELDS, reply_to

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

    from sandbox.environment import Sandbox

_FUNCTIONS = ("Api", "Checks", "Publisher", "Sweeper")
_SIGN = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_PLAN_NAME = reply_to(dict.fromkeys(FIELDS, ""), "paid")["servicePlanShowName"]
_LOG_DELAY_MS = 1000
"""After this time no log line with an earlier timestamp is written."""


class Inspector:
    """Returns plain values; `lines` and `leaks` count the log lines read so far.

    `rules` has, by payId, the rule that the gateway's last answer broke; None if it was a reply.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.client = Client(sandbox)
        self._stack = sandbox.stack
        self._dynamodb: DynamoDBClient = sandbox.credentials.client("dynamodb")
        self._sqs: SQSClient = sandbox.credentials.client("sqs")
        self._logs: CloudWatchLogsClient = sandbox.credentials.client("logs")
        self._groups = _log_groups(sandbox)
        self._read_until = -1
        self.lines = 0
        self.leaks = 0
        self.rules: dict[str, str | None] = {}

    def items(self) -> list[dict[str, Any]]:
        """All payments of the table; a marker of an order has no status."""
        read = TypeDeserializer().deserialize
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._stack["TableName"], ConsistentRead=True
        )
        return [
            {name: read(value) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
            if "status" in item
        ]

    def dead_letters(self) -> list[str]:
        """The bodies in the dead-letter queue; it is read only if it is not empty."""
        found = self._sqs.get_queue_attributes(
            QueueUrl=self._stack["DeadLetterQueueUrl"],
            AttributeNames=["ApproximateNumberOfMessages"],
        )
        count = int(found["Attributes"]["ApproximateNumberOfMessages"])
        return self.client.dead_letters() if count else []

    def read_logs(self, signs: Collection[str]) -> None:
        """Read the log lines since the last call; count those with a plan name or a sign."""
        until = int(time.time() * 1000) - _LOG_DELAY_MS
        pages = self._logs.get_paginator("filter_log_events")
        events = [
            (event["timestamp"], event["message"])
            for group in self._groups
            for page in pages.paginate(
                logGroupName=group, startTime=self._read_until + 1, endTime=until
            )
            for event in page["events"]
        ]
        lines = [message for _, message in sorted(events, key=itemgetter(0))]
        self._count(lines, signs)
        self.rules |= rules_in(lines)
        self._read_until = until

    def _count(self, lines: list[str], signs: Collection[str]) -> None:
        self.lines += len(lines)
        self.leaks += sum(
            _PLAN_NAME in line or any(each in signs for each in _SIGN.findall(line))
            for line in lines
        )


def rules_in(lines: Iterable[str]) -> dict[str, str | None]:
    """The rule that each payment's last answer in the log *lines* broke; None for a reply."""
    rules = {}
    for line in lines:
        if line.startswith("{") and '"answer"' in line:
            fields = json.loads(line)
            rules[str(fields.get("payId"))] = fields.get("rule")
    return rules


def _log_groups(sandbox: Sandbox) -> list[str]:
    functions: LambdaClient = sandbox.credentials.client("lambda")
    names = [sandbox.stack[f"{each}FunctionName"] for each in _FUNCTIONS]
    return [
        functions.get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
        for name in names
    ]
