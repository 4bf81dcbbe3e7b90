"""The arithmetic of growth by hand, its settings against the template, and which limit is first."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from payresult.aws.items import SHARD_COUNT, shard
from payresult.services.sweeper import MAX_ITEMS_PER_SHARD
from tests.benchmarks import quotas, runs
from tests.benchmarks.durations import WAITS
from tests.benchmarks.limits import limits
from tests.benchmarks.model import BATCH, Deployment, Model
from tests.support.template import TEMPLATE, properties

# A whole CPU's milliseconds at 1,769 MB are milliseconds.
CPU = {
    "cpu_ms": {
        "checks": {"invocation": 100.0, "record": 10.0},
        "publisher": {"invocation": 25.0, "record": 5.0},
        "sweeper": {"invocation": 20.0, "record": 10.0},
    }
}
USED = {"table write units": 10.0, "index write units": 4.0, "read units": 6.0, "events": 1.0}
FULL = runs.Run(USED, checks=6.0, batch=10.0, hottest=0.25)
ALONE = replace(FULL, used=USED | {"Lambda requests": 9.0}, batch=1.0)
BY_HAND = Model(Deployment.of_template(concurrency=5, memory=1769), FULL, ALONE, CPU)


def found(model: Model) -> dict[str, float]:
    """The limits of a model by name."""
    return {limit.name: limit.payments for limit in limits(model)}


def test_a_batch_takes_its_waits_and_its_cpu() -> None:
    """A read, the gateway, a send and a write; then the CPU of ten."""
    assert BY_HAND.check_ms(BATCH) == 5 + 80 + 10 + 5 + 100 + 10 * 10
    assert BY_HAND.checks_a_second == pytest.approx(5 * 10 / 0.3)
    assert BY_HAND.publish_ms(BATCH) == 5 + 15 + 5 + 25 + 5 * 10
    assert BY_HAND.events_a_second == pytest.approx(4 * 10 / 0.1)


def test_a_sweep_ends_with_its_pages_or_its_time() -> None:
    """10 ms and the waits' share for each of 4,000 checks are 45 of 50 s; of 40 ms each, not."""
    assert BY_HAND.due_a_minute == SHARD_COUNT * MAX_ITEMS_PER_SHARD == 4000
    slow = CPU["cpu_ms"] | {"sweeper": {"invocation": 20.0, "record": 40.0}}
    late = replace(BY_HAND, measured={"cpu_ms": slow})
    assert late.due_a_minute == pytest.approx((50_000 - 20 - 16 * 5) / (40 + 5 / 32 + 1))


def test_batches_fill_as_messages_wait() -> None:
    """1,000 payments a minute: 0.1 checks a ms, each slot free again after 200 + 10 n ms."""
    assert BY_HAND.fill(1) == 1
    assert BY_HAND.fill(1000) == pytest.approx(0.1 * 200 / (5 - 0.1 * 10))
    assert BY_HAND.fill(100_000) == BATCH


def test_fuller_batches_are_cheaper() -> None:
    """From the dollars of a message alone to those of a full batch."""
    full = (10 + 4) * 0.625e-6 + 6 * 0.125e-6 + 1e-6
    assert BY_HAND.dollars_a_payment(100_000) == pytest.approx(full)
    assert BY_HAND.dollars_a_payment(1) == pytest.approx(full + 9 * 0.2e-6)
    month = BY_HAND.dollars_a_month(1, {"metrics a month": 10})
    assert month == pytest.approx(3.00 + 43_800 * (full + 9 * 0.2e-6))


def test_many_at_once_are_asked_one_batch_after_the_other() -> None:
    """1,001 payments are 101 batches, 21 rounds of five."""
    assert BY_HAND.seconds_to_ask_all(1001) == pytest.approx(21 * 0.3)
    assert BY_HAND.seconds_to_ask_all(1) == pytest.approx(0.21)


def test_the_concurrency_that_keeps_up() -> None:
    """1,000 checks a second in batches of 0.3 s are 30 at a time, and a third more."""
    assert BY_HAND.concurrency_for(10_000) == 40
    assert BY_HAND.concurrency_for(1) == 2


