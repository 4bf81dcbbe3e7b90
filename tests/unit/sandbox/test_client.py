"""What the sandbox's visitor sees of a queue, and what it leaves there."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import boto3
from moto import mock_aws

from sandbox.client import Client

if TYPE_CHECKING:
    from sandbox.environment import Sandbox


def test_dead_letters_are_seen_beyond_the_ten_of_one_look_and_stay() -> None:
    """The eleventh was never seen while each look left its ten to the next one."""
    bodies = [str(number) for number in range(25)]
    with mock_aws(config={"core": {"mock_credentials": False}}):
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="dead")["QueueUrl"]
        for body in bodies:
            sqs.send_message(QueueUrl=url, MessageBody=body)
        stack = {"DeadLetterQueueUrl": url}
        account = SimpleNamespace(client=boto3.client)
        visitor = Client(cast("Sandbox", SimpleNamespace(stack=stack, account=account)))
        assert sorted(visitor.dead_letters()) == sorted(bodies)
        assert sorted(visitor.dead_letters()) == sorted(bodies)
