"""Contract of the reader of a log group, against moto."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from sandbox.page.log_reader import LATE_MS, LogReader

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

GROUP, STREAM = "group", "stream"


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> "Iterator[CloudWatchLogsClient]":
    """A client of an empty log group."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("logs", region_name="eu-central-1")
        client.create_log_group(logGroupName=GROUP)
        client.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
        yield client


def write(logs: "CloudWatchLogsClient", at: int, text: str) -> None:
    """Write a line with the time *at*."""
    event = {"timestamp": at, "message": text}
    logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=[event])  # type: ignore[list-item]  # a plain dict is one


def test_each_line_is_read_once_also_a_late_one(logs: "CloudWatchLogsClient") -> None:
    """On a busy machine a line appears after others that are younger."""
    reader, now = LogReader(logs, GROUP), int(time.time() * 1000)
    assert reader.read() == []
    write(logs, now - 2 * LATE_MS, "old")
    write(logs, now, "first")
    assert reader.read() == [(now - 2 * LATE_MS, "old"), (now, "first")]
    write(logs, now - LATE_MS // 2, "late")
    assert reader.read() == [(now - LATE_MS // 2, "late")]
    assert reader.read() == []
