"""Contract of the cost model: what AWS bills for checks and payments, as documents quote it."""

import re
from collections import Counter
from inspect import signature
from typing import Any

import pytest

from tests.benchmarks import runs, sizes
from tests.benchmarks.cost import SIZE, TRUST
from tests.benchmarks.designs import designs
from tests.benchmarks.durations import wait_ms
from tests.benchmarks.meter import Meter, memory_of
from tests.benchmarks.prices import MILLION, PRICES, bill, dollars
from tests.support.fake_gateway import SECOND
from tests.support.template import ROOT, TEMPLATE, of_type, properties

ITEM: sizes.Item = {
    "pk": {"S": "a"},  # 2 + 1
    "at": {"N": "1795341600000"},  # 2 + 4 for eight digits before the zeros + 1
    "history": {"L": [{"M": {"to": {"S": "é"}}}]},  # 7 + 3, 1 + 3 of the map, 1 + 2 + 2 inside
}


def of(size: int) -> sizes.Item:
    """Return an item of a size in bytes."""
    return {"pk": {"S": "x" * (size - 2)}}


def test_the_size_of_an_item_follows_the_rules_of_aws() -> None:
    """Names, values, and the overhead of lists, maps and their elements."""
    assert sizes.item_size(ITEM) == 3 + 7 + 19
    assert sizes.item_size({"n": {"N": "0"}}) == 1 + 1 + 1
    with pytest.raises(ValueError, match="no BOOL"):
        sizes.item_size({"b": {"BOOL": True}})


@pytest.mark.parametrize(
    ("old", "new", "units"),
    [(None, 1024, 1), (None, 1025, 2), (2049, 10, 3), (10, 10, 1), (1025, None, 2)],
)
def test_a_write_is_billed_by_the_larger_item(old: int | None, new: int | None, units: int) -> None:
    """Also where the condition failed."""
    assert sizes.write_units(old and of(old), new and of(new)) == units  # type: ignore[arg-type]  # no size is 0


@pytest.mark.parametrize(
    ("old", "new", "units"),
    [
        (None, {}, 0),
        (None, {"shard": {"S": "1"}, "at": {"N": "1"}}, 1),
        ({"shard": {"S": "1"}, "at": {"N": "1"}}, {"shard": {"S": "1"}, "at": {"N": "1"}}, 0),
        ({"shard": {"S": "1"}, "at": {"N": "1"}}, {"shard": {"S": "1"}, "at": {"N": "2"}}, 2),
        ({"shard": {"S": "1"}, "at": {"N": "1"}}, {}, 1),
    ],
)
def test_the_index_is_billed_where_its_entry_changes(
    old: sizes.Item | None, new: sizes.Item, units: int
) -> None:
    """Added, moved (removed and added), removed; not where it is unchanged."""
    assert len(sizes.index_writes(old, new, ("shard", "at"))) == units


def test_reads_are_billed_by_four_kilobytes() -> None:
    """Each item separately in a batch, all together in a query; missing items are billed too."""
    assert sizes.read_units([of(4096), of(4097), None]) == 1 + 2 + 1
    assert sizes.query_units([of(2048), of(2049)]) == 1.0
    assert sizes.query_units([]) == 0.5


def test_messages_and_events_are_billed_by_64_kilobytes() -> None:
    """By bytes, not by characters."""
    assert [sizes.chunks("a" * 65536), sizes.chunks("é" * 32769), sizes.chunks()] == [1, 2, 1]


def test_an_invocation_waits_once_for_concurrent_calls() -> None:
    """32 queries are one wait, 33 are two; PutEvents calls are sequential."""
    calls = Counter({("gateway", "query"): 33, ("table", "update_item"): 10})
    assert wait_ms(calls) == 2 * 80 + 5
    assert wait_ms(Counter({("bus", "put_events"): 2, ("table", "query"): 3})) == 2 * 15 + 3 * 5


def test_each_price_has_a_source() -> None:
    """A page and its date, unless the price is unconfirmed."""
    for name, price in PRICES.items():
        assert price.trust in TRUST, name
        assert price.source.startswith("https://") is (price.trust != "unconfirmed"), name
        assert bool(price.date) is (price.trust != "unconfirmed"), name
        assert (".amazon.com/" in price.source) is (price.trust == "AWS"), name


def test_a_million_checks_in_the_fast_phase_cost_at_most_a_dollar_thirty() -> None:
    """One read, one write, no write to the index, messages in tens."""
    run = runs.fast_checks(100)
    assert run.checks == 1
    assert run.used["read units"] == run.used["table write units"] == 1
    assert run.used.get("index write units", 0) == 0
    assert run.used["Lambda requests"] <= 0.12
    assert run.used["SQS requests"] == pytest.approx(3 * run.used["Lambda requests"])
    assert dollars(run.used) * MILLION <= 1.30


