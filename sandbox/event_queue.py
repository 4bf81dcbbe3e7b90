"""Queues of the sandbox's own that receive each PaymentSucceeded by a rule of the bus."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

    from sandbox.environment import Sandbox


def create_event_queue(sandbox: Sandbox, name: str) -> str:
    """Create a rule and a queue *name*, which gets the events from now on; the queue's URL."""
    sqs: SQSClient = sandbox.credentials.client("sqs")
    events: EventBridgeClient = sandbox.credentials.client("events")
    bus = sandbox.stack["EventBusName"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = found["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    pattern = json.dumps({"detail-type": ["PaymentSucceeded"]})
    events.put_rule(Name=name, EventBusName=bus, EventPattern=pattern)
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return url
