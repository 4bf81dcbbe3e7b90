"""The limits by the payments per minute at which each is reached, with a remedy."""

from payresult.aws.items import SHARD_COUNT
from tests.benchmarks import quotas
from tests.benchmarks.model import BATCH, Limit, Model
from tests.benchmarks.quotas import Quota


def limits(model: Model) -> list[Limit]:
    """Return all limits, the first to be reached first."""
    found = (*_configured(model), *_table_limits(model), *_account_limits(model))
    return sorted(found, key=lambda limit: limit.payments)


def _configured(model: Model) -> list[Limit]:
    """Return the limits that the template and the code set."""
    deployment, checks = model.deployment, model.full.checks
    return [
        Limit(
            f"MaximumConcurrency {deployment.concurrency}",
            model.checks_per_second / checks * 60,
            "template.yaml",
            "raise MaximumConcurrency, with the gateway operator's agreement",
        ),
        Limit(
            "PUT: the stage's throttling",
            deployment.stage_rate * 60,
            "template.yaml",
            "send payIds to the queue, or raise ApiRateLimit",
        ),
        Limit(
            "one sweep a minute",
            model.due_per_minute / model.full.swept,
            "services/sweeper.py",
            "raise the sweeper's memory, or choose fewer CheckDelays of over 900 s",
        ),
        Limit(
            f"publisher: {deployment.partitions} shards of the stream",
            model.events_per_second * 60,
            quotas.STREAM_BATCHES.source,
            f"raise ParallelizationFactor, up to {quotas.STREAM_BATCHES.value:.0f}",
        ),
    ]


def _table_limits(model: Model) -> list[Limit]:
    """Return the limits of DynamoDB."""
    used = model.full.used
    writes, reads, index = (
        used[name] for name in ("table write units", "read units", "index write units")
    )
    table, on_index = (
        f"set WarmThroughput of the {each} beforehand, or let the traffic grow slowly"
        for each in ("table", "index")
    )
    raised = "request a higher quota"
    return [
        _limit("writes of a new table", quotas.NEW_TABLE_WRITES, writes, table),
        _limit("reads of a new table", quotas.NEW_TABLE_READS, reads, table),
        _limit("writes of a new index", quotas.NEW_TABLE_WRITES, index, on_index),
        _limit(
            f"busiest of {SHARD_COUNT} shards of the index",
            quotas.PARTITION_WRITES,
            model.full.hottest,
            "raise SHARD_COUNT in aws/items.py",
        ),
        _limit("writes of any table", quotas.TABLE_UNITS, writes, raised),
    ]


def _account_limits(model: Model) -> list[Limit]:
    """Return the quotas of the account, concurrent or per second."""
    checks = model.full.checks
    checking = checks * model.check_ms(BATCH) / 1000  # seconds of a payment, in full batches
    publishing = model.publish_ms(BATCH) / 1000
    raised = "request a higher quota"
    return [
        _limit("concurrent batches of a queue", quotas.QUEUE_BATCHES, checking / BATCH, raised),
        _limit(
            "concurrent invocations of an account",
            quotas.INVOCATIONS,
            (checking + publishing) / BATCH,
            raised,
        ),
        _limit("messages in flight", quotas.QUEUE_IN_FLIGHT, checking, "a second queue"),
        _limit("PutEvents", quotas.PUT_EVENTS, 1, raised),
        _limit("HTTP calls of an account", quotas.API_CALLS, 1, raised),
    ]


def _limit(name: str, quota: Quota, needed: float, remedy: str) -> Limit:
    """Return the limit of a quota of which one payment uses *needed*."""
    return Limit(name, quota.value / needed * 60, quota.source, remedy)
