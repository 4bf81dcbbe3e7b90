"""Contract of `payresult doctor` on the sandbox: all lines, each broken thing, each permission."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from payresult_cli.doctor.run import CHECKS
from sandbox.credentials import Credentials
from sandbox.deploy import STACK_NAME
from sandbox.packages import ROOT
from sandbox.waiting import wait_for
from tests.integration.conftest import RunCli, System, run_as
from tests.support.commands import CommandResult

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient

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
    """Exit code 0."""
    result = doctor("--json")
    expected = {check.name: "unchecked" if check.emulator else "ok" for check in CHECKS}
    assert states(result) == expected
    assert result.code == 0


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


def test_a_function_that_is_switched_off_has_its_line(doctor: RunCli, system: System) -> None:
    """As docs/operations.md does it for a restore."""
    functions: LambdaClient = system.sandbox.credentials.client("lambda")
    name = system.sandbox.stack["PublisherFunctionName"]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        assert states(doctor("--json"))["reserved"] == "attention"
    finally:
        functions.delete_function_concurrency(FunctionName=name)


def test_an_alarm_that_was_deleted_has_its_line(doctor: RunCli, system: System) -> None:
    """By its name in the template."""
    alarms: Any = system.sandbox.credentials.client("cloudwatch")
    [alarm] = [
        each
        for each in alarms.describe_alarms()["MetricAlarms"]
        if "QueueAgeAlarm" in each["AlarmName"]
    ]
    alarms.delete_alarms(AlarmNames=[alarm["AlarmName"]])
    try:
        [line] = [each for each in doctor("--json").records if each["check"] == "alarms"]
        assert line["text"].startswith("deleted: QueueAgeAlarm")
    finally:
        settings = alarms.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
        alarms.put_metric_alarm(**{name: alarm[name] for name in settings if name in alarm})


def test_a_payment_in_review_and_a_dead_letter_have_their_lines(
    doctor: RunCli, cli: RunCli, system: System
) -> None:
    """Each names the command that shows more. Both are gone afterwards: other tests see all ok."""
    system.client.put("wrong-doctor", expectedAmount="19.99")
    wait_for("REVIEW", lambda: system.client.status("wrong-doctor") == "REVIEW", 20)
    with system.short_visibility():
        system.client.send("no JSON")
        wait_for("the dead letter", lambda: "no JSON" in system.client.dead_letters(), 60)
    result = doctor()
    sqs = system.sandbox.credentials.client("sqs")
    sqs.purge_queue(QueueUrl=system.sandbox.stack["DeadLetterQueueUrl"])
    cli("close", "wrong-doctor", "--reason", "seen", "--yes")
    assert result.code == 1
    assert re.search(
        r"^ATTENTION +attention +1 REVIEW: `cli/payresult list", result.out, re.MULTILINE
    )
    assert re.search(
        r"^ATTENTION +dead letters +1 message: `cli/payresult redrive", result.out, re.MULTILINE
    )


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
