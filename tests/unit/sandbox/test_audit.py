"""What the sandbox's story reads off the audit queue, and what it leaves there."""

import json

import boto3
import pytest
from moto import mock_aws

from sandbox.audit import Audit
from sandbox.waiting import wait_for


@pytest.mark.parametrize("leave", [True, False])
def test_an_event_is_there_for_the_next_reader_where_it_is_left(leave: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    """The person who pastes the README's last command, after the story of another gateway."""
    with mock_aws(config={"core": {"mock_credentials": False}}):
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="audit")["QueueUrl"]
        event = {"detail": {"data": {"payId": "20190321192436"}}}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
        with Audit(sqs, url, leave=leave) as audit:
            wait_for("the event", lambda: audit.arrivals("20190321192436"), 10)
        left = sqs.receive_message(QueueUrl=url).get("Messages", [])
    assert [json.loads(each["Body"]) for each in left] == ([event] if leave else [])
