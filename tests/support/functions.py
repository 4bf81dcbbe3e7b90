"""The four functions in this process: the real handlers with clients of the simulation."""

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
from payresult.gateway.protocol import HttpResponse, read_reply
from payresult.services.check import Checker
from payresult.services.check_batch import CheckBatchProcessor
from payresult.services.outbox import Outbox
from payresult.services.payments import PaymentService
from payresult.services.sweeper import Sweeper
from tests.support.fake_gateway import PARTNER
from tests.support.oracle import ENVIRONMENT
from tests.support.template import deployed_environment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

    from payresult.gateway.client import GatewayClient

FAILED_VALUE = "fail"
LOGGING_OFF = {"POWERTOOLS_SERVICE_NAME": "campaigns", "POWERTOOLS_LOG_LEVEL": "CRITICAL"}
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
"""Returns the client of a function for a dependency: table, queue, bus or gateway."""

_SERVICES = {"checks": "processor", "publisher": "outbox", "sweeper": "sweeper", "api": "service"}
"""By function, the variable of its module that has its service."""


class InlineExecutor(Executor):
    """An executor that runs each call at once, so that a run is repeatable; a Crash propagates."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call *fn*; return a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


@cache
def app(name: str) -> ModuleType:
    """Return the module of a function, imported as in a cold start, with logging switched off."""
    environment = deployed_environment(GatewayBaseUrl="https://gateway.invalid/payment")
    with mock.patch.dict(os.environ, environment | AWS | LOGGING_OFF, clear=True):
        module = f"functions.{name}.app"
        sys.modules.pop(module, None)
        loaded = importlib.import_module(module)
        del sys.modules[module]
    return loaded


class Functions:
    """The four deployed functions, each with its own clients."""

    def __init__(
        self,
        connect: Connect,
        clock: Callable[[], float],
        random_fraction: Callable[[], float],
        delays: tuple[int, ...],
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._random_fraction = random_fraction
        self._rules = Rules(Schedule(delays), ENVIRONMENT, (FAILED_VALUE,))
        processor = CheckBatchProcessor(
            self._payment_service("checks"),
            self._checker("checks"),
            self._repository("checks"),
            self._queue("checks"),
            pool=InlineExecutor(),
        )
        sweeper = Sweeper(
            self._repository("sweeper"),
            self._queue("sweeper"),
            self._outbox("sweeper"),
            pool=InlineExecutor(),
            clock=clock,
        )
        self._services = {
            "checks": processor,
            "publisher": self._outbox("publisher"),
            "sweeper": sweeper,
            "api": self._payment_service("api"),
        }

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Return the result of a handler for *event*."""
        module = app(name)
        setattr(module, _SERVICES[name], self._services[name])
        return module.handler(event, None)

    def _repository(self, function: str) -> PaymentRepository:
        client = cast("DynamoDBClient", self._connect(function, "table"))
        return PaymentRepository(client, "payments", PARTNER)

    def _queue(self, function: str) -> CheckQueue:
        return CheckQueue(cast("SQSClient", self._connect(function, "queue")), "queue")

    def _checker(self, function: str) -> Checker:
        client = _HttpGateway(self._connect(function, "gateway"), self._clock)
        return Checker(
            cast("GatewayClient", client),
            self._repository(function),
            self._rules,
            clock=self._clock,
            random_fraction=self._random_fraction,
        )

    def _payment_service(self, function: str) -> PaymentService:
        return PaymentService(
            self._checker(function),
            self._repository(function),
            self._queue(function),
            pool=InlineExecutor(),
        )

    def _outbox(self, function: str) -> Outbox:
        client = cast("EventBridgeClient", self._connect(function, "bus"))
        publisher = EventPublisher(client, "bus")
        repository = self._repository(function)
        return Outbox(repository, publisher, pool=InlineExecutor(), clock=self._clock)


class _HttpGateway:
    """GatewayClient without sockets: ``read_reply`` reads the simulated responses."""

    def __init__(self, client: Client, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock

    def query(self, pay_id: str) -> Reply:
        status, body, content_type, retry_after = self._client.query(pay_id=pay_id)
        headers = {"content-type": content_type, "retry-after": retry_after}
        response = HttpResponse(status, headers, body)
        return read_reply(response, pay_id=pay_id, partner_code=PARTNER, now=self._clock())