def test_limits_by_hand() -> None:
    """What gives out, divided by what a payment takes of it."""
    met = found(BY_HAND)
    assert met["MaximumConcurrency 5"] == pytest.approx(5 * 10 / 0.3 / 6 * 60)
    assert met["PUT: the stage's throttling"] == 50 * 60
    assert met["one sweep a minute"] == pytest.approx(4000 / (0.05 * 14))
    assert met["publisher: 4 shards of the stream"] == pytest.approx(400 * 60)
    assert met["writes of a new table"] == pytest.approx(4000 / 10 * 60)
    assert met["writes of a new index"] == pytest.approx(4000 / 4 * 60)
    assert met["hottest of 8 parts of the index"] == pytest.approx(1000 / 0.25 * 60)
    assert met["functions of an account at a time"] == pytest.approx(1000 / ((1.8 + 0.1) / 10) * 60)
    assert met["messages in flight"] == pytest.approx(120_000 / 1.8 * 60)
    assert list(met.values()) == sorted(met.values())


def test_a_larger_setting_moves_its_own_limit() -> None:
    """Ten times the concurrency, ten batches of each shard."""
    large = replace(BY_HAND, deployment=replace(BY_HAND.deployment, concurrency=50, parallel=10))
    met, before = found(large), found(BY_HAND)
    assert met["MaximumConcurrency 50"] == pytest.approx(10 * before["MaximumConcurrency 5"])
    name = "publisher: 4 shards of the stream"
    assert met[name] == pytest.approx(10 * before[name])


def test_each_limit_has_a_source_and_a_way_out() -> None:
    """AWS's own page, or our own file."""
    for limit in limits(BY_HAND):
        known = limit.source in {"template.yaml", "sweeping.PAGE"}
        assert known or limit.source.startswith("https://docs.aws.amazon.com/"), limit.name
        assert limit.then, limit.name


def test_the_settings_are_the_template_s() -> None:
    """By default: what would be wrong here would be wrong in the README."""
    assert Deployment.of_template() == Deployment(
        concurrency=5, memory=256, stage_rate=50, sweeper_timeout=50, long_delays=14
    )
    parameter = TEMPLATE["Parameters"]["MaximumConcurrency"]
    assert parameter["MaxValue"] == quotas.QUEUE_BATCHES.most
    assert properties("ChecksFunction")["Events"]["Queue"]["Properties"]["BatchSize"] == BATCH
    stream = properties("PublisherFunction")["Events"]["Stream"]["Properties"]
    assert stream["BatchSize"] == BATCH
    assert "ParallelizationFactor" not in stream
    assert WAITS.keys() == {"gateway", "table", "queue", "bus"}


def test_a_part_of_the_index_takes_an_eighth_of_the_writes() -> None:
    """2 of each payment to its CHECK and 2 to its EVENT; payIds are spread evenly."""
    run = runs.payments(20, paid_after=runs.at_once)
    assert (run.used["index write units"], run.hottest) == (4, 2 / SHARD_COUNT)
    shards = Counter(shard("CHECK", f"201903211924{number}") for number in range(8000))
    assert len(shards) == SHARD_COUNT
    assert all(count == pytest.approx(1000, rel=0.1) for count in shards.values())


def test_a_mix_of_paid_and_never_paid() -> None:
    """A twentieth of them takes what the others do not."""
    paid = runs.Run({"events": 1.0}, 5.0, 8.0, 0.2)
    unpaid = runs.Run({"log GB": 2.0}, 27.0, 1.0, 1.0)
    mixed = runs.mixed(paid, unpaid, 0.05)
    assert mixed.used == pytest.approx({"events": 0.95, "log GB": 0.1})
    assert [mixed.checks, mixed.batch, mixed.hottest] == pytest.approx([6.1, 8.0, 0.24])


def test_half_of_the_people_pay_within_a_minute() -> None:
    """As the assumption says, and nobody after half an hour."""
    dice = Random(1)  # noqa: S311 - to be repeated, not to be secret
    after = sorted(runs.as_people_pay(dice) for _ in range(2001))
    assert after[1000] == pytest.approx(runs.MEDIAN_SECONDS, rel=0.1)
    assert after[-1] <= runs.LONGEST_SECONDS
