"""Contract of README.md: short, in its order, and true of template, statuses and guarantees."""

import json
import re
from collections import defaultdict

import pytest

from payresult.domain.payment import Status
from sandbox.credentials import root_credentials
from sandbox.environment import Sandbox
from sandbox.scenarios import scenario_of_pay_id
from tests.support.markdown import CODE, FENCE, read
from tests.support.template import ROOT, TEMPLATE

README = read(ROOT / "README.md")
CHINESE = read(ROOT / "README.zh-CN.md")

MAX_LINES = 150
MAX_ROW = 125
"""Characters of a row without the targets of its links: what a screen shows on one line."""

SECTIONS = [
    *("Is this for me?", "Quick start", "How it works", "Statuses", "Guarantees"),
    *("Project layout", "Glossary"),
]


def section(title: str) -> str:
    """Return the text of a section."""
    return README.text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_readme_stays_short() -> None:
    """A reader can get an overview quickly; the Chinese one needs a line for each anchor."""
    assert len(README.text.splitlines()) <= MAX_LINES
    assert len(CHINESE.text.splitlines()) <= MAX_LINES + len(SECTIONS)


def test_the_readme_answers_in_this_order() -> None:
    """For whom, how to try it, how it works, what to do, what is promised, where things are."""
    assert re.findall(r"^## (.+)$", README.prose, re.MULTILINE) == SECTIONS
    _, _, first, *_ = README.text.splitlines()
    assert first.startswith("**payresult ")
    assert first.endswith(".**")


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_no_table_is_wider_than_a_screen(name: str) -> None:
    """On the page of a repository."""
    assert [row for row in read(ROOT / name).rows if len(row) > MAX_ROW] == []


def test_each_status_has_a_row() -> None:
    """All of them, and only those."""
    rows = re.findall(r"^\| `([A-Z]+)` \|", section("Statuses"), re.MULTILINE)
    assert sorted(rows) == sorted(Status)


def test_a_succeeded_payment_was_paid_and_may_have_been_refunded_since() -> None:
    """It is never asked about again, and a reader must not take it for more."""
    assert re.search(r"\| `SUCCEEDED` \|[^|]*\brefund", section("Statuses"))


def test_each_guarantee_has_a_line() -> None:
    """Those of docs/testing.md, in their order."""
    lines = re.findall(r"^(\d)\. ", section("Guarantees"), re.MULTILINE)
    named = re.findall(r"^\* \*\*P(\d), ", read(ROOT / "docs" / "testing.md").text, re.MULTILINE)
    assert lines == named == [str(number) for number in range(1, 9)]


def test_the_pay_ids_of_the_sandbox_do_what_the_table_says() -> None:
    """Each has a scenario of its own, and a number is the check that is answered as paid."""
    cells = [row.split("|")[1] for row in README.rows]
    pay_ids = [code for cell in cells for code in CODE.findall(cell) if code.endswith("-7")]
    scenarios = {pay_id: scenario_of_pay_id(pay_id) for pay_id in pay_ids}
    assert len(set(scenarios.values())) == len(pay_ids) == 9
    for pay_id, scenario in scenarios.items():
        assert scenario.paid_at == (3 if "3-" in pay_id else 1 if pay_id == "paid-7" else None)


def test_the_event_is_a_part_of_one() -> None:
    """With the keys of the envelope and of `detail`."""
    [block] = [block for _, language, block in FENCE.findall(README.text) if language == "json"]
    shown = json.loads(block)
    sample = json.loads((ROOT / "events" / "payment-succeeded.json").read_text(encoding="utf-8"))
    assert shown.keys() <= sample.keys()
    for part, fields in shown["detail"].items():
        assert fields.keys() <= sample["detail"][part].keys()


def test_commands_ask_the_sandbox_for_what_it_writes_down() -> None:
    """Each `$(sandbox/out name)` is a key of outputs.json."""
    written = Sandbox(root_credentials("http://localhost"), defaultdict(str), "", "", None).outputs
    documents = (README, read(ROOT / "docs" / "sandbox.md"))
    asked = {name for it in documents for name in re.findall(r"\$\(sandbox/out (\w+)\)", it.text)}
    assert asked
    assert asked <= set(written)


def test_the_tables_of_parameters_are_those_of_the_template() -> None:
    """All of them, by its groups; defaults in digits or code are the template's."""
    text = read(ROOT / "docs" / "deploy.md").text
    tables = text.partition("\n## Parameters\n")[2].partition("\n## ")[0].split("\n**")[1:]
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert len(tables) == len(groups)
    for table, group in zip(tables, groups, strict=True):
        found = settings(table)
        assert set(found) == set(group["Parameters"])
        for name, told in found.items():
            check_default(name, told)


def settings(table: str) -> dict[str, str]:
    """Return the default of each parameter of a table; a row may name several."""
    rows = re.findall(r"^\| (`.+?`) \| (.*?) \| .*\|$", table, re.MULTILINE)
    found: dict[str, str] = {}
    for names, defaults in rows:
        codes = CODE.findall(names)
        told = defaults.split(", ") if len(codes) > 1 and ", " in defaults else [defaults]
        found |= dict(zip(codes, told * len(codes) if len(told) == 1 else told, strict=False))
    return found


def check_default(name: str, told: str) -> None:
    """Compare what a table says of a default with the template; "empty" means empty."""
    parameter = TEMPLATE["Parameters"][name]
    if told == "none":
        assert "Default" not in parameter
    elif told == "empty":
        assert parameter["Default"] == ""
    elif told.isdigit() or told.startswith("`"):
        assert str(parameter["Default"]) == told.strip("`"), name
