"""Contract: docs/performance.md shows the committed results of the benchmarks, which are complete.

To fix: `make bench`, or `python -m tests.benchmarks --document` if only the document changed.
"""

import json
import re

from tests.benchmarks.comparisons import COMPARISONS
from tests.benchmarks.plot import PLOT, plot
from tests.benchmarks.report import DOCUMENT, MEASURED, RESULTS, latest, table, with_table


def test_the_document_shows_the_newest_results() -> None:
    """The command generates the table and the plot."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert with_table(text, table(latest())) == text
    assert PLOT.read_text(encoding="utf-8") == plot(latest())
    assert f"]({PLOT.relative_to(DOCUMENT.parent)})" in text


def test_the_newest_results_have_a_row_for_each_comparison() -> None:
    """With the current targets, and at least nine pairs of runs each."""
    rows = latest()
    assert [*rows] == [each.name for each in COMPARISONS]
    for comparison in COMPARISONS:
        row = rows[comparison.name]
        told = (row.target, row.better, row.unit)
        assert told == (comparison.target, comparison.better, comparison.unit), row.name
        assert row.pairs >= 9
        assert row.p10 <= row.ratio <= row.p90


def test_results_say_on_what_they_were_measured_and_not_where() -> None:
    """Cores, processor, Python and versions; no path of the machine."""
    for path in RESULTS.glob("20*.json"):
        text = path.read_text(encoding="utf-8")
        machine = json.loads(text)["machine"]
        assert machine.keys() == {"cores", "cpu", "system", "python", "openssl", "versions"}
        assert set(machine["versions"]) == set(MEASURED)
        assert re.search(r"(?<!\w)/\w", text) is None
