"""The tool around its commands: help, the stack, and what goes wrong outside of it."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import boto3
import click
import pytest
from botocore import exceptions as aws

from payresult.errors import InvalidInput
from payresult_cli import http_api, stack
from payresult_cli.app import COMMANDS, payresult
from payresult_cli.context import Dependencies
from payresult_cli.stack import Stack
from tests.unit.cli.cli_runner import run

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


def failing(error: BaseException) -> Dependencies:
    """Return edges where the very first step fails."""

    def find(_stack: str, *, sandbox: bool) -> Stack:
        assert not sandbox
        raise error

    return Dependencies(find=find)


def test_help_names_each_command_with_its_own_first_line() -> None:
    """The list is written down apart, so that no command is imported for it."""
    ran = run("--help", edges=Dependencies())
    assert ran.code == 0
    for name, words in COMMANDS.items():
        command = import_module(f"payresult_cli.commands.{name}").command
        assert command.name == name
        assert command.get_short_help_str(100) == words
        assert f"  {name} " in ran.out
        assert run(name, "--help", edges=Dependencies()).code == 0


def test_commands_that_change_something_can_be_tried_and_are_confirmed() -> None:
    """And all can be read by machines."""
    changing = set()
    for name in COMMANDS:
        command = payresult.get_command(click.Context(payresult), name)
        assert command
        options = {option for each in command.params for option in each.opts}
        assert {"--stack", "--sandbox", "--json"} < options
        if {"--dry-run", "--yes"} < options:
            changing.add(name)
    assert changing == {"accept", "follow", "redrive", "republish"}


@pytest.mark.parametrize("arguments", [[], ["nix"], ["explain"], ["list", "--nix"]])
def test_a_bad_command_line_is_not_carried_out(arguments: list[str]) -> None:
    """Exit code 2; without a command, the help."""
    ran = run(*arguments, edges=Dependencies())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("payresult: " if arguments else "Usage: ")


TROUBLE: list[tuple[BaseException, str]] = [
    (aws.NoCredentialsError(), "no AWS credentials (NoCredentialsError)"),
    (aws.PartialCredentialsError(provider="env", cred_var="x"), "no AWS credentials"),
    (aws.UnauthorizedSSOTokenError(), "no AWS credentials"),
    (aws.SSOTokenLoadError(error_msg="x"), "no AWS credentials"),
    (aws.NoRegionError(), "set AWS_REGION"),
    (aws.ProfileNotFound(profile="x"), "AWS_PROFILE"),
    (aws.EndpointConnectionError(endpoint_url="https://a.invalid"), "is the network"),
    (aws.ConnectTimeoutError(endpoint_url="https://a.invalid"), "is the network"),
    (aws.ParamValidationError(report="odd"), "ParamValidationError"),
    (refused_by_aws("AccessDeniedException"), "may not call Scan: docs/operations.md"),
    (refused_by_aws("ExpiredTokenException"), "AWS refuses these credentials"),
    (refused_by_aws("ResourceNotFoundException"), "is not there any more"),
    (refused_by_aws("ThrottlingException"), "Scan: AWS says ThrottlingException: Stack with"),
    (PermissionError(13, "Permission denied", "bill.csv"), "bill.csv: Permission denied"),
    (OSError("odd"), "odd"),
    (InvalidInput("payId", "must be\x1b text"), "payId: must be\\x1b text"),
    (KeyboardInterrupt(), "stopped"),
]


@pytest.mark.parametrize(("error", "said"), TROUBLE)
def test_what_goes_wrong_outside_is_one_line(error: BaseException, said: str) -> None:
    """That says what to do; exit code 2, or 130 after Ctrl-C."""
    ran = run("list", edges=failing(error))
    assert ran.code == (130 if isinstance(error, KeyboardInterrupt) else 2)
    assert ran.out == ""
    [*_, line] = ran.err.splitlines()
    assert line.startswith("payresult: ")
    assert said in line


def test_a_fault_of_the_tool_itself_is_not_hushed_up() -> None:
    """Its traceback is what the maintainers need."""
    with pytest.raises(ZeroDivisionError):
        run("list", edges=failing(ZeroDivisionError()))


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


@pytest.mark.parametrize("missing", ["get_credentials", "region_name"])
def test_a_call_is_not_sent_unsigned(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials or without a region there is nothing to sign with."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if missing == "get_credentials":
            monkeypatch.delenv(name)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if missing == "region_name":
            monkeypatch.delenv(name)
    here = found(described(OUTPUTS, PARAMETERS))
    unsigned = Stack(
        **{name: getattr(here, name) for name in here.__slots__} | {"session": boto3.Session()}
    )
    expected: Callable[..., Exception] = (
        aws.NoCredentialsError if missing == "get_credentials" else aws.NoRegionError
    )
    with pytest.raises(cast("type[Exception]", expected)):
        http_api.post(unsigned, "/payments/query", {})
