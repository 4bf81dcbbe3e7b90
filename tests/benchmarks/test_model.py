"""Contract of the scale model: its arithmetic by hand, and the template's settings and limits."""

from collections import Counter
from dataclasses import replace

import pytest

from payresult.aws.items import SHARD_COUNT, shard
from tests.benchmarks import quotas, runs
from tests.benchmarks.durations import WAITS, measured
from tests.benchmarks.limits import limits
from tests.benchmarks.model import BATCH, Deployment, Model
from tests.support.template import TEMPLATE, properties

# at 1,769 MB a function has a whole CPU, so CPU milliseconds are milliseconds
CPU = {
    "cpu_ms": {
        "checks": {"invocation": 100.0, "record": 10.0},
        "publisher": {"invocation": 25.0, "record": 5.0},
        "sweeper": {"invocation": 20.0, "record": 10.0},
    }
}
USED = {"table write units": 10.0, "index write units": 4.0, "read units": 6.0, "events": 1.0}
FULL = runs.Run(USED, checks=6.0, batch=10.0, hottest=0.25, swept=0.5)
SINGLE = replace(FULL, used=USED | {"Lambda requests": 9.0}, batch=1.0)
BY_HAND = Model(
    Deployment.of_template(concurrency=5, memory=1769, sweeper_memory=1769), FULL, SINGLE, CPU
)


def found(model: Model) -> dict[str, float]:
    """Return the limits of a model by name."""
    return {limit.name: limit.payments for limit in limits(model)}


def test_a_batch_takes_its_waits_and_its_cpu() -> None:
    """A read, a query, a send and a write; then the CPU of ten records."""
    assert BY_HAND.check_ms(BATCH) == 5 + 80 + 10 + 5 + 100 + 10 * 10
    assert BY_HAND.checks_per_second == pytest.approx(5 * 10 / 0.3)
    assert BY_HAND.publish_ms(BATCH) == 5 + 15 + 5 + 25 + 5 * 10
    assert BY_HAND.events_per_second == pytest.approx(4 * 10 / 0.1)


