"""Contract of the command line: an expected error is one line; a bug keeps its traceback."""

import pytest
from botocore import exceptions as aws

from payresult.errors import InvalidInput
from payresult_cli.context import Dependencies
from payresult_cli.stack import Stack
from tests.support.commands import run


def client_error(code: str) -> aws.ClientError:
    """Return an error that AWS returned for a Scan."""
    return aws.ClientError({"Error": {"Code": code, "Message": "Stack with id mine"}}, "Scan")


def raising(error: BaseException) -> Dependencies:
    """Return dependencies that raise *error* when the stack is loaded."""

    def load_stack(_name: str, *, sandbox: bool) -> Stack:
        assert not sandbox
        raise error

    return Dependencies(load_stack=load_stack)


MESSAGES: list[tuple[BaseException, str]] = [
    (aws.NoCredentialsError(), "no AWS credentials (NoCredentialsError)"),
    (aws.PartialCredentialsError(provider="env", cred_var="x"), "no AWS credentials"),
    (aws.UnauthorizedSSOTokenError(), "no AWS credentials"),
    (aws.SSOTokenLoadError(error_msg="x"), "no AWS credentials"),
    (aws.NoRegionError(), "set AWS_REGION"),
    (aws.ProfileNotFound(profile="x"), "check AWS_PROFILE"),
    (aws.EndpointConnectionError(endpoint_url="https://a.invalid"), "check the network"),
    (aws.ConnectTimeoutError(endpoint_url="https://a.invalid"), "check the network"),
    (aws.ParamValidationError(report="odd"), "ParamValidationError"),
    (client_error("AccessDeniedException"), "may not call Scan: docs/operations.md"),
    (client_error("ExpiredTokenException"), "AWS rejects these credentials"),
    (client_error("ResourceNotFoundException"), "does not exist (ResourceNotFoundException)"),
    (client_error("ThrottlingException"), "Scan: AWS returned ThrottlingException: Stack with"),
    (PermissionError(13, "Permission denied", "bill.csv"), "bill.csv: Permission denied"),
    (OSError("odd"), "odd"),
    (InvalidInput("payId", "must be\x1b text"), "payId: must be\\x1b text"),
    (KeyboardInterrupt(), "stopped"),
]


@pytest.mark.parametrize(("error", "expected"), MESSAGES)
def test_expected_error_is_one_line(error: BaseException, expected: str) -> None:
    """Exit code 2, or 130 after Ctrl-C; nothing on stdout."""
    result = run("list", dependencies=raising(error))
    assert result.code == (130 if isinstance(error, KeyboardInterrupt) else 2)
    assert result.out == ""
    [*_, line] = result.err.splitlines()
    assert line.startswith("payresult: ")
    assert expected in line


def test_bug_keeps_its_traceback() -> None:
    """Maintainers need it."""
    with pytest.raises(ZeroDivisionError):
        run("list", dependencies=raising(ZeroDivisionError()))
