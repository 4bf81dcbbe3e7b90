"""A handler as in a cold start, on the test's own table, and what it writes to its log."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from types import ModuleType
from typing import Any

import boto3
import pytest

from tests.support.tables import Table

Start = Callable[..., ModuleType]
Load = Callable[[str], ModuleType]
_LOADED: dict[str, ModuleType] = {}
_numbers = count(1)


@pytest.fixture
def start(load_app: Start, table: Table) -> Start:
    """Return ``start(name, **environ)``, which loads a handler on the test's own table.

    Call it in the test itself: powertools keeps the stdout that it finds, and pytest replaces
    stdout for each phase of a test.
    """

    def start(name: str, **environ: str) -> ModuleType:
        # A service name for each start: powertools keeps one logger, and its stream, for each.
        service = f"service-{next(_numbers)}"
        own = {"TABLE_NAME": table.name, "POWERTOOLS_SERVICE_NAME": service}
        return load_app(name, own | environ)

    return start


@pytest.fixture
def loaded(start: Start) -> Load:
    """Return ``loaded(name)``: a handler that is loaded once for all tests, for that is slow."""

    def loaded(name: str) -> ModuleType:
        if name not in _LOADED:
            _LOADED[name] = start(name)
        app = _LOADED[name]
        for handler in logging.getLogger(app.handler.logger.service).handlers:
            assert isinstance(handler, logging.StreamHandler)
            handler.stream = sys.stdout  # setStream would flush the closed stream
        return app

    return loaded


@dataclass
class Lines:
    """The output of a handler: the lines of its log, and the values of its metrics by name."""

    text: str
    logged: list[dict[str, Any]]
    metrics: dict[str, list[float]]
    dimensions: list[list[str]]


Output = Callable[[], Lines]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    """Return ``output()``: what a handler wrote since the last call."""

    def output() -> Lines:
        text = capsys.readouterr().out
        parsed = [json.loads(line) for line in text.splitlines()]
        metrics: dict[str, list[float]] = {}
        dimensions = []
        for entry in (line for line in parsed if "_aws" in line):
            for group in entry["_aws"]["CloudWatchMetrics"]:
                assert group["Namespace"] == "payresult"
                dimensions += group["Dimensions"]
                for metric in group["Metrics"]:
                    metrics.setdefault(metric["Name"], []).extend(entry[metric["Name"]])
        return Lines(text, [line for line in parsed if "_aws" not in line], metrics, dimensions)

    return output


@pytest.fixture
def aws(table: Table) -> Iterator[dict[str, str]]:
    """A bus and a queue on moto, as environment variables of a function."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name=table.name)
    url = sqs.create_queue(QueueName=table.name)["QueueUrl"]
    yield {"EVENT_BUS_NAME": table.name, "QUEUE_URL": url}
    events.delete_event_bus(Name=table.name)
    sqs.delete_queue(QueueUrl=url)
