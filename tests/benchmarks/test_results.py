"""Contract: the README shows the committed results of the benchmarks, which are complete.

To fix: `make bench`, or `python -m tests.benchmarks --readme` if only the README changed.
"""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

from tests.benchmarks.build import CASES, SHIPS
from tests.benchmarks.plot import svg
from tests.benchmarks.readme import PLOT, README, table, with_table
from tests.benchmarks.report import MEASURED, RESULTS, latest
from tests.benchmarks.targets import COMPARISONS
from tests.support.imports import libraries

PARTS = ("connect", "put_events")
"""Cases that run with nothing but the packages that ship (``Workshop.part``)."""

FILES = sorted(RESULTS.glob("20*.json"))


def test_the_readme_shows_the_newest_results() -> None:
    """The command generates the table and the plot."""
    results = latest()
    text = README.read_text(encoding="utf-8")
    assert with_table(text, table({row.name: row for row in results["rows"]})) == text
    assert PLOT.read_text(encoding="utf-8") == svg(results["rows"], results["date"])


def test_the_newest_results_have_a_row_for_each_aim() -> None:
    """With the current targets, and at least nine pairs of runs each."""
    rows = {row.name: row for row in latest()["rows"]}
    assert [*rows] == [aim.name for aim in COMPARISONS]
    for aim in COMPARISONS:
        row = rows[aim.name]
        told = (row.target, row.stretch, row.better, row.unit)
        assert told == (aim.target, aim.stretch, aim.better, aim.unit), aim.name
        assert row.pairs >= 9
        assert row.p10 <= row.ratio <= row.p90


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_results_say_on_what_they_were_measured_and_not_where(path: Path) -> None:
    """Cores, processor, Python and versions; no path of the machine."""
    text = path.read_text(encoding="utf-8")
    machine = json.loads(text)["machine"]
    assert machine.keys() == {"cores", "cpu", "system", "python", "openssl", "versions"}
    assert set(machine["versions"]) == set(MEASURED)
    assert re.search(r"(?<!\w)/\w", text) is None


@pytest.mark.parametrize("name", PARTS)
def test_a_case_that_drives_a_part_of_ours_imports_what_ships(name: str) -> None:
    """Otherwise it would fail in the middle of a run of ten minutes."""
    tree = ast.parse((CASES / f"{name}.py").read_text(encoding="utf-8"))
    pins = re.findall(r"^(\S+)==", SHIPS.read_text(encoding="utf-8"), re.MULTILINE)
    ships = {pin.replace("-", "_") for pin in pins}
    assert libraries(tree) - sys.stdlib_module_names <= ships | {"payresult"}
