"""The four functions in this process: the real handlers with clients of the simulation."""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from functools import cache, partial
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest import mock

from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.eventbridge import EventPublisher
from payresult.aws.sqs import CheckQueue
from payresult.domain.decision import Rules
from payresult.domain.reply import Reply
from payresult.domain.schedule import Schedule
from payresult.errors import GatewayUnavailable
from payresult.gateway.protocol import HttpResponse, read_reply
from payresult.services.check import Checker
from payresult.services.check_batch import CheckBatchProcessor
from payresult.services.outbox import Outbox
from payresult.services.payments import PaymentService
from payresult.services.sweeper import Sweeper
from tests.support.fake_gateway import PARTNER
from tests.support.oracle import ENVIRONMENT
from tests.support.template import AWS, deployed_environment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

    from payresult.gateway.client import GatewayClient

FAILED_VALUE = "fail"
LOGGING_OFF = {"POWERTOOLS_SERVICE_NAME": "campaigns", "POWERTOOLS_LOG_LEVEL": "CRITICAL"}

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 50_000)
"""The part of Lambda's context that the handlers read."""

Client = Any
Connect = Callable[[str, str], Client]
"""Returns the client of a function for a dependency: table, queue, bus or gateway."""

_SERVICES = {"checks": "processor", "publisher": "outbox", "sweeper": "sweeper", "api": "service"}
"""By function, the attribute of its handler that has its service."""


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


class Services:
    """The services that ``bootstrap`` builds, with the clients of *connect*, all in one thread."""

    def __init__(  # noqa: PLR0913 - what bootstrap reads from the environment
        self,
        connect: Callable[[str], Client],
        clock: Callable[[], float],
        random_fraction: Callable[[], float],
        delays: Sequence[int],
        *,
        sleep: Callable[[float], None],
        table_name: str = "payments",
        require_registration: bool = False,
        retention_days: int = 0,
    ) -> None:
        pool = InlineExecutor()
        payments = PaymentRepository(cast("DynamoDBClient", connect("table")), table_name, PARTNER)
        queue = CheckQueue(cast("SQSClient", connect("queue")), "queue")
        bus = EventPublisher(cast("EventBridgeClient", connect("bus")), "bus")
        checker = Checker(
            cast("GatewayClient", connect("gateway")),
            payments,
            Rules(
                Schedule(tuple(delays)),
                ENVIRONMENT,
                (FAILED_VALUE,),
                retention_days=retention_days,
            ),
            clock=clock,
            random_fraction=random_fraction,
        )
        self.service = PaymentService(
            checker,
            payments,
            queue,
            pool=pool,
            sleep=sleep,
            require_registration=require_registration,
        )
        self.processor = CheckBatchProcessor(self.service, checker, payments, queue, pool=pool)
        self.outbox = Outbox(payments, bus, pool=pool, clock=clock, retention_days=retention_days)
        self.sweeper = Sweeper(payments, queue, self.outbox, pool=pool, clock=clock)


class Functions:
    """The four deployed functions, each with its own clients."""

    def __init__(
        self,
        connect: Connect,
        clock: Callable[[], float],
        random_fraction: Callable[[], float],
        delays: Sequence[int],
        *,
        sleep: Callable[[float], None],
        retention_days: int = 0,
    ) -> None:
        def connect_to(function: str, dependency: str) -> Client:
            client = connect(function, dependency)
            return HttpGateway(client, clock) if dependency == "gateway" else client

        self._services = {
            function: Services(
                partial(connect_to, function),
                clock,
                random_fraction,
                delays,
                sleep=sleep,
                retention_days=retention_days,
            )
            for function in _SERVICES
        }

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Return the result of a handler for *event*."""
        module, variable = app(name), _SERVICES[name]
        setattr(module.handler, variable, getattr(self._services[name], variable))
        return module.handler(event, CONTEXT)


class HttpGateway:
    """GatewayClient without sockets: ``read_reply`` reads the simulated responses."""

    def __init__(self, client: Client, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock

    def query(self, pay_id: str) -> Reply:
        """Return the reply about a payment. Raises as GatewayClient does."""
        status, body, content_type, retry_after = self._client.query(pay_id=pay_id)
        if not status:
            raise GatewayUnavailable("no answer in time", pay_id=pay_id, how="timeout")
        headers = {"content-type": content_type, "retry-after": retry_after}
        response = HttpResponse(status, headers, body)
        return read_reply(response, pay_id=pay_id, partner_code=PARTNER, now=self._clock())
