"""Contract of the sandbox's client: dead letters are read completely and stay in the queue."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import boto3
from moto import mock_aws

from sandbox.client import Client

if TYPE_CHECKING:
    from sandbox.environment import Sandbox


def test_dead_letters_are_read_beyond_one_batch_and_stay() -> None:
    """With visible messages each batch would have the same ten."""
    bodies = [str(number) for number in range(25)]
    with mock_aws(config={"core": {"mock_credentials": False}}):
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="dead")["QueueUrl"]
        for body in bodies:
            sqs.send_message(QueueUrl=url, MessageBody=body)
        stack = {"DeadLetterQueueUrl": url}
        credentials = SimpleNamespace(client=boto3.client)
        client = Client(cast("Sandbox", SimpleNamespace(stack=stack, credentials=credentials)))
        assert sorted(client.dead_letters()) == sorted(bodies)
        assert sorted(client.dead_letters()) == sorted(bodies)
