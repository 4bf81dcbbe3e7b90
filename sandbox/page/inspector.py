"""Reads table, queues and logs from outside, for the page and its invariants."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from sandbox.client import Client
from sandbox.page.log_lines import LogLine, payment_lines, rules_in
from sandbox.page.log_reader import LogReader
from sandbox.provider import FIELDS, reply_to

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

    from sandbox.command_line import CommandLine
    from sandbox.environment import Sandbox

_FUNCTIONS = ("Api", "Checks", "Publisher", "Sweeper")
_SIGN = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_PLAN_NAME = reply_to(dict.fromkeys(FIELDS, ""), "paid")["servicePlanShowName"]
_QUEUE_COUNTS: Sequence[QueueAttributeNameType] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)
_JUDGED_SECONDS = 10
"""How long the judgement of the same number of dead letters is kept."""


class Inspector:
    """Returns plain values; `lines` and `leaks` count the log lines read so far.

    `rules` has, by payId, the rule that the gateway's last answer broke; None if it was a reply.
    """

    def __init__(self, sandbox: Sandbox, command_line: CommandLine) -> None:
        self.client = Client(sandbox)
        self._stack = sandbox.stack
        self._dynamodb: DynamoDBClient = sandbox.credentials.client("dynamodb")
        self._sqs: SQSClient = sandbox.credentials.client("sqs")
        self._command_line = command_line
        self._logs = _log_readers(sandbox)
        self._about: defaultdict[str, list[LogLine]] = defaultdict(list)
        self._judged: tuple[float, int, list[str | None]] = (0.0, 0, [])
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

    def waiting_messages(self) -> int:
        """The messages of the checks queue, those with a delay too."""
        return self._count_messages("ChecksQueueUrl")

    def dead_letters(self) -> list[str | None]:
        """For each dead letter why it would fail again, as `redrive` judges; None: it would not."""
        count = self._count_messages("DeadLetterQueueUrl")
        judged_at, judged_count, problems = self._judged
        if count and (count != judged_count or time.monotonic() - judged_at > _JUDGED_SECONDS):
            records = self._command_line.run("redrive", "--dry-run")
            problems = [each.get("problem") for each in records]
            self._judged = (time.monotonic(), count, problems)
        return problems if count else []

    def read_logs(self, signs: Collection[str]) -> None:
        """Read the log lines since the last call; count those with a plan name or a sign."""
        found: list[LogLine] = []
        for function, log in self._logs.items():
            lines = log.read()
            self._count((text for _, text in lines), signs)
            found += payment_lines(function, lines)
        found.sort(key=lambda line: (line.at, line.function))
        for line in found:
            self._about[line.pay_id].append(line)
        self.rules |= rules_in(found)

    def lines_about(self, pay_id: str) -> list[LogLine]:
        """The log lines about a payment, oldest first."""
        return list(self._about.get(pay_id, ()))

    def _count(self, lines: Iterable[str], signs: Collection[str]) -> None:
        for line in lines:
            self.lines += 1
            leak = _PLAN_NAME in line or any(each in signs for each in _SIGN.findall(line))
            self.leaks += leak

    def _count_messages(self, queue: str) -> int:
        found = self._sqs.get_queue_attributes(
            QueueUrl=self._stack[queue], AttributeNames=_QUEUE_COUNTS
        )["Attributes"]
        return sum(int(found.get(name, 0)) for name in _QUEUE_COUNTS)


def _log_readers(sandbox: Sandbox) -> dict[str, LogReader]:
    functions: LambdaClient = sandbox.credentials.client("lambda")
    logs: CloudWatchLogsClient = sandbox.credentials.client("logs")
    found = {}
    for each in _FUNCTIONS:
        name = sandbox.stack[f"{each}FunctionName"]
        configured = functions.get_function_configuration(FunctionName=name)
        found[each] = LogReader(logs, configured["LoggingConfig"]["LogGroup"])
    return found
