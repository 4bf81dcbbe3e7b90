"""Default quotas of AWS in us-east-1, per second or concurrent, each with its source.

All pages were read as stored copies on 2026-11-25. Most quotas can be raised on request.
"""

from typing import NamedTuple


class Quota(NamedTuple):
    """A limit, and the page that documents it."""

    value: float
    source: str


_DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"

PARTITION_WRITES = Quota(1_000, f"{_DYNAMODB}warm-throughput-scenarios.html")

NEW_TABLE_WRITES = Quota(4_000, f"{_DYNAMODB}pre-warming-on-demand-capacity-mode.html")
NEW_TABLE_READS = Quota(12_000, f"{_DYNAMODB}pre-warming-on-demand-capacity-mode.html")
"""The initial limits of a new on-demand table; later they are twice the previous peak."""

TABLE_UNITS = Quota(40_000, f"{_DYNAMODB}ServiceQuotas.html")
"""Write units of an on-demand table, and as many read units."""

QUEUE_IN_FLIGHT = Quota(
    120_000,
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html",
)

QUEUE_BATCHES = Quota(1_000, f"{_LAMBDA}services-sqs-scaling.html")
QUEUE_BATCHES_AT_FIRST = Quota(5, f"{_LAMBDA}services-sqs-scaling.html")
QUEUE_BATCHES_MORE_PER_MINUTE = Quota(300, f"{_LAMBDA}services-sqs-scaling.html")
"""Concurrent batches of a queue: the maximum, the initial number, and the growth per minute."""

STREAM_BATCHES = Quota(10, f"{_LAMBDA}services-ddb-params.html")
"""The maximum of ParallelizationFactor, for each shard of a stream; the default is 1."""

INVOCATIONS = Quota(1_000, f"{_LAMBDA}gettingstarted-limits.html")
"""Concurrent invocations of all functions of an account; new accounts have fewer."""

PUT_EVENTS = Quota(10_000, "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html")
"""Calls per second; 2,400 in us-east-2, fewer in smaller regions."""

API_CALLS = Quota(
    10_000, "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"
)
