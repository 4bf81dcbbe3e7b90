"""Contract with the template: a stack is found by its outputs and parameters, or named."""

import json
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore import exceptions as aws

from payresult.aws.items import SCHEMA_VERSION
from payresult_cli.errors import CommandError
from payresult_cli.stack import Stack, find_sandbox, find_stack
from tests.support.template import TEMPLATE

OUTPUTS = {
    "ApiUrl": "https://api.invalid",
    "ChecksQueueUrl": "https://sqs.invalid/checks",
    "DeadLetterQueueUrl": "https://sqs.invalid/dead",
    "TableName": "payments",
    "SchemaVersion": str(SCHEMA_VERSION),
}
PARAMETERS = {
    "PartnerCode": "P000818",
    "CheckDelays": "5,10",
    "FailedPayRstValues": "",
    "RetentionDays": "400",
}


class Session:
    """A session, its CloudFormation client and the client's meta: knows one stack, or raises."""

    region_name = "eu-central-1"

    def __init__(self, stack: dict[str, Any] | None, error: Exception | None = None) -> None:
        self._stack = stack
        self._error = error
        self.meta = self

    def client(self, service: str, *_: object, endpoint_url: str | None, config: object) -> Any:
        """Return itself as the client."""
        assert (service, endpoint_url, bool(config)) == ("cloudformation", None, True)
        return self

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS
        """Return the stack."""
        assert StackName == "mine"
        if self._error:
            raise self._error
        return {"Stacks": [self._stack]}


def description(outputs: dict[str, str], parameters: dict[str, str]) -> dict[str, Any]:
    """Return a stack as CloudFormation describes it."""
    return {
        "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()],
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
    }


def client_error(code: str) -> aws.ClientError:
    """Return an error that CloudFormation returned."""
    error = {"Error": {"Code": code, "Message": "Stack with id mine"}}
    return aws.ClientError(error, "DescribeStacks")  # type: ignore[arg-type]  # fewer keys than AWS sends


def find(stack: dict[str, Any] | None, error: Exception | None = None) -> Stack:
    """Return the stack that CloudFormation describes so."""
    return find_stack(cast("boto3.Session", Session(stack, error)), "mine")


def test_stack_is_found_by_its_outputs_and_parameters() -> None:
    """The user gives its name only."""
    stack = find(description(OUTPUTS, PARAMETERS))
    assert (stack.table_name, stack.partner_code, stack.api_url) == (
        "payments",
        "P000818",
        "https://api.invalid",
    )
    assert (stack.check_delays, stack.failed_pay_rst_values) == ("5,10", "")
    assert stack.retention_days == 400


@pytest.mark.parametrize("name", [*OUTPUTS, *PARAMETERS])
def test_stack_without_an_output_or_parameter_is_rejected(name: str) -> None:
    """It is not payresult's, or its deployment is not complete."""
    outputs = {key: value for key, value in OUTPUTS.items() if key != name}
    parameters = {key: value for key, value in PARAMETERS.items() if key != name}
    with pytest.raises(CommandError, match=f"stack 'mine' has no {name}"):
        find(description(outputs, parameters))
    with pytest.raises(CommandError, match="has no SchemaVersion"):
        find({})


def test_stack_that_stores_payments_in_another_version_is_rejected() -> None:
    """The CLI would write items that the deployed functions leave alone."""
    with pytest.raises(CommandError, match="stores payments in version 2, this clone in version 1"):
        find(description(OUTPUTS | {"SchemaVersion": "2"}, PARAMETERS))
    assert TEMPLATE["Outputs"]["SchemaVersion"]["Value"] == str(SCHEMA_VERSION)


def test_missing_stack_is_named_with_its_region() -> None:
    """Any other error of AWS passes through."""
    with pytest.raises(CommandError, match="no stack 'mine' in eu-central-1: name it with --stack"):
        find(None, client_error("ValidationError"))
    with pytest.raises(aws.ClientError):
        find(None, client_error("AccessDenied"))


def test_sandbox_without_a_valid_outputs_file_is_named(tmp_path: Path) -> None:
    """A missing file: no sandbox runs, or its demo still does. An invalid one is another error."""
    outputs = tmp_path / "outputs.json"
    with pytest.raises(CommandError, match="start it with `make sandbox`, and wait for the end of"):
        find_sandbox(outputs)
    for text in ("{", json.dumps({"region": "eu-central-1"})):
        outputs.write_text(text)
        with pytest.raises(CommandError, match="is not a valid sandbox file"):
            find_sandbox(outputs)
