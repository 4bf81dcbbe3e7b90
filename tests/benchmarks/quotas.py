"""What AWS allows by default in us-east-1, per second or at a time, and where it says so.

All pages were read as stored copies on 2026-11-25. Most of these can be raised on request.
"""

from typing import NamedTuple


class Quota(NamedTuple):
    """A limit, and the page that names it."""

    most: float
    source: str


_DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"

PARTITION_WRITES = Quota(1_000, f"{_DYNAMODB}warm-throughput-scenarios.html")
PARTITION_READS = Quota(3_000, f"{_DYNAMODB}warm-throughput-scenarios.html")

NEW_TABLE_WRITES = Quota(4_000, f"{_DYNAMODB}pre-warming-on-demand-capacity-mode.html")
NEW_TABLE_READS = Quota(12_000, f"{_DYNAMODB}pre-warming-on-demand-capacity-mode.html")
"""What a new table on demand takes at once; later it takes twice what it took before."""

TABLE_UNITS = Quota(40_000, f"{_DYNAMODB}ServiceQuotas.html")
"""Writes of a table on demand, and as many reads."""

QUEUE_IN_FLIGHT = Quota(
    120_000,
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html",
)

QUEUE_BATCHES = Quota(1_000, f"{_LAMBDA}services-sqs-scaling.html")
QUEUE_BATCHES_AT_FIRST = Quota(5, f"{_LAMBDA}services-sqs-scaling.html")
QUEUE_BATCHES_MORE_A_MINUTE = Quota(300, f"{_LAMBDA}services-sqs-scaling.html")
"""How many batches of a queue are in hand at a time, and how fast that grows."""

STREAM_BATCHES = Quota(10, f"{_LAMBDA}services-ddb-params.html")
"""The most that ParallelizationFactor can be, for each shard of a stream; 1 by default."""

INVOCATIONS = Quota(1_000, f"{_LAMBDA}gettingstarted-limits.html")
"""All functions of an account at the same time; new accounts have less."""

PUT_EVENTS = Quota(10_000, "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html")
"""Calls a second; 2,400 in us-east-2, less in smaller regions."""

API_CALLS = Quota(
    10_000, "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"
)
