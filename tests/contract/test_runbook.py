"""Contract: docs/operations.md has a section for each alarm, and its commands are valid."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import boto3
import click
import pytest
from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]  # it has none
from moto import mock_aws

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


def run_aws(lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Run `aws` commands of the page; the answer goes into the file after ">"."""
    for line in lines:
        command, _, file = line.replace("$stack", "payresult").partition(" > ")
        assert create_clidriver().main(shlex.split(command)[1:]) == 0, command
        answer = capsys.readouterr().out
        if file:
            Path(file).write_text(answer, encoding="utf-8")


def test_after_a_replay_the_bus_has_its_policy_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deployment would not put it back, and others could send events."""
    monkeypatch.chdir(tmp_path)
    [block] = [it for it in FENCE.findall(RUNBOOK) if "remove-permission" in it]
    *before, after = block.splitlines()
    with mock_aws():
        events = boto3.client("events")
        bus = events.create_event_bus(Name="payresult")["EventBusArn"]
        statement = {"Sid": "OnlyPublisherAndSweeperSend", "Effect": "Deny", "Principal": "*"}
        statement |= {"Action": "events:PutEvents", "Resource": bus}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        events.put_permission(EventBusName="payresult", Policy=json.dumps(policy))
        run_aws(before, capsys)
        assert "Policy" not in events.describe_event_bus(Name="payresult")
        run_aws([after], capsys)
        found = events.describe_event_bus(Name="payresult")["Policy"]
    assert json.loads(found) == policy


def test_the_commands_that_set_back_what_was_changed_by_hand_are_valid() -> None:
    """Their options: nothing is sent."""
    [block] = FENCE.findall(sections()["What was changed by hand"])
    lines = block.replace("\\\n", " ").replace("$stack", "payresult").splitlines()
    for line in lines:
        # Of a waiter the AWS CLI has no skeleton: it takes the options of what it asks.
        command = line.partition(" > ")[0].replace(
            " wait change-set-create-complete ", " describe-change-set "
        )
        given = ["[]" if each.startswith("file://") else each for each in shlex.split(command)[1:]]
        assert create_clidriver().main([*given, "--generate-cli-skeleton", "input"]) == 0, line
