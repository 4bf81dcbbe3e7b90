"""The committed report is about the code as it is, and mutants are what they are meant to be."""

import os
import subprocess
import sys

import pytest

from tests.mutation import plan, report
from tests.mutation.mutator import fingerprint, mutants
from tests.mutation.report import Key, Row
from tests.mutation.texts import other_patterns, other_texts

GOOD, BAD = Key("decide", "raised", "line", "a -> b"), Key("decide", "judge", "line", "a -> b")


def mutations(source: str) -> list[str]:
    """Return what is changed in *source*."""
    return [mutant.mutation for mutant in mutants("module", source, "module.py")]


def body(*lines: str) -> str:
    """Return a function of *lines*."""
    return "\n".join(["def f(a, b):", *(f"    {line}" for line in lines)])


def test_the_report_is_about_the_code_as_it_is() -> None:
    """Comments and docstrings may change; for the rest it is to be made anew."""
    now = {module: fingerprint(plan.code(module)) for module in plan.TESTS}
    assert report.load()[0] == now, "the report is older than the code: run `make mutants`"


def test_the_report_is_as_it_must_be() -> None:
    """Enough are killed, all where it counts, and each survivor has a reason."""
    _, rows = report.load()
    known = report.reasons()
    assert list(report.complaints(rows, known)) == []
    assert report.SUMMARY.read_text(encoding="utf-8") == report.markdown(rows, known)


def test_what_is_vital_is_there() -> None:
    """A name that is gone would guard nothing."""
    _, rows = report.load()
    vital = {(row.key.module, row.key.function) for row in rows if row.vital}
    assert vital == {(module, name) for module, names in plan.VITAL.items() for name in names}


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
def test_one_thing_is_wrong_in_each_mutant(line: str, expected: set[str]) -> None:
    """In what runs, and not in what only speaks to people or to the type checker."""
    assert set(mutations(body(line))) == expected


def test_branches_and_handlers_are_taken_away() -> None:
    """Both ways of an if, what a handler does, a with, a case."""
    assert mutations(body("if a:", "    b = c")) == ["a: -> True:", "a: -> False:"]
    tried = body("try:", "    b = c", "except E:", "    b = d")
    assert mutations(tried) == ["b = d -> raise"]
    assert mutations(body("with a:", "    b = c")) == ["with a: -> if 1:"]
    matched = body("match a:", "    case E():", "        b = c", "    case F():", "        b = d")
    assert len(mutations(matched)) == 2


def test_a_mutant_says_where_it_is() -> None:
    """By names, for line numbers move."""
    mutant = next(mutants("m", "class C:\n    def f(self):\n        return 1 and 2", "m.py"))
    assert (mutant.module, mutant.function, mutant.line) == ("m", "C.f", "return 1 and 2")


def test_a_condition_goes_wrong_in_each_of_its_parts() -> None:
    """DynamoDB would still take most of them."""
    assert set(other_texts("#a < :b AND c")) == {
        *("", "#a < :b OR c", "#a <= :b AND c", "#a >= :b AND c", "#a < :b", "c"),
    }


def test_a_pattern_goes_wrong_in_each_of_its_parts() -> None:
    """And stays a pattern."""
    assert set(other_patterns(r"[ab]{1,2}\.(c)")) == {
        *(r"[b]{1,2}\.(c)", r"[a]{1,2}\.(c)", r"[ab]\.(c)"),
        *(r"[ab]{2,2}\.(c)", r"[ab]{1,3}\.(c)", r"[ab]{1,2}(c)", r"[ab]{1,2}\.()"),
    }


def test_a_fingerprint_changes_with_the_code_alone() -> None:
    """A better comment makes no report old."""
    plain = fingerprint("def f(a):\n    return a < 1")
    assert fingerprint('"""New."""\ndef f(a):\n    """New."""\n    return (a < 1)  # new') == plain
    assert fingerprint("def f(a):\n    return a < 2") != plain
    assert fingerprint("def f(a):\n    return a <= 1") != plain


@pytest.mark.parametrize(
    ("rows", "known", "expected"),
    [
        ([Row(GOOD, "survived")], {}, "no test notices"),
        ([Row(BAD, "survived")], {BAD: "it is hard"}, "here none may survive"),
        ([Row(GOOD, "killed")], {GOOD: "it is hard"}, "but it does not"),
        ([Row(GOOD, "killed")] * 8 + [Row(GOOD, "survived")], {GOOD: "it is hard"}, "88.9%"),
    ],
)
def test_a_report_that_is_not_as_it_must_be_is_told(
    rows: list[Row], known: report.Reasons, expected: str
) -> None:
    """A survivor without a reason, or where none may be; an old reason; too many survivors."""
    assert any(expected in line for line in report.complaints(rows, known))


def test_a_report_as_it_must_be_has_no_complaints() -> None:
    """A time-out is a kill, and what does the same as the code may live everywhere."""
    rows = [Row(GOOD, "timeout")] * 9 + [Row(BAD, "survived")]
    assert list(report.complaints(rows, {BAD: "equivalent: the same"})) == []


def test_a_run_finds_what_is_wrong() -> None:
    """The whole command, on the few mutants of one module; it writes no report."""
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
    assert "| signing | 18 | 18 | 0 | 0 | 0 | 100.0% |" in ended.stdout
    assert report.REPORT.read_bytes() == before
