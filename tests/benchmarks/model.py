"""How cost and time grow with the payments, and which limit is met first. Pure arithmetic.

Fed with what ``runs`` counted of one payment, what ``cpu`` measured, the template's settings and
AWS's quotas. Rates are payments a minute unless they say otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

from payresult.aws.items import SHARD_COUNT
from payresult.bootstrap import MAX_CONCURRENCY
from payresult.domain.schedule import MAX_QUEUE_DELAY
from payresult.services.sweeper import MAX_ITEMS_PER_SHARD
from tests.benchmarks import quotas
from tests.benchmarks.durations import WAITS, busy, lasting
from tests.benchmarks.prices import Usage, dollars
from tests.benchmarks.runs import MINUTES_A_MONTH, NEVER_PAID, Run
from tests.support.template import TEMPLATE, properties

BATCH = 10
PARTITIONS = int(quotas.NEW_TABLE_WRITES.most / quotas.PARTITION_WRITES.most)
"""Partitions of a new table, and so shards of its stream: derived, AWS names no number."""


class Limit(NamedTuple):
    """Something that gives out: at how many payments a minute, by whose word, and the way out."""

    name: str
    payments: float
    source: str
    then: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """The settings that limits hang on; by default the template's, on a table that is new."""

    concurrency: int
    memory: int
    stage_rate: float
    sweeper_timeout: int
    long_delays: int
    partitions: int = PARTITIONS
    parallel: int = 1

    @classmethod
    def of_template(cls, **chosen: int) -> "Deployment":
        """As deployed by default, but for what is *chosen*."""
        parameters = TEMPLATE["Parameters"]
        delays = map(int, parameters["CheckDelays"]["Default"].split(","))
        settings = {
            "concurrency": parameters["MaximumConcurrency"]["Default"],
            "memory": TEMPLATE["Globals"]["Function"]["MemorySize"],
            "stage_rate": properties("ApiStage")["DefaultRouteSettings"]["ThrottlingRateLimit"],
            "sweeper_timeout": properties("SweeperFunction")["Timeout"],
            "long_delays": sum(delay > MAX_QUEUE_DELAY for delay in delays),
        }
        return cls(**settings | chosen)


@dataclass(frozen=True, slots=True)
class Model:
    """One deployment, and what a payment takes of it: in full batches, and each message alone."""

    deployment: Deployment
    full: Run
    alone: Run
    measured: Mapping[str, Any]

    def check_ms(self, records: float) -> float:
        """Milliseconds of an invocation that checks *records* payments at the same time."""
        return self._ms("checks", records, "table", "gateway", "queue", "table")

    def publish_ms(self, records: float) -> float:
        """Milliseconds of an invocation that publishes *records* events."""
        return self._ms("publisher", records, "table", "bus", "table")

    @property
    def checks_a_second(self) -> float:
        """How many checks are done with MaximumConcurrency, in full batches."""
        return self.deployment.concurrency * BATCH / (self.check_ms(BATCH) / 1000)

    @property
    def events_a_second(self) -> float:
        """How many events the publisher sends: a batch of each shard at a time."""
        batches = self.deployment.partitions * self.deployment.parallel
        return batches * BATCH / (self.publish_ms(BATCH) / 1000)

    @property
    def due_a_minute(self) -> float:
        """How many due checks a sweep sends before its pages or its time are full."""
        one = self._ms("sweeper", 1) - self._ms("sweeper", 0)
        one += WAITS["table"] / MAX_CONCURRENCY + WAITS["queue"] / BATCH
        idle = self._ms("sweeper", 0) + 2 * SHARD_COUNT * WAITS["table"]
        return min(
            SHARD_COUNT * MAX_ITEMS_PER_SHARD, (self.deployment.sweeper_timeout * 1000 - idle) / one
        )

    @property
    def due_a_payment(self) -> float:
        """How many checks of a payment the sweeper leads, on average."""
        return NEVER_PAID * self.deployment.long_delays

    def fill(self, payments: float) -> float:
        """How many messages a batch has at that rate: as many as came while the last one ran."""
        arriving = payments / 60 * self.full.checks / 1000  # checks a millisecond
        fixed, each = self.check_ms(0), self.check_ms(1) - self.check_ms(0)
        free = self.deployment.concurrency - arriving * each
        return min(max(arriving * fixed / free, 1), BATCH) if free > 0 else BATCH

    def dollars_a_payment(self, payments: float) -> float:
        """What one payment costs at that rate: what a batch shares falls with its messages."""
        dear, cheap = dollars(self.alone.used), dollars(self.full.used)
        shared = (1 - 1 / self.fill(payments)) / (1 - 1 / self.full.batch)
        return dear + (cheap - dear) * shared

    def dollars_a_month(self, payments: float, idle: Usage) -> float:
        """What a month at that rate costs, *idle* being what it costs without payments."""
        return dollars(idle) + payments * MINUTES_A_MONTH * self.dollars_a_payment(payments)

    def seconds_to_ask_all(self, payments: int) -> float:
        """How long one check of each takes where so many are put on the queue at once."""
        rounds = ceil(payments / (BATCH * self.deployment.concurrency))
        return rounds * self.check_ms(min(payments, BATCH)) / 1000

    def concurrency_for(self, payments: float) -> int:
        """The MaximumConcurrency that keeps up with that rate, a third in reserve."""
        needed = payments / 60 * self.full.checks * self.check_ms(BATCH) / 1000 / BATCH
        return max(2, ceil(needed * 4 / 3))

    def _ms(self, function: str, records: float, *edges: str) -> float:
        wait = sum(WAITS[edge] for edge in edges)
        one = busy(function, 1, self.measured)
        none = busy(function, 0, self.measured)
        return lasting(wait, none + records * (one - none), self.deployment.memory)
