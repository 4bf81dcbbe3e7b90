"""Uses the running system from outside, by HTTP, queues and table, without payresult's code."""

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

_TIMEOUT_SECONDS = 40
_MAX_BATCHES, _HIDDEN_SECONDS = 10, 5
"""Batches of ten dead letters that are read, and how long each stays hidden from the next read."""


class SweepFailed(Exception):
    """A sweep ended with an error; the message has the error's. What is due stays due."""


class HttpResponse(NamedTuple):
    """A response of the API."""

    status: int
    headers: dict[str, str]
    body: Any


class Client:
    """Calls the API, sends messages, and reads table, dead letters and logs as plain values."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._sqs: SQSClient = sandbox.credentials.client("sqs")
        self._dynamodb: DynamoDBClient = sandbox.credentials.client("dynamodb")
        self._lambda: LambdaClient = sandbox.credentials.client("lambda")
        self._logs: CloudWatchLogsClient = sandbox.credentials.client("logs")

    def call(self, method: str, path: str, body: object = None) -> HttpResponse:
        """The response to a call through the signing proxy; *body* is sent as JSON."""
        address = self._sandbox.api_url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=_TIMEOUT_SECONDS)
        content = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.headers.items()}
            return HttpResponse(response.status, headers, json.loads(response.read()))
        finally:
            connection.close()

    def get(self, pay_id: str) -> HttpResponse:
        """GET /payments/{payId}."""
        return self.call("GET", f"/payments/{pay_id}")

    def put(self, pay_id: str, **registration: str) -> HttpResponse:
        """PUT /payments/{payId}."""
        return self.call("PUT", f"/payments/{pay_id}", registration)

    def send(self, message: object) -> str:
        """Send *message* to the checks queue, a str unchanged; the message id."""
        body = message if isinstance(message, str) else json.dumps(message)
        queue = self._sandbox.stack["ChecksQueueUrl"]
        return self._sqs.send_message(QueueUrl=queue, MessageBody=body)["MessageId"]

    def item(self, pay_id: str) -> dict[str, Any]:
        """The payment's item in the table, with plain values; empty if there is none."""
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
        """The bodies in the dead-letter queue, up to a hundred; they stay there."""
        queue = self._sandbox.stack["DeadLetterQueueUrl"]
        found: list[MessageTypeDef] = []
        for _ in range(_MAX_BATCHES):
            # Hidden for a moment: if they stayed visible, each read would return the same ten.
            batch = self._sqs.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=_HIDDEN_SECONDS
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
        """Run the sweeper now instead of at the next minute; SweepFailed if it ends with an error.

        Lambda responds with HTTP 200 to that as well (AWS, "Invoke", FunctionError).
        """
        response = self._lambda.invoke(FunctionName=self._sandbox.stack["SweeperFunctionName"])
        if "FunctionError" in response:
            message = json.load(response["Payload"]).get("errorMessage")
            raise SweepFailed(f"the sweeper failed: {message}")

    def make_due(self, pay_id: str) -> None:
        """Make the payment due for the next sweep.

        The sweeper leaves an event to the stream for a minute, and a check to the queue for
        longer; the demo and the tests do not wait for that.
        """
        self._dynamodb.update_item(
            TableName=self._sandbox.stack["TableName"],
            Key={"pk": {"S": f"{PARTNER_CODE}#{pay_id}"}},
            UpdateExpression="SET workAt = :past",
            ConditionExpression="attribute_exists(workAt)",
            ExpressionAttributeValues={":past": {"N": "0"}},
        )

    def switch_stream(self, *, on: bool) -> None:
        """Enable or disable the event source mapping from the table's stream to the publisher."""
        self._switch("PublisherFunctionName", on=on)

    def switch_queue(self, *, on: bool) -> None:
        """Enable or disable the event source mapping from the checks queue to its function."""
        self._switch("ChecksFunctionName", on=on)

    def purge_queue(self) -> None:
        """Delete all messages of the checks queue."""
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
