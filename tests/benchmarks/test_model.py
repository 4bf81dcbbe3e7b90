"""Contract of the scale model: its arithmetic by hand, and the template's settings and limits."""

from collections import Counter
from dataclasses import replace

import pytest

from payresult.aws.items import SHARD_COUNT, shard
from tests.benchmarks import runs
from tests.benchmarks.durations import WAITS, measured
from tests.benchmarks.limits import limits
from tests.benchmarks.model import BATCH, CONCURRENCY, Model
from tests.support.template import TEMPLATE, properties

SHARE = 256 / 1769
"""Of a CPU, which checks and publisher have; the sweeper has a whole one."""

CPU = {
    "cpu_ms": {
        "checks": {"invocation": 100 * SHARE, "record": 10 * SHARE},
        "publisher": {"invocation": 25 * SHARE, "record": 5 * SHARE},
        "sweeper": {"invocation": 20, "record": 10},
    }
}
USED = {"table write units": 10.0, "index write units": 4.0, "read units": 6.0, "events": 1.0}
FULL = runs.Run(USED, checks=6.0, batch=10.0, hottest=0.25, swept=0.5)
SINGLE = replace(FULL, used=USED | {"Lambda requests": 9.0}, batch=1.0)
BY_HAND = Model(FULL, SINGLE, CPU)


def found(model: Model) -> dict[str, float]:
    """Return the limits of a model by name."""
    return {limit.name: limit.payments for limit in limits(model)}


def test_a_batch_takes_its_waits_and_its_cpu() -> None:
    """A read, a query, a send and a write; then the CPU of ten records."""
    assert BY_HAND.check_ms(BATCH) == pytest.approx(5 + 80 + 10 + 5 + 100 + 10 * 10)
    assert BY_HAND.checks_per_second == pytest.approx(5 * 10 / 0.3)
    assert BY_HAND.events_per_second == pytest.approx(4 * 10 / 0.1)
    assert BY_HAND.seconds_to_check_all(1001) == pytest.approx(21 * 0.3)  # 101 batches, by fives


def test_a_sweep_sends_pieces_until_ten_seconds_are_left() -> None:
    """100 checks of 10 ms, a read, four rounds of 32 claims, and ten batches at the same time."""
    rest = 50_000 - 10_000 - 20 - 16 * 5
    assert BY_HAND.due_per_minute == pytest.approx(100 * rest / (1000 + 5 + 4 * 5 + 10))
    assert replace(BY_HAND, measured=measured()).due_per_minute > 20_000


def test_messages_per_batch_grow_with_the_rate_and_make_a_payment_cheaper() -> None:
    """1,000 payments a minute are 0.1 checks per ms; a batch of n takes 200 + 10 n ms."""
    assert BY_HAND.messages_per_batch(1) == 1
    assert BY_HAND.messages_per_batch(1000) == pytest.approx(0.1 * 200 / (5 - 0.1 * 10))
    assert BY_HAND.messages_per_batch(100_000) == BATCH
    full = (10 + 4) * 0.625e-6 + 6 * 0.125e-6 + 1e-6
    assert BY_HAND.dollars_per_payment(100_000) == pytest.approx(full)
    assert BY_HAND.dollars_per_payment(1) == pytest.approx(full + 9 * 0.2e-6)
    month = BY_HAND.dollars_per_month(1, {"metrics a month": 10})
    assert month == pytest.approx(3.00 + 43_800 * (full + 9 * 0.2e-6))


def test_limits_are_what_is_computed_by_hand() -> None:
    """Each quota divided by what a payment uses of it; each has a source and a remedy."""
    met = found(BY_HAND)
    assert met == pytest.approx(
        {
            "MaximumConcurrency 5": 5 * 10 / 0.3 / 6 * 60,
            "PUT: the stage's throttling": 50 * 60,
            "one sweep a minute": BY_HAND.due_per_minute / 0.5,
            "publisher: 4 shards of the stream": 400 * 60,
            "writes of a new table": 4_000 / 10 * 60,
            "reads of a new table": 12_000 / 6 * 60,
            "writes of a new index": 4_000 / 4 * 60,
            "busiest of 8 shards of the index": 1_000 / 0.25 * 60,
            "writes of any table": 40_000 / 10 * 60,
            "concurrent batches of a queue": 1_000 / (1.8 / 10) * 60,
            "concurrent invocations of an account": 1_000 / ((1.8 + 0.1) / 10) * 60,
            "messages in flight": 120_000 / 1.8 * 60,
            "PutEvents": 10_000 * 60,
            "HTTP calls of an account": 10_000 * 60,
        }
    )
    assert list(met.values()) == sorted(met.values())
    for limit in limits(BY_HAND):
        own = limit.source in {"template.yaml", "services/sweeper.py"}
        assert own or limit.source.startswith("https://docs.aws.amazon.com/"), limit.name
        assert limit.remedy, limit.name


def test_the_settings_are_the_template_s() -> None:
    """The documents show figures for the defaults."""
    parameter = TEMPLATE["Parameters"]["MaximumConcurrency"]
    assert (CONCURRENCY, parameter["MaxValue"]) == (5, 1_000)
    stream = properties("PublisherFunction")["Events"]["Stream"]["Properties"]
    queue = properties("ChecksFunction")["Events"]["Queue"]["Properties"]
    assert queue["BatchSize"] == stream["BatchSize"] == BATCH
    assert "ParallelizationFactor" not in stream
    assert WAITS.keys() == {"gateway", "table", "queue", "bus"}


def test_a_shard_of_the_index_gets_an_eighth_of_the_writes() -> None:
    """Two of each payment to its CHECK and two to its EVENT shard; payIds are spread evenly."""
    run = runs.payments(20, paid_after=runs.immediately)
    assert (run.used["index write units"], run.hottest) == (4, 2 / SHARD_COUNT)
    shards = Counter(shard("CHECK", f"201903211924{number}") for number in range(8000))
    assert len(shards) == SHARD_COUNT
    assert all(count == pytest.approx(1000, rel=0.1) for count in shards.values())


def test_a_mix_of_paid_and_never_paid() -> None:
    """The average of both, weighted by the share; the sweeper sends 14 checks of one never paid."""
    paid = runs.Run({"events": 1.0}, 5.0, 8.0, 0.2, 1.0)
    unpaid = runs.Run({"log GB": 2.0}, 27.0, 1.0, 1.0, 14.0)
    mixed = runs.mixed(paid, unpaid, 0.05)
    assert mixed.used == pytest.approx({"events": 0.95, "log GB": 0.1})
    assert [mixed.checks, mixed.batch, mixed.hottest] == pytest.approx([6.1, 8.0, 0.24])
    assert mixed.swept == pytest.approx(0.95 + 0.7)
    assert runs.payments(1, paid_after=runs.never).swept == 14
