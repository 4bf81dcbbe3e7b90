"""`payresult_cli.stack`: a stack is found by its outputs and parameters."""

import json
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore import exceptions as aws

from payresult_cli import stack
from payresult_cli.stack import Stack

OUTPUTS = {
    "ApiUrl": "https://api.invalid",
    "ChecksQueueUrl": "https://sqs.invalid/checks",
    "DeadLetterQueueUrl": "https://sqs.invalid/dead",
    "TableName": "payments",
}
PARAMETERS = {"PartnerCode": "P000818", "CheckDelays": "5,10", "FailedPayRstValues": ""}


class Session:
    """A session in which CloudFormation knows one stack, or raises an error."""

    region_name = "eu-central-1"

    def __init__(self, stack: dict[str, Any] | None, error: Exception | None = None) -> None:
        self._stack = stack
        self._error = error
        self.endpoint: str | None = None
        self.meta = self

    def client(self, service: str, *_: object, endpoint_url: str | None, config: object) -> Any:
        """Return itself as the client."""
        assert (service, bool(config)) == ("cloudformation", True)
        self.endpoint = endpoint_url
        return self

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS
        """Return the stack."""
        assert StackName == "mine"
        if self._error:
            raise self._error
        return {"Stacks": [self._stack]}


def described(outputs: dict[str, str], parameters: dict[str, str]) -> dict[str, Any]:
    """Return a stack as CloudFormation describes it."""
    return {
        "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()],
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
    }


def refused_by_aws(code: str) -> aws.ClientError:
    """Return an error that AWS answered with."""
    return aws.ClientError({"Error": {"Code": code, "Message": "Stack with id mine"}}, "Scan")


def found(description: dict[str, Any] | None, error: Exception | None = None) -> Stack:
    """Return the system that CloudFormation describes so."""
    return stack.find_stack(cast("boto3.Session", Session(description, error)), "mine")


def test_a_stack_is_found_by_its_outputs_and_parameters() -> None:
    """Nothing else has to be told to the tool."""
    here = found(described(OUTPUTS, PARAMETERS))
    assert (here.table, here.partner_code, here.api_url) == (
        "payments",
        "P000818",
        "https://api.invalid",
    )
    assert (here.check_delays, here.failed_pay_rst_values) == ("5,10", "")


@pytest.mark.parametrize("name", [*OUTPUTS, *PARAMETERS])
def test_a_stack_that_is_not_payresults_is_refused(name: str) -> None:
    """Or one whose deployment never came to its end."""
    outputs = {key: value for key, value in OUTPUTS.items() if key != name}
    parameters = {key: value for key, value in PARAMETERS.items() if key != name}
    with pytest.raises(Exception, match=f"stack 'mine' has no {name}"):
        found(described(outputs, parameters))
    with pytest.raises(Exception, match="has no PartnerCode"):
        found({})


def test_a_stack_that_is_not_there_is_refused_with_its_region() -> None:
    """Any other error of AWS passes through."""
    with pytest.raises(Exception, match="no stack 'mine' in eu-central-1: name it with --stack"):
        found(None, refused_by_aws("ValidationError"))
    with pytest.raises(aws.ClientError):
        found(None, refused_by_aws("AccessDenied"))


def test_the_sandbox_is_found_by_what_it_wrote(tmp_path: Path) -> None:
    """Absent and unreadable are told apart."""
    outputs = tmp_path / "outputs.json"
    with pytest.raises(Exception, match="start it with `make sandbox`"):
        stack.find_sandbox(outputs)
    outputs.write_text("{")
    with pytest.raises(Exception, match="is not what a sandbox writes"):
        stack.find_sandbox(outputs)
    outputs.write_text(json.dumps({"region": "eu-central-1"}))
    with pytest.raises(Exception, match="is not what a sandbox writes"):
        stack.find_sandbox(outputs)
