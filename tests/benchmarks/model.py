"""The scale model: how cost and time grow with the number of payments. Pure arithmetic.

Its inputs are the counts of ``runs`` for one payment, the measurements of ``cpu_time``, the
template's settings and AWS's quotas (``limits``). Rates are payments per minute unless stated
otherwise; a table is new, and each batch full.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from payresult.aws.batches import MAX_KEYS_PER_READ
from payresult.aws.items import SHARD_COUNT
from payresult.bootstrap import MAX_CONCURRENCY
from payresult.services.sweeper import RESERVE_MS
from tests.benchmarks.durations import WAITS, cpu_ms, duration_ms
from tests.benchmarks.meter import memory_of
from tests.benchmarks.prices import Usage, dollars
from tests.benchmarks.runs import MINUTES_PER_MONTH, Run
from tests.support.template import TEMPLATE, properties

BATCH = 10
PIECE = MAX_KEYS_PER_READ
"""The due checks that the sweeper reads, claims and sends together."""

CONCURRENCY: int = TEMPLATE["Parameters"]["MaximumConcurrency"]["Default"]
PARTITIONS = 4
"""Of a new table, so the shards of its stream: 4,000 writes by 1,000 (``limits``), no page of AWS
has the number."""


@dataclass(frozen=True, slots=True)
class Model:
    """What a payment uses, in full batches and with one message per batch, and the measured CPU."""

    full: Run
    single: Run
    measured: Mapping[str, Any]

    def check_ms(self, records: float) -> float:
        """Return the milliseconds of an invocation that checks *records* payments."""
        return self._ms("checks", records, "table", "gateway", "queue", "table")

    def publish_ms(self, records: float) -> float:
        """Return the milliseconds of an invocation that publishes *records* events."""
        return self._ms("publisher", records, "table", "bus", "table")

    @property
    def checks_per_second(self) -> float:
        """The checks per second with MaximumConcurrency."""
        return CONCURRENCY * BATCH / (self.check_ms(BATCH) / 1000)

    @property
    def events_per_second(self) -> float:
        """The events per second that the publisher sends, one batch of each shard at a time."""
        return PARTITIONS * BATCH / (self.publish_ms(BATCH) / 1000)

    @property
    def due_per_minute(self) -> float:
        """The due checks that a sweep can send until its reserve is left, piece after piece.

        A piece is read at once, claimed by as many at a time as there are threads, and sent in
        tens at the same time.
        """
        claims, sends = ceil(PIECE / MAX_CONCURRENCY), ceil(PIECE / BATCH / MAX_CONCURRENCY)
        piece = self._ms("sweeper", PIECE) - self._ms("sweeper", 0)
        piece += WAITS["table"] * (1 + claims) + WAITS["queue"] * sends
        idle = self._ms("sweeper", 0) + 2 * SHARD_COUNT * WAITS["table"]
        timeout = properties("SweeperFunction")["Timeout"] * 1000
        return float((timeout - RESERVE_MS - idle) / piece * PIECE)

    def messages_per_batch(self, payments: float) -> float:
        """Return the messages per batch at a rate: those that arrived during the last batch."""
        arriving = payments / 60 * self.full.checks / 1000  # checks per millisecond
        fixed, each = self.check_ms(0), self.check_ms(1) - self.check_ms(0)
        free = CONCURRENCY - arriving * each
        return min(max(arriving * fixed / free, 1), BATCH) if free > 0 else BATCH

    def dollars_per_payment(self, payments: float) -> float:
        """Return the cost of a payment at a rate; it falls with the messages per batch."""
        single, full = dollars(self.single.used), dollars(self.full.used)
        shared = (1 - 1 / self.messages_per_batch(payments)) / (1 - 1 / self.full.batch)
        return single + (full - single) * shared

    def dollars_per_month(self, payments: float, idle: Usage) -> float:
        """Return the cost of a month at a rate; *idle* is what a month without payments uses."""
        return dollars(idle) + payments * MINUTES_PER_MONTH * self.dollars_per_payment(payments)

    def seconds_to_check_all(self, payments: int) -> float:
        """Return how long it takes to check each of so many payments, sent at the same time."""
        rounds = ceil(payments / (BATCH * CONCURRENCY))
        return rounds * self.check_ms(min(payments, BATCH)) / 1000

    def _ms(self, function: str, records: float, *dependencies: str) -> float:
        wait = sum(WAITS[dependency] for dependency in dependencies)
        none, one = (cpu_ms(function, number, self.measured) for number in (0, 1))
        return duration_ms(wait, none + records * (one - none), memory_of(function))
