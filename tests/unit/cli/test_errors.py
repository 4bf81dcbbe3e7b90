"""`payresult_cli.errors`: an error from outside is one line; a bug keeps its traceback."""

import pytest
from botocore import exceptions as aws

from payresult.errors import InvalidInput
from payresult_cli.context import Dependencies
from payresult_cli.stack import Stack
from tests.unit.cli.cli_runner import run


def refused_by_aws(code: str) -> aws.ClientError:
    """Return an error that AWS answered with."""
    return aws.ClientError({"Error": {"Code": code, "Message": "Stack with id mine"}}, "Scan")


def failing(error: BaseException) -> Dependencies:
    """Return edges where the very first step fails."""

    def find(_stack: str, *, sandbox: bool) -> Stack:
        assert not sandbox
        raise error

    return Dependencies(find=find)


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
