"""The four functions in this process: the real handlers, in front of edges of ours."""

import importlib
import os
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast
from unittest import mock

from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.eventbridge import EventPublisher
from payresult.aws.sqs import CheckQueue
from payresult.domain.decision import Rules
from payresult.domain.reply import Reply
from payresult.domain.schedule import Schedule
from payresult.gateway.protocol import HttpResponse as HttpAnswer
from payresult.gateway.protocol import read_reply
from payresult.services.check import Checker
from payresult.services.check_batch import CheckBatchProcessor
from payresult.services.outbox import Outbox
from payresult.services.payments import PaymentService
from payresult.services.sweeper import Sweeper
from tests.fault_injection.fake_gateway import PARTNER
from tests.fault_injection.oracle import ENVIRONMENT
from tests.support.template import deployed_environment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

    from payresult.gateway.client import GatewayClient

FAILED_VALUE = "fail"
QUIET = {"POWERTOOLS_SERVICE_NAME": "campaigns", "POWERTOOLS_LOG_LEVEL": "CRITICAL"}
AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}

Client = Any
Connect = Callable[[str, str], Client]
"""The client of a function, by its name, for an edge: table, queue, bus or gateway."""

_WORKS_WITH = {"checks": "processor", "publisher": "outbox", "sweeper": "sweeper", "api": "service"}


class Inline(Executor):
    """A pool that does the work at once, so that every run is the same; a Crash goes through."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - what a pool does
            future.set_exception(error)
        return future


@cache
def app(name: str) -> ModuleType:
    """The handler of a function, loaded as a cold start does, with its log switched off."""
    environment = deployed_environment(GatewayBaseUrl="https://gateway.invalid/payment")
    with mock.patch.dict(os.environ, environment | AWS | QUIET, clear=True):
        module = f"functions.{name}.app"
        sys.modules.pop(module, None)
        loaded = importlib.import_module(module)
        del sys.modules[module]
    return loaded


class Functions:
    """What is deployed: four functions, each with clients of its own."""

    def __init__(
        self,
        connect: Connect,
        clock: Callable[[], float],
        chance: Callable[[], float],
        delays: tuple[int, ...],
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._chance = chance
        self._rules = Rules(Schedule(delays), ENVIRONMENT, (FAILED_VALUE,))
        checker, store, queue = (
            self._checker("checks"),
            self._store("checks"),
            self._queue("checks"),
        )
        processor = CheckBatchProcessor(
            self._service("checks"), checker, store, queue, pool=Inline()
        )
        sweeper = Sweeper(
            self._store("sweeper"),
            self._queue("sweeper"),
            self._outbox("sweeper"),
            pool=Inline(),
            clock=clock,
        )
        outbox = self._outbox("publisher")
        api = self._service("api")
        self._work = {"checks": processor, "publisher": outbox, "sweeper": sweeper, "api": api}

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Hand *event* to a handler; its answer."""
        module = app(name)
        setattr(module, _WORKS_WITH[name], self._work[name])
        return module.handler(event, None)

    def _store(self, role: str) -> PaymentRepository:
        client = cast("DynamoDBClient", self._connect(role, "table"))
        return PaymentRepository(client, "payments", PARTNER)

    def _queue(self, role: str) -> CheckQueue:
        return CheckQueue(cast("SQSClient", self._connect(role, "queue")), "queue")

    def _checker(self, role: str) -> Checker:
        client = _HttpGateway(self._connect(role, "gateway"), self._clock)
        gateway = cast("GatewayClient", client)
        store = self._store(role)
        return Checker(gateway, store, self._rules, clock=self._clock, random_fraction=self._chance)

    def _service(self, role: str) -> PaymentService:
        checker, store, queue = self._checker(role), self._store(role), self._queue(role)
        return PaymentService(checker, store, queue, pool=Inline())

    def _outbox(self, role: str) -> Outbox:
        client = cast("EventBridgeClient", self._connect(role, "bus"))
        publisher = EventPublisher(client, "bus")
        return Outbox(self._store(role), publisher, pool=Inline(), clock=self._clock)


class _HttpGateway:
    """GatewayClient without its sockets: the answer is read by the code that reads real ones."""

    def __init__(self, client: Client, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock

    def query(self, pay_id: str) -> Reply:
        status, body, content_type, retry_after = self._client.query(pay_id=pay_id)
        headers = {"content-type": content_type, "retry-after": retry_after}
        answer = HttpAnswer(status, headers, body)
        return read_reply(answer, pay_id=pay_id, partner_code=PARTNER, now=self._clock())