def test_what_a_payment_uses_that_is_paid_immediately() -> None:
    """Ten in one batch: registered, paid, the event sent and marked as sent."""
    used = runs.payments(10, paid_after=runs.immediately).used
    assert used["Lambda requests"] == pytest.approx(2 / 10)  # checks and publisher
    assert used["SQS requests"] == pytest.approx(1 + 2 / 10)  # sent; received and deleted in tens
    # registered; its order marked; paid and marked as sent, with the event
    assert used["table write units"] == 1 + 1 + 2 + 2
    assert used["index write units"] == 1 + 2 + 1  # registered; from CHECK to EVENT; removed
    assert used["read units"] == 1 + 1
    assert used["events"] == 1


def test_a_get_of_a_settled_payment_is_one_read() -> None:
    """No write, no message, no query to the gateway."""
    used = runs.settled_gets(5).used
    assert used["read units"] == used["HTTP API calls"] == used["Lambda requests"] == 1
    assert not {"table write units", "SQS requests", "events"} & used.keys()


def test_a_thousand_waits_of_20_s_cost_at_most_a_quarter_of_a_dollar() -> None:
    """Most of it is the time of the function: 20 s at 512 MB."""
    run = runs.waits(3)
    assert run.checks == 7
    assert 10 <= run.used["Lambda arm64 GB-s"] <= 10.5
    assert run.used["Lambda requests"] == run.used["HTTP API calls"] == 1
    assert run.used["read units"] >= 20
    cost = dollars(run.used) * 1000
    assert cost <= 0.25
    for page in ("waiting.md", "cost.md"):
        assert f"cost ${cost:.2f}" in (ROOT / "docs" / page).read_text(encoding="utf-8")


def test_an_idle_month_has_the_template_s_alarms_and_a_sweep_each_minute() -> None:
    """At least 16 queries of an index each minute and 8 more each tenth, at half a unit each.

    Two alarms read three metrics and one reads two.
    """
    used = runs.idle_month()
    assert used["Lambda requests"] == runs.MINUTES_PER_MONTH
    assert 8.4 <= round(used["read units"] / runs.MINUTES_PER_MONTH, 6) <= 12
    alarms = len(of_type("AWS::CloudWatch::Alarm"))
    assert used["alarm metrics a month"] == alarms + 5
    assert used["dashboards a month"] == 1
    assert "events" not in used


def test_the_figures_are_the_template_s() -> None:
    """Memory, architecture and batch size, as deployed by default."""
    assert [memory_of(name) for name in ("api", "checks", "publisher", "sweeper")] == [
        512,
        256,
        256,
        1769,
    ]
    assert TEMPLATE["Parameters"]["Architecture"]["Default"] == "arm64"
    queue = properties("ChecksFunction")["Events"]["Queue"]["Properties"]
    assert queue["BatchSize"] == signature(Meter).parameters["batch"].default
    assert "MaximumBatchingWindowInSeconds" not in queue


def test_other_designs_cost_what_is_computed_by_hand() -> None:
    """$3.50, $5, a read and a write; three messages; transitions at $25 and operations at $8."""
    rest, queue, machine, durable = designs()
    assert dollars(rest.check) * MILLION > 3.50 + 5 + 0.125 + 0.625
    assert queue.payment(5)["SQS requests"] == 15
    assert queue.payment(5)["table write units"] == 6
    assert machine.payment(5)["state transitions"] == 18
    assert bill(machine.check)["state transitions"] * MILLION == pytest.approx(75)
    assert durable.payment(5)["durable operations"] == 11
    assert bill(durable.check)["durable operations"] * MILLION == pytest.approx(16)


def test_a_query_of_an_index_is_billed_by_what_it_found() -> None:
    """Some 50 bytes an entry: 75 are half a unit, 92 a whole one; also those only counted."""
    meter = runs.metered(runs.waiting)
    runs.send_orders(meter, 92)
    meter.simulation.run(SECOND)
    pages: list[dict[str, Any]]
    pages, billed = [{"Items": [{}] * 92}, {"Count": 92}, {"Count": 75}, {"Count": 0}], []
    for page in pages:
        meter.reset()
        meter.count_query({"IndexName": "work"}, page)
        billed.append(meter.used["read units"])
    assert billed == [1, 1, 0.5, 0.5]


def test_the_documents_have_the_dollars_of_the_cost_model() -> None:
    """Of payresult and the other designs, for a million checks and payments, within 2 %."""
    checks, payments = runs.fast_checks(SIZE), runs.payments(SIZE)
    counted = [(checks.used, payments.used)]
    counted += [(each.check, each.payment(payments.checks)) for each in designs()]
    expected = [dollars(used) * MILLION for pair in counted for used in pair]
    rows = r"^\| .+ \| \$([\d.]+) \| \$([\d.]+) \|$"
    found = [float(cell) for row in quoted("docs/cost.md", rows) for cell in row]
    assert found == pytest.approx(expected, rel=0.02)
    *_, machine, durable = expected[1::2]
    for readme in ("README.md", "README.zh-CN.md"):
        whole = [float(cell) for cell in quoted(readme, r"^\| .+ \| \$(\d+) \|$")]
        assert whole == pytest.approx([machine, durable, expected[1]], rel=0.02), readme


def quoted(document: str, row: str) -> list[Any]:
    """Return what *row* captures in the lines of a document."""
    return re.findall(row, (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)
