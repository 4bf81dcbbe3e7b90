"""Each campaign in its small size; `make campaigns` runs the large ones."""

import json
from pathlib import Path

import pytest

from tests.fault_injection.registry import CAMPAIGNS, plan
from tests.fault_injection.report import markdown, save
from tests.fault_injection.results import Campaign, Row, conduct

SMALL = plan("small")


@pytest.mark.parametrize(("campaign", "size"), SMALL, ids=[each.name for each, _ in SMALL])
def test_the_promises_hold_and_a_wrong_design_is_caught(campaign: Campaign, size: int) -> None:
    """Nothing lost, nothing false, one body a payment; a control is caught."""
    assert conduct(campaign, size, "1").ok


def test_a_seed_repeats_a_run() -> None:
    """All but the seconds."""
    [campaign] = [each for each in CAMPAIGNS if each.name == "C23 everything at once"]
    one, two, other = (conduct(campaign, 20, seed) for seed in ("1", "1", "2"))
    assert (one.faults, one.duplicates) == (two.faults, two.duplicates)
    assert one.faults != other.faults


def test_the_report_tells_what_is_broken(tmp_path: Path) -> None:
    """For people and for programs."""
    rows = [
        Row("C1", 10, 5, 1, 0, 2, 0.5, ok=False, control=False),
        Row("C14", 10, 5, 1, 0, 2, 0.5, ok=True, control=True),
    ]
    text = markdown(rows, "small", "7")
    assert "1 of 2 as they must be (SIZE=small SEED=7)" in text
    assert "| C1 | 10 | 5 | 1 | 0 | 2 | 0.5 | **BROKEN** |" in text
    assert "| C14 | 10 | 5 | 1 | 0 | 2 | 0.5 | caught |" in text
    save(rows, "small", "7", tmp_path / "report.json")
    saved = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert saved["rows"][0] == {
        "name": "C1",
        "tries": 10,
        "faults": 5,
        "lost": 1,
        "false": 0,
        "duplicates": 2,
        "seconds": 0.5,
        "ok": False,
        "control": False,
    }
