"""Somebody who uses the running system from outside: HTTP, queues, the table. No code of ours."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from boto3.dynamodb.types import TypeDeserializer

from sandbox.deploy import PARTNER_CODE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from sandbox.environment import Sandbox

_SECONDS = 40
_LOOKS, _HIDDEN = 10, 5
"""Ten messages each, hidden from the next look for so many seconds at most."""


class HttpResponse(NamedTuple):
    """What the API answered."""

    status: int
    headers: dict[str, str]
    body: Any


class Client:
    """Calls, messages and looks, all with plain values."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._sqs: SQSClient = sandbox.account.client("sqs")
        self._dynamodb: DynamoDBClient = sandbox.account.client("dynamodb")
        self._lambda: LambdaClient = sandbox.account.client("lambda")
        self._logs: CloudWatchLogsClient = sandbox.account.client("logs")

    def call(self, method: str, path: str, body: object = None) -> HttpResponse:
        """The API's answer to a call through the front; *body* is sent as JSON."""
        address = self._sandbox.api_url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=_SECONDS)
        content = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return HttpResponse(answer.status, headers, json.loads(answer.read()))
        finally:
            connection.close()

    def get(self, pay_id: str) -> HttpResponse:
        """GET /payments/{payId}."""
        return self.call("GET", f"/payments/{pay_id}")

    def put(self, pay_id: str, **registration: str) -> HttpResponse:
        """PUT /payments/{payId}."""
        return self.call("PUT", f"/payments/{pay_id}", registration)

    def send(self, message: object) -> str:
        """Put *message* on the checks queue, a str as it is; the id of the message."""
        body = message if isinstance(message, str) else json.dumps(message)
        queue = self._sandbox.stack["ChecksQueueUrl"]
        return self._sqs.send_message(QueueUrl=queue, MessageBody=body)["MessageId"]

    def item(self, pay_id: str) -> dict[str, Any]:
        """The payment as the table has it, with plain values; empty if it has none."""
        found = self._dynamodb.get_item(
            TableName=self._sandbox.stack["TableName"],
            Key={"pk": {"S": f"{PARTNER_CODE}#{pay_id}"}},
            ConsistentRead=True,
        ).get("Item", {})
        return {name: TypeDeserializer().deserialize(value) for name, value in found.items()}

    def status(self, pay_id: str) -> str | None:
        """The payment's status in the table."""
        return self.item(pay_id).get("status")

    def dead_letters(self) -> list[str]:
        """The bodies in the dead-letter queue, of some hundred messages; they stay there."""
        queue = self._sandbox.stack["DeadLetterQueueUrl"]
        found: list[MessageTypeDef] = []
        for _ in range(_LOOKS):
            # Hidden for a moment: left visible, the same ten would be all that is ever seen.
            batch = self._sqs.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=_HIDDEN
            ).get("Messages", [])
            if not batch:
                break
            found += batch
        for each in found:
            self._sqs.change_message_visibility(
                QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0
            )
        return [each["Body"] for each in found]

    def sweep(self) -> None:
        """Run the sweeper now, and not at the next minute."""
        self._lambda.invoke(FunctionName=self._sandbox.stack["SweeperFunctionName"])

    def end_grace(self, pay_id: str) -> None:
        """Make the payment due for the sweeper.

        It leaves an event to the stream for a minute, and a check to the queue for longer, which
        nobody wants to wait for here.
        """
        self._dynamodb.update_item(
            TableName=self._sandbox.stack["TableName"],
            Key={"pk": {"S": f"{PARTNER_CODE}#{pay_id}"}},
            UpdateExpression="SET workAt = :past",
            ConditionExpression="attribute_exists(workAt)",
            ExpressionAttributeValues={":past": {"N": "0"}},
        )

    def switch_stream(self, *, on: bool) -> None:
        """Switch the way from the table's stream to the publisher on or off."""
        self._switch("PublisherFunctionName", on=on)

    def switch_queue(self, *, on: bool) -> None:
        """Switch the way from the checks queue to its function on or off."""
        self._switch("ChecksFunctionName", on=on)

    def purge_queue(self) -> None:
        """Lose all messages of the checks queue."""
        self._sqs.purge_queue(QueueUrl=self._sandbox.stack["ChecksQueueUrl"])

    def logs(self) -> str:
        """All that the four functions have logged so far."""
        lines: list[str] = []
        pages = self._logs.get_paginator("filter_log_events")
        for function in ("Api", "Checks", "Publisher", "Sweeper"):
            name = self._sandbox.stack[f"{function}FunctionName"]
            configured = self._lambda.get_function_configuration(FunctionName=name)
            for page in pages.paginate(logGroupName=configured["LoggingConfig"]["LogGroup"]):
                lines += [event["message"] for event in page["events"]]
        return "\n".join(lines)

    def _switch(self, function: str, *, on: bool) -> None:
        found = self._lambda.list_event_source_mappings(FunctionName=self._sandbox.stack[function])
        (mapping,) = found["EventSourceMappings"]
        self._lambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)
