"""Contract of the mutation tests: the report is of this code, and each survivor is explained."""

from pathlib import Path

import pytest

from tests.mutation import report
from tests.mutation.mutants import CONFIG, ROOT, mutants, path

REPORT = report.load()
KEY = ("domain.registration", "a", "b")


@pytest.mark.parametrize("module", CONFIG["modules"])
def test_the_report_is_of_the_code_as_it_is(module: str) -> None:
    """After a change of the code run ``make mutants``; comments and docstrings do not count."""
    fingerprint = report.fingerprint(path(module).read_text("utf-8"))
    assert REPORT.get(module, {}).get("fingerprint") == fingerprint


def test_each_survivor_has_a_reason_and_what_decides_paid_has_none() -> None:
    """None but equivalent ones, as in the writes of the outbox; and 99 % are killed."""
    assert list(report.violations(REPORT, report.load_reasons())) == []


@pytest.mark.parametrize("module", CONFIG["modules"])
def test_the_tests_and_the_critical_definitions_of_a_module_exist(module: str) -> None:
    """What is renamed is renamed in mutation.toml too."""
    part, code = CONFIG["modules"][module], path(module).read_text("utf-8")
    assert all(Path(ROOT, "tests", f"{name}.py").is_file() for name in part["tests"])
    critical = {*part.get("critical", ())} - {"*"}
    assert [x for x in critical if f"\n{x} =" not in code and f"\ndef {x}(" not in code] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('A = "#a < :b AND c"', ["''", "c", "#a < :b", "#a < :b OR c", "#a <= :b AND c"]),
        ('A = compile(r"[ab]{2}c")', ["[a]{2}c", "[b]{2}c", "[ab]c", "[ab]{3}c", "[ab]{2}"]),
        ("A = b and not c", ["b", "not c", "b or not c", "b and  c"]),
        ("A = b if c < 1 else d", ["b if True else", "b if False", "c <= 1", "c >= 1", "c < 2"]),
        ("A = f(b, c=1)", ["f(b)", "c= 2", "c= 0"]),
        ('A = {1: [b, "c"]}', ["{}", "[b]", '["c"]', "[b, '']"]),
        ("A = min(b.strip()[1:])", ["max(", "b[1:]", "[:]"]),
        ("A = Status.REVIEW is None", ["Status.FAILED", "is not None"]),
        ("def A(): return b", ["return None"]),
        ("def A(b: int | None, *, c: 'C') -> 'C':\n  'text'\n  raise E('text')\n", ["pass"]),
    ],
)
def test_a_mutant_differs_in_one_place(line: str, expected: list[str]) -> None:
    """Never in annotations, docstrings and error texts, which change nothing."""
    found = [mutant.now for mutant in mutants("module", line)]
    assert [text for text in expected if not any(text in now for now in found)] == []
    assert not [now for now in found if "text" in line and now != "pass"]


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ({}, "survived in a critical definition, and is not equivalent"),
        ({KEY: "hard to test"}, "survived in a critical definition, and is not equivalent"),
        ({KEY: "equivalent: the same", (*KEY[:2], "c"): "old"}, "did not survive"),
    ],
)
def test_a_violation_is_told(reasons: dict[report.Key, str], expected: str) -> None:
    """A survivor that may not be, a reason that is out of date."""
    survivor = {"in": "amount_matches", "was": "a", "now": "b"}
    part = {"mutants": 500, "survived": 1, "survivors": [survivor]}
    told = list(report.violations({KEY[0]: part}, reasons))
    assert [text.split(":")[0] for text in told] == [expected]


def test_enough_are_killed_of_those_that_are_not_equivalent() -> None:
    """Nobody can kill the others."""
    survivor = {"in": "paid_at", "was": "a", "now": "b"}
    found = {"domain.reply": {"mutants": 50, "survived": 1, "survivors": [survivor]}}
    key = ("domain.reply", "a", "b")
    assert list(report.violations(found, {key: "hard to test"})) == ["only 98.0% killed"]
    assert list(report.violations(found, {key: "equivalent: the same"})) == []


def test_a_fingerprint_changes_with_the_code_only() -> None:
    """Not with comments, docstrings and parentheses."""
    plain = report.fingerprint("def f(a):\n    return a < 1")
    same = '"""New."""\ndef f(a):\n    """New."""\n    return (a < 1)  # new'
    assert report.fingerprint(same) == plain
    assert report.fingerprint("def f(a):\n    return a <= 1") != plain