def test_a_sweep_sends_pieces_until_ten_seconds_are_left() -> None:
    """100 checks of 10 ms, a read, four rounds of 32 claims, and ten batches at the same time."""
    rest = 50_000 - 10_000 - 20 - 16 * 5
    assert BY_HAND.due_per_minute == pytest.approx(100 * rest / (1000 + 5 + 4 * 5 + 10))
    small = replace(BY_HAND.deployment, sweeper_memory=1769 // 2)
    assert replace(BY_HAND, deployment=small).due_per_minute < 0.52 * BY_HAND.due_per_minute


def test_a_sweep_as_deployed_sends_20_000_checks() -> None:
    """With the measured CPU. A payment has about one that the sweeper sends (``Run.swept``)."""
    assert (
        replace(BY_HAND, deployment=Deployment.of_template(), measured=measured()).due_per_minute
        > 20_000
    )


def test_messages_per_batch_grow_with_the_rate() -> None:
    """1,000 payments a minute are 0.1 checks per ms; a batch of n takes 200 + 10 n ms."""
    assert BY_HAND.messages_per_batch(1) == 1
    assert BY_HAND.messages_per_batch(1000) == pytest.approx(0.1 * 200 / (5 - 0.1 * 10))
    assert BY_HAND.messages_per_batch(100_000) == BATCH


def test_fuller_batches_are_cheaper() -> None:
    """From the cost with one message per batch to that with full batches."""
    full = (10 + 4) * 0.625e-6 + 6 * 0.125e-6 + 1e-6
    assert BY_HAND.dollars_per_payment(100_000) == pytest.approx(full)
    assert BY_HAND.dollars_per_payment(1) == pytest.approx(full + 9 * 0.2e-6)
    month = BY_HAND.dollars_per_month(1, {"metrics a month": 10})
    assert month == pytest.approx(3.00 + 43_800 * (full + 9 * 0.2e-6))


def test_many_payments_are_checked_in_rounds_of_batches() -> None:
    """1,001 payments are 101 batches, or 21 rounds of five."""
    assert BY_HAND.seconds_to_check_all(1001) == pytest.approx(21 * 0.3)
    assert BY_HAND.seconds_to_check_all(1) == pytest.approx(0.21)


def test_the_concurrency_for_a_rate() -> None:
    """1,000 checks per second in batches of 0.3 s are 30 concurrent batches, plus a third."""
    assert BY_HAND.concurrency_for(10_000) == 40
    assert BY_HAND.concurrency_for(1) == 2


def test_limits_are_what_is_computed_by_hand() -> None:
    """Each quota divided by what a payment uses of it."""
    met = found(BY_HAND)
    assert met["MaximumConcurrency 5"] == pytest.approx(5 * 10 / 0.3 / 6 * 60)
    assert met["PUT: the stage's throttling"] == 50 * 60
    assert met["one sweep a minute"] == pytest.approx(BY_HAND.due_per_minute / 0.5)
    assert met["publisher: 4 shards of the stream"] == pytest.approx(400 * 60)
    assert met["writes of a new table"] == pytest.approx(4000 / 10 * 60)
    assert met["writes of a new index"] == pytest.approx(4000 / 4 * 60)
    assert met["busiest of 8 shards of the index"] == pytest.approx(1000 / 0.25 * 60)
    assert met["concurrent invocations of an account"] == pytest.approx(
        1000 / ((1.8 + 0.1) / 10) * 60
    )
    assert met["messages in flight"] == pytest.approx(120_000 / 1.8 * 60)
    assert list(met.values()) == sorted(met.values())


def test_a_larger_setting_raises_its_limit() -> None:
    """Ten times the concurrency, and ten batches of each shard."""
    large = replace(BY_HAND, deployment=replace(BY_HAND.deployment, concurrency=50, parallel=10))
    met, before = found(large), found(BY_HAND)
    assert met["MaximumConcurrency 50"] == pytest.approx(10 * before["MaximumConcurrency 5"])
    name = "publisher: 4 shards of the stream"
    assert met[name] == pytest.approx(10 * before[name])


def test_each_limit_has_a_source_and_a_remedy() -> None:
    """The source is a page of AWS or a file of this repository."""
    for limit in limits(BY_HAND):
        own = limit.source in {"template.yaml", "services/sweeper.py"}
        assert own or limit.source.startswith("https://docs.aws.amazon.com/"), limit.name
        assert limit.remedy, limit.name


def test_the_settings_are_the_template_s() -> None:
    """The documents show figures for the defaults."""
    assert Deployment.of_template() == Deployment(
        concurrency=5, memory=256, stage_rate=50, sweeper_memory=1769, sweeper_timeout=50
    )
    parameter = TEMPLATE["Parameters"]["MaximumConcurrency"]
    assert parameter["MaxValue"] == quotas.QUEUE_BATCHES.value
    assert properties("ChecksFunction")["Events"]["Queue"]["Properties"]["BatchSize"] == BATCH
    stream = properties("PublisherFunction")["Events"]["Stream"]["Properties"]
    assert stream["BatchSize"] == BATCH
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
    """The average of both, weighted by the share."""
    paid = runs.Run({"events": 1.0}, 5.0, 8.0, 0.2, 1.0)
    unpaid = runs.Run({"log GB": 2.0}, 27.0, 1.0, 1.0, 14.0)
    mixed = runs.mixed(paid, unpaid, 0.05)
    assert mixed.used == pytest.approx({"events": 0.95, "log GB": 0.1})
    assert [mixed.checks, mixed.batch, mixed.hottest] == pytest.approx([6.1, 8.0, 0.24])
    assert mixed.swept == pytest.approx(0.95 + 0.7)


def test_the_sweeper_sends_the_checks_that_come_after_more_than_900_seconds() -> None:
    """14 of a payment that is never paid."""
    assert runs.payments(1, paid_after=runs.never).swept == 14
