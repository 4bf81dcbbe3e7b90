"""Contract of the benchmarks: how results are computed, and docs/performance.md shows them all.

To fix the document: `make bench`, or `python -m tests.benchmarks --document` if only it changed.
"""

import json
import re
from functools import partial

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.benchmarks import report
from tests.benchmarks.__main__ import EXPERIMENTS
from tests.benchmarks.cases import floor
from tests.benchmarks.comparisons import (
    COMPARISONS,
    Comparison,
    Pair,
    Sample,
    summarize,
)
from tests.benchmarks.experiments import BATCHES, alternate, pairs
from tests.benchmarks.plot import PLOT, plot

LOWER = Comparison("low", "group", "title", 0.5)
HIGHER = LOWER._replace(target=0.9, better="higher")
NINE = [Pair(ratio, 1.0) for ratio in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)]


def test_a_result_has_medians_and_the_spread_of_the_ratios() -> None:
    """Seconds are converted to milliseconds, MiB stay."""
    result = summarize(LOWER, NINE)
    assert (result.a, result.b, result.ratio) == (600, 1000, 0.6)
    assert (result.p10, result.p90, result.pairs) == (0.28, 0.92, 9)
    assert summarize(LOWER._replace(unit="MiB"), NINE).b == 1
    # pair by pair: what slows both sides of a pair down has no effect
    result = summarize(LOWER, [Pair(1, 2), Pair(10, 20), Pair(4, 8)])
    assert result.ratio == result.p10 == result.p90 == 0.5


@pytest.mark.parametrize(
    ("comparison", "ratio", "reached"),
    [
        (LOWER, 0.5, "reached"),
        (LOWER, 0.51, "missed"),
        (HIGHER, 0.9, "reached"),
        (HIGHER, 0.89, "missed"),
    ],
)
def test_a_result_says_whether_it_reached_its_target(
    comparison: Comparison, ratio: float, reached: str
) -> None:
    """In the direction that is better."""
    assert report.cells(summarize(comparison, [Pair(ratio, 1.0)] * 9))[-1] == reached


def test_sides_alternate_and_the_first_round_does_not_count() -> None:
    """B A (dropped), A B, B A, A B."""
    order: list[str] = []

    def run(side: str) -> Sample:
        order.append(side)
        return Sample(len(order))

    rounds = alternate({side: partial(run, side) for side in "ab"}, 3, lambda _: None)
    assert "".join(order) == "baabbaab"
    assert pairs(rounds, "a", "b") == [(3, 4), (6, 5), (7, 8)]


def test_each_comparison_has_one_experiment() -> None:
    """None is missing, and none is measured twice."""
    measured = [name for names, _ in EXPERIMENTS for name in names]
    assert sorted(measured) == sorted(each.name for each in COMPARISONS)


def test_the_shortest_wait_counts_rounds_of_32() -> None:
    """Ten checks are four waits; the queries of a hundred are four rounds."""
    assert BATCHES["batch_10_efficiency"].least(80, 5) == 80 + 3 * 5
    assert BATCHES["batch_100_efficiency"].least(80, 5) == 4 * 80 + 2 * 5


def test_the_floor_signs_as_botocore_does() -> None:
    """AWS would accept its calls."""
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "T.Op"}
    url = "https://dynamodb.eu-central-1.amazonaws.com/"
    request = AWSRequest("POST", url, headers=headers, data=b"{}")
    SigV4Auth(Credentials("testing", "testing"), "dynamodb", "eu-central-1").add_auth(request)
    signed = headers | {
        "host": "dynamodb.eu-central-1.amazonaws.com",
        "x-amz-date": request.headers["X-Amz-Date"],
    }
    assert floor.sign("dynamodb", "eu-central-1", signed, b"{}") == request.headers["Authorization"]


def test_the_document_shows_the_newest_results() -> None:
    """The command generates the table and the plot."""
    text = report.DOCUMENT.read_text(encoding="utf-8")
    assert report.with_table(text, report.table(report.latest())) == text
    assert PLOT.read_text(encoding="utf-8") == plot(report.latest())
    assert f"]({PLOT.relative_to(report.DOCUMENT.parent)})" in text


def test_the_newest_results_have_a_row_for_each_comparison() -> None:
    """With the current targets, and at least nine pairs of runs each."""
    rows = report.latest()
    assert [*rows] == [each.name for each in COMPARISONS]
    for comparison in COMPARISONS:
        row = rows[comparison.name]
        told = (row.target, row.better, row.unit)
        assert told == (comparison.target, comparison.better, comparison.unit), row.name
        assert row.pairs >= 9
        assert row.p10 <= row.ratio <= row.p90


def test_results_say_on_what_they_were_measured_and_not_where() -> None:
    """Cores, processor, Python and versions; no path of the machine."""
    for path in report.RESULTS.glob("20*.json"):
        text = path.read_text(encoding="utf-8")
        machine = json.loads(text)["machine"]
        assert machine.keys() == {"cores", "cpu", "system", "python", "openssl", "versions"}
        assert set(machine["versions"]) == set(report.MEASURED)
        assert re.search(r"(?<!\w)/\w", text) is None
