"""Turns each expected error into one line that says what to do; the CLI's own error, exit codes."""

from typing import TYPE_CHECKING

import click

from payresult_cli.formatting import printable

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

FAILED = 2
"""Exit code: the command was not carried out; the line on stderr says what to do."""

INTERRUPTED = 130
"""Exit code: stopped by Ctrl-C or SIGTERM."""

_LOG_IN = "log in or set AWS_PROFILE; --sandbox needs no credentials"

_INVALID_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_ACCESS_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
}
_NOT_FOUND = {
    "ResourceNotFoundException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
}


class CommandError(click.ClickException):
    """The command cannot be carried out; the message says in one line why and what to do."""


def error_message(error: Exception) -> str | None:
    """Return the line to print about *error*, None if it is a bug of this program."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    text = error_text(error)
    return None if text is None else f"payresult: {text}"


def error_text(error: Exception) -> str | None:
    """Return *error* in words, printable on one line; None if it is a bug of this program."""
    text = _click_text(error) if isinstance(error, click.ClickException) else _other_text(error)
    return None if text is None else printable(text)


def is_access_denied(error: "ClientError") -> bool:
    """Return True if a permission is missing."""
    return error.response["Error"]["Code"] in _ACCESS_DENIED


def _click_text(error: click.ClickException) -> str:
    if not isinstance(error, click.UsageError):
        return error.format_message()
    command = error.ctx.command_path if error.ctx else "payresult"
    return f"{error.format_message()} (see {command} --help)"


def _other_text(error: Exception) -> str | None:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - not for a typo

    from payresult.errors import PayresultError  # noqa: PLC0415 - as above

    if isinstance(error, ClientError):
        return _aws_text(error)
    if isinstance(error, BotoCoreError):
        return _botocore_text(error)
    if isinstance(error, OSError):
        return ": ".join(filter(None, (error.filename, error.strerror))) or str(error)
    return str(error) if isinstance(error, PayresultError) else None


def _aws_text(error: "ClientError") -> str:
    """Return the text for an error that an AWS service returned."""
    code = error.response["Error"]["Code"]
    call = error.operation_name
    if code in _INVALID_CREDENTIALS:
        return f"AWS rejects these credentials ({code}): {_LOG_IN}"
    if is_access_denied(error):
        return f"these credentials may not call {call}: docs/operations.md lists the permissions"
    if code in _NOT_FOUND:
        return (
            f"{call}: a resource of the stack does not exist ({code}): is the stack being deleted?"
        )
    return f"{call}: AWS returned {code}: {error.response['Error'].get('Message', '')}"


def _botocore_text(error: "BotoCoreError") -> str:
    """Return the text for an error of botocore itself, before AWS answered."""
    from botocore import exceptions as aws  # noqa: PLC0415 - as above

    if isinstance(error, aws.NoRegionError):
        return "no AWS region: set AWS_REGION, or use --sandbox"
    if isinstance(error, aws.ProfileNotFound):
        return f"{error}: check AWS_PROFILE"
    if isinstance(error, aws.HTTPClientError | aws.ConnectionError):
        return f"{error}: check the network, and that the sandbox is running"
    kind = type(error).__name__
    if any(word in kind for word in ("Credential", "Token", "SSO", "Login")):
        return f"no AWS credentials ({kind}): {_LOG_IN}"
    return f"{kind}: {error}"
