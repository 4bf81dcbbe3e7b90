"""The only place where the edges are joined: one builder for each function.

What a function does not need is not even imported: the publisher speaks to no gateway.
"""
# ruff: noqa: PLC0415 - imports here are by need, see above

import json
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Literal

import botocore
from botocore.config import Config
from botocore.session import Session

from payresult.aws.dynamodb import PaymentRepository

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from payresult.aws.sqs import CheckQueue
    from payresult.services.check import Checker
    from payresult.services.check_batch import CheckBatchProcessor
    from payresult.services.outbox import Outbox
    from payresult.services.payments import PaymentService
    from payresult.services.sweeper import Sweeper
    from payresult.settings import Settings

MAX_CONCURRENCY = 32
"""Queries at the same time in one environment: 100 payIds of the API are four rounds of 5 s."""

# Three tries of at most 1 + 2 s: a call to AWS has ended, one way or the other, within 9 s and
# the pauses between its tries.
CLIENT_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=MAX_CONCURRENCY,
    # Each call built the second anew and looked for what our tests would have found: together
    # more than a third of what botocore computes for it (366 and 235 us for an UpdateItem).
    parameter_validation=False,
    user_agent="payresult",
)

_OK = 200

SESSION = Session()
"""One for all clients, who would each read again what they share."""


def build_service(settings: "Settings") -> "PaymentService":
    """Return what the api function works with."""
    from payresult.services.payments import PaymentService

    pool, payments, queue = _pool(), _payments(settings), _queue(settings)
    return PaymentService(
        _checker(settings, payments),
        payments,
        queue,
        pool=pool,
        require_registration=settings.require_registration,
    )


def build_follower(settings: "Settings") -> "CheckBatchProcessor":
    """Return what the checks function works with."""
    from payresult.services.check_batch import CheckBatchProcessor
    from payresult.services.payments import PaymentService

    pool, payments, queue = _pool(), _payments(settings), _queue(settings)
    checker = _checker(settings, payments)
    service = PaymentService(checker, payments, queue, pool=pool)
    return CheckBatchProcessor(service, checker, payments, queue, pool=pool)


def build_outbox(settings: "Settings") -> "Outbox":
    """Return what the publisher function works with."""
    return _outbox(settings, _payments(settings), _pool())


def build_sweeper(settings: "Settings") -> "Sweeper":
    """Return what the sweeper function works with."""
    from payresult.services.sweeper import Sweeper

    pool, payments = _pool(), _payments(settings)
    outbox = _outbox(settings, payments, pool)
    return Sweeper(payments, _queue(settings), outbox, pool=pool, clock=time.time)


def take_json(client: "DynamoDBClient") -> None:
    """Have *client* return what DynamoDB answers as the JSON that it is.

    botocore looks in each value of an item for each of ten types, 8 % of all that a check
    computes, and it comes out as it went in (but for binary values; our items have none). Its
    event before-parse is there to answer in its stead; if it were gone, botocore would read on.
    """
    client.meta.events.register("before-parse.dynamodb", _take_json)


def _take_json(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Fill in the answer, and leave botocore nothing to read; errors are read as ever."""
    if response_dict["status_code"] == _OK:
        with suppress(ValueError):  # what is no JSON stays for botocore to judge
            customized_response_dict.update(json.loads(response_dict["body"]))
            response_dict["body"] = b""


def _client(service: Literal["dynamodb", "events", "sqs"]) -> Any:
    return SESSION.create_client(service, config=CLIENT_CONFIG, verify=_roots())


def _roots() -> str | None:
    """Return the file of Amazon's own roots, None for all that botocore trusts.

    botocore reads its file anew for each connection: 15 ms of CPU for all of them, 1 for these.
    They are in the layer (layers/build.py), and known to be enough in the partition of most.
    """
    partition = SESSION.get_partition_for_region(SESSION.get_config_variable("region"))
    file = Path(botocore.__file__).with_name("amazon-roots.pem")
    return str(file) if partition == "aws" and file.exists() else None


def _pool() -> Executor:
    return ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="payresult")


def _payments(settings: "Settings") -> PaymentRepository:
    client = _client("dynamodb")
    take_json(client)
    return PaymentRepository(client, settings.table_name, settings.partner_code)


def _queue(settings: "Settings") -> "CheckQueue":
    from payresult.aws.sqs import CheckQueue

    return CheckQueue(_client("sqs"), settings.queue_url)


def _outbox(settings: "Settings", payments: PaymentRepository, pool: Executor) -> "Outbox":
    from payresult.aws.eventbridge import EventPublisher
    from payresult.services.outbox import Outbox

    publisher = EventPublisher(_client("events"), settings.event_bus_name)
    return Outbox(payments, publisher, pool=pool, clock=time.time)


def _checker(settings: "Settings", payments: PaymentRepository) -> "Checker":
    from payresult.gateway.client import GatewayClient
    from payresult.services.check import Checker, Policy

    policy = Policy(
        settings.schedule, settings.environment, settings.failed_pay_rst_values, settings.zone
    )
    gateway = GatewayClient(
        settings.gateway_base_url, settings.partner_code, pool_size=MAX_CONCURRENCY
    )
    return Checker(
        gateway, payments, policy, clock=time.time, random_fraction=SystemRandom().random
    )
