"""Reads the new lines of a log group."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

Line = tuple[int, str, str]
"""Time, text and stream."""

LATE_MS = 30_000
"""A line that becomes readable this much later than its time is still found: on a busy machine
the log of an invocation is written seconds after it."""


class LogReader:
    """Each call of `read` returns the lines that are new since the last one."""

    def __init__(self, logs: CloudWatchLogsClient, group: str) -> None:
        self._logs = logs
        self._group = group
        self._seen: set[Line] = set()

    def read(self) -> list[tuple[int, str]]:
        """Time (epoch milliseconds) and text of each line, in the order of the log."""
        start = int(time.time() * 1000) - LATE_MS if self._seen else 0
        self._seen = {line for line in self._seen if line[0] >= start}
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._group, startTime=start
        )
        # By all that tells lines apart: the emulator gives an eventId to some of them only.
        lines = [
            (event["timestamp"], event["message"], event["logStreamName"])
            for page in pages
            for event in page["events"]
        ]
        new = [line for line in lines if line not in self._seen]
        self._seen.update(new)
        return [(at, text) for at, text, _ in new]
