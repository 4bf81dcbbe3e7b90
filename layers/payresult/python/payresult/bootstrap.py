"""The start of a function: its handler, the services that it uses, and AWS clients.

``functions/*/app.py`` import ``<function>_handler`` from here, and nothing else of the layer: a
deployment replaces code and layers one after the other, so these names never change.

Garbage collection is held from the import to the end of the start, because nothing that a start
creates is garbage, and looking for it takes time (docs/decisions.md). Each function imports only
what it needs: the publisher loads no gateway client.
"""
# ruff: noqa: E402, PLC0415 - see above

import gc

gc.disable()

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
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
    from payresult.services.outbox import Outbox
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
    from payresult.services.payments import PaymentService
    from payresult.settings import Settings

    settings = Settings.from_env(environ)
    given = _Dependencies(settings.resources)
    service = PaymentService(
        given.checker(settings),
        given.payments,
        given.queue(),
        pool=given.pool,
        sleep=time.sleep,
        require_registration=settings.require_registration,
    )
    return _started(ApiHandler(service, settings.zone, settings.max_wait_seconds))


def checks_handler(environ: Mapping[str, str]) -> "ChecksHandler":
    """Return the handler of the checks function."""
    from payresult.handlers.checks import ChecksHandler
    from payresult.services.check_batch import CheckBatchProcessor
    from payresult.services.payments import PaymentService
    from payresult.settings import Settings

    settings = Settings.from_env(environ)
    given = _Dependencies(settings.resources)
    checker, payments, queue = given.checker(settings), given.payments, given.queue()
    service = PaymentService(checker, payments, queue, pool=given.pool, sleep=time.sleep)
    processor = CheckBatchProcessor(service, checker, payments, queue, pool=given.pool)
    return _started(ChecksHandler(processor))


def publisher_handler(environ: Mapping[str, str]) -> "PublisherHandler":
    """Return the handler of the publisher function."""
    from payresult.handlers.publisher import PublisherHandler
    from payresult.resources import Resources

    return _started(PublisherHandler(_Dependencies(Resources.from_env(environ)).outbox()))


def sweeper_handler(environ: Mapping[str, str]) -> "SweeperHandler":
    """Return the handler of the sweeper function."""
    from payresult.handlers.sweeper import SweeperHandler
    from payresult.resources import Resources
    from payresult.services.sweeper import Sweeper

    given = _Dependencies(Resources.from_env(environ))
    queue, outbox = given.queue(), given.outbox()
    sweeper = Sweeper(given.payments, queue, outbox, pool=given.pool, clock=time.time)
    return _started(SweeperHandler(sweeper))


def _started(handler: Started) -> Started:
    """Collect garbage from now on, but never look again at what the start has created."""
    gc.freeze()
    gc.enable()
    return handler


class _Dependencies:
    """What the services are given: the table, and what else a function asks for."""

    def __init__(self, resources: "Resources") -> None:
        self._resources = resources
        self._session = boto3.Session()
        self.pool = ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="payresult")
        dynamodb = _client(self._session, "dynamodb")
        self.payments = PaymentRepository(
            dynamodb, resources.table_name, resources.partner_code, pause
        )

    def queue(self) -> "CheckQueue":
        from payresult.aws.sqs import CheckQueue

        return CheckQueue(_client(self._session, "sqs"), self._resources.queue_url)

    def outbox(self) -> "Outbox":
        from payresult.aws.eventbridge import EventPublisher
        from payresult.services.outbox import Outbox

        bus = EventPublisher(_client(self._session, "events"), self._resources.event_bus_name)
        days = self._resources.retention_days
        return Outbox(self.payments, bus, pool=self.pool, clock=time.time, retention_days=days)

    def checker(self, settings: "Settings") -> "Checker":
        from payresult.gateway.client import GatewayClient
        from payresult.services.check import Checker

        code = self._resources.partner_code
        gateway = GatewayClient(settings.gateway_base_url, code, pool_size=MAX_CONCURRENCY)
        random_fraction = SystemRandom().random
        return Checker(
            gateway,
            self.payments,
            settings.rules,
            clock=time.time,
            random_fraction=random_fraction,
        )


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


def pause(longest: float) -> None:
    """Wait for a random part of *longest* seconds ("full jitter")."""
    time.sleep(longest * SystemRandom().random())
