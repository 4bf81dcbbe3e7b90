"""Guarantees P1 to P8: each campaign in its small size; `make campaigns` runs the full size."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fault_injection import runner
from tests.fault_injection.registry import CAMPAIGNS, campaigns_for
from tests.fault_injection.report import figures, load, markdown, save
from tests.fault_injection.results import Campaign, CampaignResult, run_campaign
from tests.support.template import ROOT

SMALL = campaigns_for("small")


@pytest.mark.parametrize(("campaign", "size"), SMALL, ids=[each.name for each, _ in SMALL])
def test_the_guarantees_hold_and_controls_are_detected(campaign: Campaign, size: int) -> None:
    """A campaign finds no error; a control, whose design is broken, does."""
    assert run_campaign(campaign, size, "1").ok


def test_the_command_runs_a_campaign_in_a_process_of_its_own() -> None:
    """As `make campaigns` does."""
    environ = os.environ | {"ONLY": "C15 batches", "SIZE": "small"}
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-m", "tests.fault_injection"]
    ended = subprocess.run(  # noqa: S603 - our own program
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, "1 of 1 passed" in ended.stdout) == (0, True), ended.stderr


def test_a_campaign_that_dies_costs_no_other_result() -> None:
    """It is a failed one."""
    results = runner.run_all(["no such campaign", "C15 batches"], "small", "1")
    assert [(each.name, each.ok) for each in results] == [
        ("no such campaign", False),
        ("C15 batches", True),
    ]


def test_a_campaign_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the limit; it is a failed one."""
    monkeypatch.setattr(runner, "LIMIT_SECONDS", 0.0)
    [result] = runner.run_all(["C24 soak of one warm worker"], "full", "1")
    assert not result.ok


def test_a_seed_repeats_a_run() -> None:
    """With the same faults and duplicates; another seed makes another run."""
    [campaign] = [each for each in CAMPAIGNS if each.name == "C23 everything at once"]
    one, two, other = (run_campaign(campaign, 8, seed) for seed in ("1", "1", "2"))
    assert (one.faults, one.duplicates) == (two.faults, two.duplicates)
    assert one.faults != other.faults


def test_the_report_shows_what_failed(tmp_path: Path) -> None:
    """As Markdown and as JSON."""
    results = [
        CampaignResult("C1", 10, 5, 1, 0, 2, 0.5, ok=False, control=False),
        CampaignResult("C14", 10, 5, 1, 0, 2, 0.5, ok=True, control=True),
    ]
    text = markdown(results, "small", "7")
    assert "1 of 2 passed (SIZE=small SEED=7)" in text
    assert "| C1 | 10 | 5 | 1 | 0 | 2 | 0.5 | **BROKEN** |" in text
    assert "| C14 | 10 | 5 | 1 | 0 | 2 | 0.5 | detected |" in text
    save(results, "small", "7", tmp_path / "report.json")
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


def test_the_promises_are_shown_by_the_last_full_run_of_the_campaigns() -> None:
    """Each figure comes from tests/fault_injection/report.json; `make campaigns` prints it."""
    size, rows = load()
    document = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    cells = dict(re.findall(r"^\| (P\d) \|.*\| (.*) \|$", document, re.MULTILINE))
    assert cells == {"P4": cells["P4"]} | figures(rows)
    assert size == "full"
    assert all(row.ok for row in rows)
