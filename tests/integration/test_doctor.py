"""Contract of `payresult doctor` on the sandbox: all lines, each broken thing, each permission."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

import pytest

from payresult_cli.doctor.run import CHECKS
from sandbox.credentials import Credentials
from sandbox.deploy import STACK_NAME
from sandbox.packages import ROOT
from tests.integration.conftest import RunCli, System, run_as
from tests.support.commands import CommandResult

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

EMULATED_ACTIONS = ("lambda:ListLayers", "lambda:PutFunctionConcurrency")
"""What the emulator demands for GetLayerVersionByArn and GetFunctionConcurrency; AWS demands
lambda:GetLayerVersion and lambda:GetFunctionConcurrency (AWS, "Actions, resources, and condition
keys for AWS Lambda"). It demands nothing for GetAccountSettings."""


@pytest.fixture
def doctor(system: System, cli: RunCli) -> RunCli:
    """Return a function that runs doctor on the system, after a first sweep."""
    system.client.sweep()
    return partial(cli, "doctor")


def states(result: CommandResult) -> dict[str, str]:
    """Return the state of each check."""
    return {each["check"]: each["state"] for each in result.records}


def policy() -> dict[str, list[dict[str, str | list[str]]]]:
    """Return the policy in docs/operations.md."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```\n({.*?)^```\n", text, re.DOTALL | re.MULTILINE)
    found: dict[str, list[dict[str, str | list[str]]]] = json.loads(block)
    return found


def test_every_line_is_ok_or_says_that_the_emulator_cannot_show_it(doctor: RunCli) -> None:
    """Exit code 0; the alarms are found by their names."""
    result = doctor("--json")
    expected = {check.name: "unchecked" if check.emulator else "ok" for check in CHECKS}
    assert states(result) == expected
    assert result.code == 0
    [alarms] = [each["text"] for each in result.records if each["check"] == "alarms"]
    assert re.fullmatch(r"all [1-9]\d exist", alarms)


def test_a_mapping_that_is_disabled_has_its_line(doctor: RunCli, system: System) -> None:
    """And no other line changes; the command in the line is AWS's."""
    with system.queue_off():
        result = doctor("--json")
    assert result.code == 1
    [line] = [each for each in result.records if each["state"] == "attention"]
    assert line["check"] == "queue mapping"
    assert "update-event-source-mapping --enabled --uuid " in line["text"]
    with system.stream_off():
        assert states(doctor("--json"))["stream mapping"] == "attention"
    assert states(doctor("--json"))["stream mapping"] == "ok"


def test_without_permissions_each_line_names_the_one_that_is_missing(system: System) -> None:
    """All that can be checked is checked."""
    user = system.sandbox.credentials.create_user("doctor-none", "cloudformation:DescribeStacks")
    found = _run_as(system, user)
    assert {n for n, it in found.items() if it["state"] == "ok"} == {"stack", "account"}
    for check in CHECKS:
        record = found[check.name]
        if record["state"] == "denied":
            assert any(f"lack {each}" in record["text"] for each in check.permissions), record


def test_the_policy_of_the_documents_is_what_doctor_needs(system: System) -> None:
    """Its actions are those of the checks; with them alone no line lacks a permission.

    The emulator's stack has other names and another account: resources are compared on AWS only.
    """
    needed = {permission for check in CHECKS for permission in check.permissions}
    document = policy()
    granted: list[str] = []
    for statement in document["Statement"]:
        action = statement["Action"]
        granted += [action] if isinstance(action, str) else action
    assert sorted(granted) == sorted(needed)

    user = system.sandbox.credentials.create_user("doctor-policy", "cloudformation:DescribeStacks")
    iam: IAMClient = system.sandbox.credentials.client("iam")
    statement = {"Effect": "Allow", "Action": [*granted, *EMULATED_ACTIONS], "Resource": "*"}
    iam.put_user_policy(
        UserName="doctor-policy",
        PolicyName="only",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    assert "denied" not in {each["state"] for each in _run_as(system, user).values()}


def _run_as(system: System, user: Credentials) -> dict[str, dict[str, str]]:
    """Return the record of each check for *user*; the API is called at its own address."""
    sandbox = system.sandbox
    api_url = f"{sandbox.credentials.endpoint}/_aws/execute-api/{sandbox.stack['ApiId']}"
    found = run_as(user, api_url, "doctor", "--json", "--stack", STACK_NAME)
    return {each["check"]: each for each in found.records}
