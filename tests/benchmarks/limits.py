"""The limits by the payments per minute at which each is reached, with source and remedy.

Quotas are AWS's defaults in us-east-1, per second or concurrent; their pages were read as stored
copies on 2026-11-25. Most can be raised on request.
"""

from typing import NamedTuple

from payresult.aws.items import SHARD_COUNT
from tests.benchmarks.model import BATCH, CONCURRENCY, PARTITIONS, Model
from tests.support.template import TEMPLATE

_DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
_SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
_EVENTS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/"
_API = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
_NEW_TABLE = f"{_DYNAMODB}pre-warming-on-demand-capacity-mode.html"
"""The initial limits of a new on-demand table; later they are twice the previous peak."""

_WARM = "set WarmThroughput of the {} beforehand, or let the traffic grow slowly"
_MORE = "request a higher quota"


class Limit(NamedTuple):
    """A limit: the payments per minute at which it is reached, its source, and a remedy."""

    name: str
    payments: float
    source: str
    remedy: str


def limits(model: Model) -> list[Limit]:
    """Return all limits, the first to be reached first."""
    return sorted((*_configured(model), *_quotas(model)), key=lambda limit: limit.payments)


def _configured(model: Model) -> list[Limit]:
    """Return the limits that the template and the code set."""
    sweep = "raise the sweeper's memory, or choose fewer CheckDelays of over 900 s"
    put = float(TEMPLATE["Parameters"]["ApiRateLimit"]["Default"])
    return [
        Limit(
            f"MaximumConcurrency {CONCURRENCY}",
            model.checks_per_second / model.full.checks * 60,
            "template.yaml",
            "raise MaximumConcurrency, with the gateway operator's agreement",
        ),
        Limit(
            "PUT: the stage's throttling",
            put * 60,
            "template.yaml",
            "send payIds to the queue, or raise ApiRateLimit",
        ),
        Limit(
            "one sweep a minute",
            model.due_per_minute / model.full.swept,
            "services/sweeper.py",
            sweep,
        ),
        Limit(
            f"publisher: {PARTITIONS} shards of the stream",
            model.events_per_second * 60,
            f"{_LAMBDA}services-ddb-params.html",
            "raise ParallelizationFactor, up to 10",
        ),
    ]


def _quotas(model: Model) -> list[Limit]:
    """Return the quotas of AWS, divided by what one payment uses of each."""
    used, checks = model.full.used, model.full.checks
    writes, index = used["table write units"], used["index write units"]
    checking = checks * model.check_ms(BATCH) / 1000  # seconds of a payment
    invoking = (checking + model.publish_ms(BATCH) / 1000) / BATCH
    shard, more_shards = f"busiest of {SHARD_COUNT} shards of the index", "raise SHARD_COUNT"
    partition = f"{_DYNAMODB}warm-throughput-scenarios.html"
    scaling, account = f"{_LAMBDA}services-sqs-scaling.html", f"{_LAMBDA}gettingstarted-limits.html"
    rows: tuple[tuple[str, int, float, str, str], ...] = (
        ("writes of a new table", 4_000, writes, _NEW_TABLE, _WARM.format("table")),
        ("reads of a new table", 12_000, used["read units"], _NEW_TABLE, _WARM.format("table")),
        ("writes of a new index", 4_000, index, _NEW_TABLE, _WARM.format("index")),
        (shard, 1_000, model.full.hottest, partition, f"{more_shards} in aws/items.py"),
        ("writes of any table", 40_000, writes, f"{_DYNAMODB}ServiceQuotas.html", _MORE),
        ("concurrent batches of a queue", 1_000, checking / BATCH, scaling, _MORE),
        ("concurrent invocations of an account", 1_000, invoking, account, _MORE),
        ("messages in flight", 120_000, checking, f"{_SQS}quotas-queues.html", "a second queue"),
        ("PutEvents", 10_000, 1, f"{_EVENTS}eb-quota.html", _MORE),
        ("HTTP calls of an account", 10_000, 1, f"{_API}limits.html", _MORE),
    )
    return [
        Limit(name, quota / needed * 60, source, remedy)
        for name, quota, needed, source, remedy in rows
    ]
