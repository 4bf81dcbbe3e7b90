"""Which limit is met at how many payments a minute, and what to set then."""

from payresult.aws.items import SHARD_COUNT
from tests.benchmarks import quotas
from tests.benchmarks.model import BATCH, Limit, Model
from tests.benchmarks.quotas import Quota


def limits(model: Model) -> list[Limit]:
    """All of them, the first to be met first."""
    return sorted((*_ours(model), *_tables(model), *_accounts(model)), key=lambda it: it.payments)


def _ours(model: Model) -> list[Limit]:
    """What the template and the code set."""
    deployment, checks = model.deployment, model.full.checks
    return [
        Limit(
            f"MaximumConcurrency {deployment.concurrency}",
            model.checks_a_second / checks * 60,
            "template.yaml",
            "raise MaximumConcurrency; ask the gateway's operator first",
        ),
        Limit(
            "PUT: the stage's throttling",
            deployment.stage_rate * 60,
            "template.yaml",
            "put payIds on the queue, or raise ThrottlingRateLimit",
        ),
        Limit(
            "one sweep a minute",
            model.due_a_minute / model.due_a_payment,
            "sweeping.PAGE",
            "shorten CheckDelays' tail, or raise PAGE and the sweeper's memory",
        ),
        Limit(
            f"publisher: {deployment.partitions} shards of the stream",
            model.events_a_second * 60,
            quotas.STREAM_BATCHES.source,
            f"ParallelizationFactor, up to {quotas.STREAM_BATCHES.most:.0f}; the sweeper helps",
        ),
    ]


def _tables(model: Model) -> list[Limit]:
    """What DynamoDB gives."""
    used = model.full.used
    writes, reads, index = (
        used[name] for name in ("table write units", "read units", "index write units")
    )
    warm = "set the table's WarmThroughput before the day, or grow into it"
    raised = "ask AWS for a higher quota"
    return [
        _limit("writes of a new table", quotas.NEW_TABLE_WRITES, writes, warm),
        _limit("reads of a new table", quotas.NEW_TABLE_READS, reads, warm),
        _limit("writes of a new index", quotas.NEW_TABLE_WRITES, index, f"{warm}, on the index"),
        _limit(
            f"hottest of {SHARD_COUNT} parts of the index",
            quotas.PARTITION_WRITES,
            model.full.hottest,
            "items.SHARDS",
        ),
        _limit("writes of any table", quotas.TABLE_UNITS, writes, raised),
    ]


def _accounts(model: Model) -> list[Limit]:
    """What the account may do at the same time, or in a second."""
    checks = model.full.checks
    checking = checks * model.check_ms(BATCH) / 1000  # seconds of a payment, in full batches
    publishing = model.publish_ms(BATCH) / 1000
    raised = "ask AWS for a higher quota"
    return [
        _limit("batches of a queue at a time", quotas.QUEUE_BATCHES, checking / BATCH, raised),
        _limit(
            "functions of an account at a time",
            quotas.INVOCATIONS,
            (checking + publishing) / BATCH,
            raised,
        ),
        _limit("messages in flight", quotas.QUEUE_IN_FLIGHT, checking, "a second queue"),
        _limit("PutEvents", quotas.PUT_EVENTS, 1, raised),
        _limit("HTTP calls of an account", quotas.API_CALLS, 1, raised),
    ]


def _limit(name: str, quota: Quota, needed: float, then: str) -> Limit:
    """The rate at which a payment's *needed* share fills the quota."""
    return Limit(name, quota.most / needed * 60, quota.source, then)
