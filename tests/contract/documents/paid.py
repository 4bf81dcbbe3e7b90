"""One payment on its way from the order's message to the bus: the samples that AWS would send."""

import json
from typing import Any

from tests.support.moto_deployment import REGION, Deployment, running
from tests.support.samples import sample

Event = dict[str, Any]

TABLE_ARN = f"arn:aws:dynamodb:{REGION}:123456789012:table/payresult-Table-1A2B3C4D5E6F"

ENVELOPE = (
    *("version", "id", "detail-type", "source", "account"),
    *("time", "region", "resources", "detail"),
)
"""The order in which EventBridge writes them."""

AS_AWS_SENDS_A_RECORD: Event = {
    "eventID": "c4ca4238a0b923820dcc509a6f75849b",
    "awsRegion": REGION,
    "eventSourceARN": f"{TABLE_ARN}/stream/2026-11-01T00:00:00.000",
}
AS_AWS_FRAMES_A_CHANGE: Event = {
    "ApproximateCreationDateTime": 1795341600.0,
    "SequenceNumber": "1100000000017454423011",
    "SizeBytes": 2628,
}
AS_AWS_FRAMES_AN_EVENT: Event = {
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "account": "123456789012",
    "time": "2026-11-22T10:00:00Z",
    "region": REGION,
}
"""What is AWS's own in each sample, made up once and for all."""


def stream_event_and_envelope() -> tuple[Event, Event]:
    """Return the stream's event about the paid order, and what a subscriber then receives."""
    with running() as world:
        inbox = subscribe(world, {"source": ["payresult"]})
        answer = world.app("checks").handler(sample("checks"), None)
        assert answer == {"batchItemFailures": []}
        records = {_pay_id(record): record for record in world.stream_records()}
        paid = records["20190321192436"]
        paid["dynamodb"] |= AS_AWS_FRAMES_A_CHANGE
        stream_event = {"Records": [paid | AS_AWS_SENDS_A_RECORD]}
        answer = world.app("publisher").handler(stream_event, None)
        assert answer == {"batchItemFailures": []}
        [envelope] = received(world, inbox)
        envelope |= AS_AWS_FRAMES_AN_EVENT
        return stream_event, {name: envelope[name] for name in ENVELOPE}


def subscribe(world: Deployment, pattern: Event) -> str:
    """Return the URL of a new queue to which the bus sends what fits *pattern*."""
    bus, url = world.environ["EVENT_BUS_NAME"], world.queue.create_queue(QueueName="inbox")
    arn = f"arn:aws:sqs:{REGION}:123456789012:inbox"
    world.bus.put_rule(Name="inbox", EventBusName=bus, EventPattern=json.dumps(pattern))
    world.bus.put_targets(Rule="inbox", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
    return url["QueueUrl"]


def received(world: Deployment, inbox: str) -> list[Event]:
    """Return the events in the queue *inbox*."""
    messages = world.queue.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in messages.get("Messages", [])]


def _pay_id(record: Event) -> str:
    pay_id: str = record["dynamodb"]["NewImage"]["pk"]["S"].partition("#")[2]
    return pay_id
