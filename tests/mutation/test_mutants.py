"""Contract of the mutation tests: the committed report is current, and mutants are as specified."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation import plan, report
from tests.mutation.mutator import fingerprint, mutants
from tests.mutation.report import MutantKey, MutantResult
from tests.mutation.texts import other_patterns, other_texts

OTHER = MutantKey("domain.decision", "higher_status", "line", "a -> b")
CRITICAL = MutantKey("domain.decision", "status_of_reply", "line", "a -> b")


def mutations(source: str) -> list[str]:
    """Return the mutations of *source*."""
    return [mutant.mutation for mutant in mutants("module", source, "module.py")]


def body(*lines: str) -> str:
    """Return the source of a function with *lines*."""
    return "\n".join(["def f(a, b):", *(f"    {line}" for line in lines)])


def test_the_report_is_current() -> None:
    """After a change of the code it must be made again; comments and docstrings do not count."""
    now = {module: fingerprint(plan.code(module)) for module in plan.TESTS}
    assert report.load()[0] == now, "the report is older than the code: run `make mutants`"


def test_the_report_has_no_violations() -> None:
    """Enough mutants are killed, all in critical functions, and each survivor has a reason."""
    _, results = report.load()
    reasons = report.load_reasons()
    assert list(report.violations(results, reasons)) == []
    assert report.SUMMARY.read_text(encoding="utf-8") == report.markdown(results, reasons)


def test_critical_functions_exist() -> None:
    """Each has at least one mutant."""
    found = {
        (mutant.module, mutant.function)
        for module in plan.CRITICAL
        for mutant in mutants(module, plan.code(module), str(plan.path(module)))
    }
    assert {(module, name) for module, names in plan.CRITICAL.items() for name in names} <= found


@pytest.mark.parametrize("module", plan.TESTS)
def test_the_tests_of_a_module_exist(module: str) -> None:
    """The plan names files of the unit tests."""
    assert [name for name in plan.tests(module) if not Path(name).is_file()] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a = b < 1", {"< -> <=", "< -> >=", "1 -> 2", "1 -> 0"}),
        ("a = b is None", {"nothing -> not"}),
        ("a = b and c", {"and -> or", "and c -> nothing", "b and -> nothing"}),
        ("a = not b", {"not -> nothing"}),
        ("a = b - 2", {"- -> +", "2 -> 3", "2 -> 1"}),
        ("a = True", {"True -> False"}),
        ("a = 'x'", {"'x' -> ''"}),
        ("a.b()", {"a.b() -> pass"}),
        ("return b", {"b -> None"}),
        ("raise E('words')", {"raise E('words') -> pass"}),
        ("a = b if c else d", {"c -> True", "c -> False"}),
        ("a = b(c, d=e)", {"b(c, d=e) -> b(c)"}),
        ("a = {b: c}", {"{b: c} -> {}"}),
        ("a = b[c:]", {"b[c:] -> b[:]"}),
        ("a = [b for b in c if d]", {"c if d] -> c]"}),
        ("a = min(b)", {"min(b) -> max(b)"}),
        ("a = b.lower()", {"b.lower() -> b"}),
        ("a = Status.REVIEW", {"Status.REVIEW -> Status.FAILED"}),
        ("a: list[int, 2] = b", set()),
        ("'words'", set()),
    ],
)
def test_each_mutant_has_one_change(line: str, expected: set[str]) -> None:
    """Only in code with an effect: not in docstrings, error texts and annotations."""
    assert set(mutations(body(line))) == expected


def test_branches_and_handlers_are_mutated() -> None:
    """Both values of an if, the body of a handler, a with, a case."""
    assert mutations(body("if a:", "    b = c")) == ["a: -> True:", "a: -> False:"]
    tried = body("try:", "    b = c", "except E:", "    b = d")
    assert mutations(tried) == ["b = d -> raise"]
    assert mutations(body("with a:", "    b = c")) == ["with a: -> if 1:"]
    matched = body("match a:", "    case E():", "        b = c", "    case F():", "        b = d")
    assert len(mutations(matched)) == 2


def test_a_mutant_names_its_location() -> None:
    """By module, function and line of code, not by a line number."""
    mutant = next(mutants("m", "class C:\n    def f(self):\n        return 1 and 2", "m.py"))
    assert (mutant.module, mutant.function, mutant.line) == ("m", "C.f", "return 1 and 2")


def test_a_condition_is_mutated_in_each_of_its_parts() -> None:
    """Most results are still valid for DynamoDB."""
    assert set(other_texts("#a < :b AND c")) == {
        *("", "#a < :b OR c", "#a <= :b AND c", "#a >= :b AND c", "#a < :b", "c"),
    }


def test_a_pattern_is_mutated_in_each_of_its_parts() -> None:
    """All results are valid patterns."""
    assert set(other_patterns(r"[ab]{1,2}\.(c)")) == {
        *(r"[b]{1,2}\.(c)", r"[a]{1,2}\.(c)", r"[ab]\.(c)"),
        *(r"[ab]{2,2}\.(c)", r"[ab]{1,3}\.(c)", r"[ab]{1,2}(c)", r"[ab]{1,2}\.()"),
    }


def test_a_fingerprint_changes_with_the_code_only() -> None:
    """Not with comments, docstrings and parentheses."""
    plain = fingerprint("def f(a):\n    return a < 1")
    assert fingerprint('"""New."""\ndef f(a):\n    """New."""\n    return (a < 1)  # new') == plain
    assert fingerprint("def f(a):\n    return a < 2") != plain
    assert fingerprint("def f(a):\n    return a <= 1") != plain


@pytest.mark.parametrize(
    ("statuses", "reasons", "expected"),
    [
        ([(OTHER, "survived")], {}, "without a reason"),
        ([(CRITICAL, "survived")], {CRITICAL: "hard to test"}, "in a critical function"),
        ([(OTHER, "killed")], {OTHER: "hard to test"}, "did not survive"),
        ([(OTHER, "killed")] * 8 + [(OTHER, "survived")], {OTHER: "hard to test"}, "88.9%"),
    ],
)
def test_a_violation_is_reported(
    statuses: list[tuple[MutantKey, str]], reasons: report.Reasons, expected: str
) -> None:
    """A survivor without a reason or in a critical function, an old reason, too many survivors."""
    results = [MutantResult(key, status) for key, status in statuses]
    assert any(expected in line for line in report.violations(results, reasons))


def test_timeouts_and_equivalent_mutants_are_no_violations() -> None:
    """A time-out counts as killed; an equivalent mutant may survive in a critical function."""
    results = [MutantResult(OTHER, "timeout")] * 9 + [MutantResult(CRITICAL, "survived")]
    assert list(report.violations(results, {CRITICAL: "equivalent: the same"})) == []


def test_the_command_runs_one_module() -> None:
    """ONLY selects its mutants; no report is written."""
    before = report.REPORT.read_bytes()
    ended = subprocess.run(
        (sys.executable, "-m", "tests.mutation"),
        cwd=plan.ROOT,
        env={**os.environ, "ONLY": "signing"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert re.search(
        r"^\| gateway\.signing \| (\d+) \| \1 \| 0 \| 0 \| 0 \| 100", ended.stdout, re.MULTILINE
    )
    assert report.REPORT.read_bytes() == before
