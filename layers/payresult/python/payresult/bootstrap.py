"""The start of a function: its handler, the services that it uses, and AWS clients.

``functions/*/app.py`` import ``<function>_handler`` from here, and nothing else of the layer: a
deployment replaces code and layers one after the other, so these names never change.

Garbage collection is held from the import to the end of the start, because nothing that a start
creates is garbage, and looking for it takes time (docs/decisions.md). A builder imports only what
its function needs: the publisher loads no gateway client.
"""
# ruff: noqa: E402, PLC0415 - see above

import gc

gc.disable()

import time
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import boto3
import botocore
from botocore.config import Config

from payresult.aws.dynamodb import PaymentRepository

if TYPE_CHECKING:
    from payresult.aws.sqs import CheckQueue
    from payresult.handlers.api import ApiHandler
    from payresult.handlers.checks import ChecksHandler
    from payresult.handlers.publisher import PublisherHandler
    from payresult.handlers.sweeper import SweeperHandler
    from payresult.resources import Resources
    from payresult.services.check import Checker
    from payresult.services.check_batch import CheckBatchProcessor
    from payresult.services.outbox import Outbox
    from payresult.services.payments import PaymentService
    from payresult.services.sweeper import Sweeper
    from payresult.settings import Settings

Started = TypeVar("Started")

MAX_CONCURRENCY = 32
"""Queries at the same time in one environment: 100 payIds of the API take four rounds of 5 s."""

# Three attempts of at most 1 + 2 s: a call to AWS has ended within 9 s and the pauses between.
CLIENT_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=MAX_CONCURRENCY,
    # Validation and building the default user agent took more than a third of the CPU of each
    # call (docs/decisions.md). The tests make each call with validation on.
    parameter_validation=False,
    user_agent="payresult",
)


def api_handler(environ: Mapping[str, str]) -> "ApiHandler":
    """Return the handler of the api function."""
    from payresult.handlers.api import ApiHandler
    from payresult.settings import Settings

    settings = Settings.from_env(environ)
    service = build_service(settings)
    return _started(ApiHandler(service, settings.zone, settings.max_wait_seconds))


def checks_handler(environ: Mapping[str, str]) -> "ChecksHandler":
    """Return the handler of the checks function."""
    from payresult.handlers.checks import ChecksHandler
    from payresult.settings import Settings

    return _started(ChecksHandler(build_batch_processor(Settings.from_env(environ))))


def publisher_handler(environ: Mapping[str, str]) -> "PublisherHandler":
    """Return the handler of the publisher function."""
    from payresult.handlers.publisher import PublisherHandler
    from payresult.resources import Resources

    return _started(PublisherHandler(build_outbox(Resources.from_env(environ))))


def sweeper_handler(environ: Mapping[str, str]) -> "SweeperHandler":
    """Return the handler of the sweeper function."""
    from payresult.handlers.sweeper import SweeperHandler
    from payresult.resources import Resources

    return _started(SweeperHandler(build_sweeper(Resources.from_env(environ))))


def _started(handler: Started) -> Started:
    """Collect garbage from now on, but never look again at what the start has created."""
    gc.freeze()
    gc.enable()
    return handler


def build_service(settings: "Settings") -> "PaymentService":
    """Return the use cases of the api function."""
    from payresult.services.payments import PaymentService

    session, pool, resources = boto3.Session(), _pool(), settings.resources
    payments, queue = _payments(session, resources), _queue(session, resources)
    return PaymentService(
        _checker(settings, payments),
        payments,
        queue,
        pool=pool,
        sleep=time.sleep,
        require_registration=settings.require_registration,
    )


def build_batch_processor(settings: "Settings") -> "CheckBatchProcessor":
    """Return the use case of the checks function."""
    from payresult.services.check_batch import CheckBatchProcessor
    from payresult.services.payments import PaymentService

    session, pool, resources = boto3.Session(), _pool(), settings.resources
    payments, queue = _payments(session, resources), _queue(session, resources)
    checker = _checker(settings, payments)
    service = PaymentService(checker, payments, queue, pool=pool, sleep=time.sleep)
    return CheckBatchProcessor(service, checker, payments, queue, pool=pool)


def build_outbox(resources: "Resources") -> "Outbox":
    """Return the use case of the publisher function."""
    session = boto3.Session()
    return _outbox(session, resources, _payments(session, resources), _pool())


def build_sweeper(resources: "Resources") -> "Sweeper":
    """Return the use case of the sweeper function."""
    from payresult.services.sweeper import Sweeper

    session, pool = boto3.Session(), _pool()
    payments = _payments(session, resources)
    outbox = _outbox(session, resources, payments, pool)
    return Sweeper(payments, _queue(session, resources), outbox, pool=pool, clock=time.time)


def _client(session: boto3.Session, service: Literal["dynamodb", "events", "sqs"]) -> Any:
    return session.client(service, config=CLIENT_CONFIG, verify=_roots(session))


def _roots(session: boto3.Session) -> str | None:
    """Return the file of Amazon's own root certificates, or None for all that botocore trusts.

    botocore reads the file for each new connection: 15 ms of CPU for all roots, 1 ms for these.
    The layer has the file (layers/build.py); only the partition ``aws`` is known to need no other.
    """
    region = session.region_name
    partition = session.get_partition_for_region(region) if region else None
    file = Path(botocore.__file__).with_name("amazon-roots.pem")
    return str(file) if partition == "aws" and file.exists() else None


def _pool() -> Executor:
    return ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="payresult")


def _payments(session: boto3.Session, resources: "Resources") -> PaymentRepository:
    return PaymentRepository(
        _client(session, "dynamodb"), resources.table_name, resources.partner_code, pause
    )


def pause(longest: float) -> None:
    """Wait for a random part of *longest* seconds ("full jitter")."""
    time.sleep(longest * SystemRandom().random())


def _queue(session: boto3.Session, resources: "Resources") -> "CheckQueue":
    from payresult.aws.sqs import CheckQueue

    return CheckQueue(_client(session, "sqs"), resources.queue_url)


def _outbox(
    session: boto3.Session, resources: "Resources", payments: PaymentRepository, pool: Executor
) -> "Outbox":
    from payresult.aws.eventbridge import EventPublisher
    from payresult.services.outbox import Outbox

    publisher = EventPublisher(_client(session, "events"), resources.event_bus_name)
    return Outbox(
        payments,
        publisher,
        pool=pool,
        clock=time.time,
        retention_days=resources.retention_days,
    )


def _checker(settings: "Settings", payments: PaymentRepository) -> "Checker":
    from payresult.gateway.client import GatewayClient
    from payresult.services.check import Checker

    gateway = GatewayClient(
        settings.gateway_base_url, settings.resources.partner_code, pool_size=MAX_CONCURRENCY
    )
    return Checker(
        gateway,
        payments,
        settings.rules,
        clock=time.time,
        random_fraction=SystemRandom().random,
    )
