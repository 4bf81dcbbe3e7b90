"""The operators' tool on moto: a table, two queues, a fixed clock, and an API of our own making."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import boto3
from click.testing import CliRunner

from payresult_cli.app import main
from payresult_cli.context import Dependencies
from payresult_cli.http_api import HttpResponse
from payresult_cli.stack import Stack
from tests.support.factories import NOW, PARTNER
from tests.support.tables import Table

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_sqs import SQSClient

API = "https://api.invalid"


class Ran(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """What it said with --json."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(*arguments: object, edges: Dependencies, answers: str | None = None) -> Ran:
    """Run one command line; *answers* is what the operator types."""
    with CliRunner().isolation(input=answers) as (out, err, _):
        code = main([str(each) for each in arguments], edges)
        return Ran(code, out.getvalue().decode(), err.getvalue().decode())


class CommandLine:
    """A system that commands work on, and a look at what they did to it."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.now = NOW
        self.sqs: SQSClient = boto3.client("sqs")
        self.queue, self.dead = (
            self.sqs.create_queue(QueueName=f"{table.name}-{name}")["QueueUrl"]
            for name in ("checks", "dead")
        )
        self.requests: list[AWSPreparedRequest] = []
        self.answer: Callable[[dict[str, Any]], HttpResponse] = lambda _: HttpResponse(500, b"")
        self.wrap: Callable[[str, Any], Any] = lambda _, client: client

    def run(self, *arguments: object, answers: str | None = None) -> Ran:
        """Run one command line on this system."""
        edges = Dependencies(find=self._find, send=self._send, clock=lambda: self.now / 1000)
        return run(*arguments, edges=edges, answers=answers)

    def messages(self, url: str | None = None) -> list[str]:
        """Take all messages off a queue, the checks queue by default."""
        bodies: list[str] = []
        while found := self._receive(url or self.queue):
            bodies += found
        return bodies

    def bury(self, *bodies: str, **attributes: str) -> list[str]:
        """Put messages into the dead-letter queue; their ids."""
        given: Any = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        return [
            self.sqs.send_message(QueueUrl=self.dead, MessageBody=body, MessageAttributes=given)[
                "MessageId"
            ]
            for body in bodies
        ]

    def _receive(self, url: str) -> Sequence[str]:
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in found]

    def _find(self, stack: str, *, sandbox: bool) -> Stack:
        assert (stack, sandbox) == ("payresult", False)
        return Stack(
            name=stack,
            partner_code=PARTNER,
            table=self.table.name,
            queue_url=self.queue,
            dead_letter_url=self.dead,
            api_url=API,
            check_delays="5,10,20",
            failed_pay_rst_values="fail",
            session=cast("boto3.Session", _Session(self)),
        )

    def _send(self, request: "AWSPreparedRequest") -> HttpResponse:
        self.requests.append(request)
        return self.answer(json.loads(cast("bytes", request.body)))


@cache
def _described() -> boto3.Session:
    """A session for all tests: each new one reads the descriptions of AWS again, in 50 ms."""
    return boto3.Session()


class _Session:
    """A session whose clients may be wrapped, to make one of their calls fail; its SQS is quick."""

    def __init__(self, bench: CommandLine) -> None:
        self._bench = bench
        self._session = _described()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def client(self, service: str, **arguments: Any) -> Any:
        client = cast("Any", self._session).client(service, **arguments)
        return self._bench.wrap(service, _Hasty(client) if service == "sqs" else client)


class _Hasty:
    """An SQS client that waits for no message: moto's queues are told of theirs at once."""

    def __init__(self, client: "SQSClient") -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def receive_message(self, **arguments: Any) -> Any:
        return self._client.receive_message(**arguments | {"WaitTimeSeconds": 0})
