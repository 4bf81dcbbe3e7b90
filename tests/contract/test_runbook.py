"""Contract: docs/operations.md has a section for each alarm, and its commands are valid."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from payresult_cli.app import COMMANDS, payresult
from tests.support.template import FUNCTIONS, ROOT, of_type

RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")
FILES = {"FILE", "answer.txt", "orders.txt", "one.txt", "bill.csv"}


def commands(text: str) -> list[str]:
    """Return each command in *text*: the lines of fenced blocks, and the spans in backticks."""
    lines = [line for block in FENCE.findall(text) for line in block.splitlines()]
    return lines + [" ".join(span.split()) for span in SPAN.findall(FENCE.sub("", text))]


def calls(text: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of `cli/payresult`, without redirections and comments."""
    for line in commands(text):
        if line.startswith("cli/payresult "):
            yield shlex.split(re.split(r" [|>#]", line)[0])[1:]


def sections() -> dict[str, str]:
    """Return each section by its heading."""
    parts = re.split(r"^##+ (.+)\n", RUNBOOK, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def alarms() -> dict[str, str]:
    """Return the description of each alarm in the template by its name."""
    found = of_type("AWS::CloudWatch::Alarm")
    return {name: str(alarm["AlarmDescription"]) for name, alarm in found.items()}


def test_each_alarm_has_its_paragraph_and_no_other_has() -> None:
    """An alarm that is added or renamed in the template is added or renamed here."""
    assert {name for name in sections() if name.endswith("Alarm")} == set(alarms())


@pytest.mark.parametrize("name", alarms())
def test_the_paragraph_of_an_alarm_begins_with_the_same_command(name: str) -> None:
    """The person who was paged has already read the alarm's description."""
    described = re.search(r"First: `(?:cli/payresult (\w+)|aws (\w+))", alarms()[name])
    assert described
    first = re.search(r"First:\s`(?:cli/payresult\s(\w+)|(logs|aws)\s)", sections()[name])
    assert first
    assert first[1] == described[1]


@pytest.mark.parametrize(
    "document",
    ["README.md", *(f"docs/{name}.md" for name in ("operations", "deploy", "provider", "sandbox"))],
)
def test_each_call_of_the_tool_is_one_that_it_takes(document: str, tmp_path: Path) -> None:
    """With its options and values."""
    file = tmp_path / "orders.txt"
    file.touch()
    text = (ROOT / document).read_text(encoding="utf-8")
    for name, *given in calls(text):
        command = payresult.get_command(click.Context(payresult), name)
        assert command, name
        command.make_context(name, [str(file) if each in FILES else each for each in given])


def test_the_runbook_names_every_command() -> None:
    """Each command is documented."""
    assert {name for name, *_ in calls(RUNBOOK)} == set(COMMANDS)


def test_each_log_that_is_asked_for_is_one_of_a_function() -> None:
    """`logs` is the shell function that the page defines."""
    asked = {line.split()[1] for line in commands(RUNBOOK) if line.startswith("logs ")}
    assert asked == {name.lower() for name in FUNCTIONS}
