"""Contract of the audit queue's reader: what it reads, and what it leaves in the queue."""

import json

import boto3
import pytest
from moto import mock_aws

from sandbox.audit import AuditQueueReader


@pytest.mark.parametrize("leave", [True, False])
def test_an_event_stays_for_the_next_reader_only_with_leave(*, leave: bool) -> None:
    """After the demo of an external gateway the user reads the queue, as the README shows."""
    with mock_aws(config={"core": {"mock_credentials": False}}):
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="audit")["QueueUrl"]
        event = {"detail": {"data": {"payId": "20190321192436"}}}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
        with AuditQueueReader(sqs, url, leave=leave) as audit:
            assert len(audit.arrivals("20190321192436")) == 1
            assert len(audit.arrivals("20190321192436")) == 1
        left = sqs.receive_message(QueueUrl=url).get("Messages", [])
    assert [json.loads(each["Body"]) for each in left] == ([event] if leave else [])
