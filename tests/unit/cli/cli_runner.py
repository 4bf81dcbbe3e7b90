"""Runs the CLI in process: on moto's table and queues, with a fixed clock and a fake API."""

import json
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config

from payresult_cli.context import Dependencies
from payresult_cli.http_api import HttpResponse
from payresult_cli.stack import Stack
from tests.support.commands import CommandResult, run
from tests.support.factories import NOW, PARTNER
from tests.support.tables import Table

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_sqs import SQSClient

_numbers = count(1)

API_URL = "https://api.invalid"

Handler = Callable[..., Any]
"""Called with the call of the client that it replaces, then with the arguments of the call."""


class CommandLine:
    """The CLI on a stack of its own.

    ``now`` passes where the command sleeps, ``delays`` are those of the messages sent, in seconds.
    ``api`` answers the JSON of requests to the HTTP API (None: without a body), which are kept in
    ``requests``.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.now = NOW
        self.has_terminal = True
        self.retention_days = 0
        self.sqs: SQSClient = _boto3_client("sqs")
        self.queue_url, self.dead_letter_queue_url = (
            self.sqs.create_queue(QueueName=f"{name}-{next(_numbers)}")["QueueUrl"]
            for name in ("checks", "dead")
        )
        self.requests: list[AWSPreparedRequest] = []
        self.api: Callable[[Any], HttpResponse] = lambda _: HttpResponse(500, b"")
        self.handlers: dict[str, Handler] = {}
        self.delays: list[int] = []

    def run(
        self, *arguments: object, user_input: str | None = None, color: bool = False
    ) -> CommandResult:
        """Run one command line on this stack."""
        dependencies = Dependencies(
            load_stack=self._load_stack,
            send_request=self._send_request,
            clock=lambda: self.now / 1000,
            sleep=self._sleep,
            has_terminal=lambda: self.has_terminal,
        )
        return run(*arguments, dependencies=dependencies, user_input=user_input, color=color)

    def intercept(self, call: str, handler: Handler) -> None:
        """Replace *call* of the command's boto3 clients, such as "send_message_batch"."""
        self.handlers[call] = handler

    def stop_intercepting(self) -> None:
        """Let all calls through again."""
        self.handlers.clear()

    def take_messages(self, queue_url: str | None = None) -> list[str]:
        """Take all messages off a queue, the checks queue by default, and return the bodies."""
        bodies: list[str] = []
        while batch := self._take_batch(queue_url or self.queue_url):
            bodies += batch
        return bodies

    def send_dead_letters(self, *bodies: str, **attributes: str) -> list[str]:
        """Send messages to the dead-letter queue and return their ids."""
        given: Any = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        url = self.dead_letter_queue_url
        return [
            self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=given)[
                "MessageId"
            ]
            for body in bodies
        ]

    def _take_batch(self, queue_url: str) -> Sequence[str]:
        response = self.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        messages = response.get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    def _load_stack(self, name: str, *, sandbox: bool) -> Stack:
        assert (name, sandbox) == ("payresult", False)
        return Stack(
            name=name,
            partner_code=PARTNER,
            table_name=self.table.name,
            queue_url=self.queue_url,
            dead_letter_queue_url=self.dead_letter_queue_url,
            api_url=API_URL,
            check_delays="5,10,20",
            failed_pay_rst_values="fail",
            retention_days=self.retention_days,
            session=cast("boto3.Session", _Session(self)),
        )

    def _sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1000)

    def _send_request(self, request: "AWSPreparedRequest") -> HttpResponse:
        self.requests.append(request)
        return self.api(json.loads(cast("bytes", request.body) or b"null"))


@cache
def _boto3_session() -> boto3.Session:
    """One session for all tests: each new one reads botocore's data again, which takes 50 ms."""
    return boto3.Session()


@cache
def _boto3_client(service: str) -> Any:
    """One client of a service for all tests: each new one takes 10 ms."""
    return cast("Any", _boto3_session()).client(service)


class _Session:
    """A session whose clients are those of the command line, with their calls intercepted."""

    def __init__(self, cli: CommandLine) -> None:
        self._cli = cli

    def __getattr__(self, name: str) -> Any:
        return getattr(_boto3_session(), name)

    def client(self, service: str, *, endpoint_url: None, config: Config) -> "_Client":
        assert (endpoint_url, isinstance(config, Config)) == (None, True)
        client = self._cli.table.client if service == "dynamodb" else _boto3_client(service)
        return _Client(client, self._cli.handlers, self._cli.delays)


class _Client:
    """A client some of whose calls go to a handler. It never waits, and never delays a message."""

    def __init__(self, client: Any, handlers: dict[str, Handler], delays: list[int]) -> None:
        self._client = client
        self._handlers = handlers
        self._delays = delays

    def __getattr__(self, name: str) -> Any:
        handler = self._handlers.get(name)
        if handler and not hasattr(self._client, name):  # a call that the table in memory has not
            return partial(handler, None)
        own = {"send_message_batch": self._send, "receive_message": self._receive}
        call = own.get(name) or getattr(self._client, name)
        return partial(handler, call) if handler else call

    def _send(self, **arguments: Any) -> Any:
        self._delays += [entry.pop("DelaySeconds", 0) for entry in arguments["Entries"]]
        return self._client.send_message_batch(**arguments)

    def _receive(self, **arguments: Any) -> Any:
        """Receive without waiting: moto has all messages at once."""
        return self._client.receive_message(**arguments | {"WaitTimeSeconds": 0})
