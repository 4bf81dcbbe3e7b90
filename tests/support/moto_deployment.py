"""The four handlers as they are, on a simulated AWS, with a gateway on loopback and one clock."""

import importlib.util
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from random import SystemRandom
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import moto

from tests.support import loopback_gateway as gateway
from tests.support.factories import NOW
from tests.support.tables import create_table
from tests.support.template import ROOT, deployed_environment, properties

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

REGION = "eu-central-1"

CLEAN = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "payresult",
    "POWERTOOLS_SERVICE_NAME": "payresult",
}
"""All that is left of the environment: a developer's own AWS settings have no say here."""


@dataclass
class Deployment:
    """Where payresult runs: *now* is its clock, in milliseconds; the edges are for looking at."""

    gateway: gateway.Gateway
    environ: dict[str, str]
    table: "DynamoDBClient"
    queue: "SQSClient"
    bus: "EventBridgeClient"
    stream: Any
    now: int = NOW

    def app(self, name: str, **environ: str) -> ModuleType:
        """Import ``functions/<name>/app.py`` as a cold start does, with our clock and no chance."""
        path = ROOT / "functions" / name / "app.py"
        spec = importlib.util.spec_from_file_location(f"functions.{name}.app", path)
        assert spec is not None
        assert spec.loader is not None
        app = importlib.util.module_from_spec(spec)
        # The handlers take these at their start; afterwards all else has its own time again.
        with (
            mock.patch.dict(os.environ, self.environ | environ),
            mock.patch.object(time, "time", self._clock),
            mock.patch.object(time, "sleep", self._sleep),
            mock.patch.object(SystemRandom, "random", return_value=0.5),
        ):
            spec.loader.exec_module(app)
        return app

    def _clock(self) -> float:
        return self.now / 1000

    def _sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1000)

    def stream_records(self) -> list[dict[str, Any]]:
        """What the table's stream has to say so far, oldest first."""
        [stream] = self.stream.list_streams()["Streams"]
        arn = stream["StreamArn"]
        [shard] = self.stream.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = self.stream.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records: list[Any] = self.stream.get_records(ShardIterator=iterator)["Records"]
        return records


@contextmanager
def running() -> Iterator[Deployment]:
    """A world with an empty table, an empty queue, and a gateway for which all is paid."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, CLEAN, clear=True))
        stack.enter_context(moto.mock_aws())
        answering = stack.enter_context(gateway.running())
        world = Deployment(
            answering,
            deployed_environment(
                GatewayBaseUrl=answering.url,
                EnvironmentName="prod",
                GatewayTimeZone="Asia/Shanghai",
            ),
            boto3.client("dynamodb"),
            boto3.client("sqs"),
            boto3.client("events"),
            boto3.client("dynamodbstreams"),
        )
        _create_resources(world)
        yield world


def _create_resources(world: Deployment) -> None:
    """Create what the template calls Table, ChecksQueue and EventBus, under the same names."""
    view = properties("Table")["StreamSpecification"]["StreamViewType"]
    stream: Any = {"StreamEnabled": True, "StreamViewType": view}
    create_table(world.table, world.environ["TABLE_NAME"], StreamSpecification=stream)
    created = world.queue.create_queue(QueueName="checks")["QueueUrl"]
    assert created == world.environ["QUEUE_URL"]
    world.bus.create_event_bus(Name=world.environ["EVENT_BUS_NAME"])
