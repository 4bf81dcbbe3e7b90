"""What goes wrong outside of us, as one line that says what to do. Errors of our own pass by."""

from typing import TYPE_CHECKING

from payresult_cli.formatting import printable

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_LOG_IN = "log in or set AWS_PROFILE; --sandbox needs no credentials"

_KEYS_REFUSED = {
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
_FORBIDDEN = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
}
_GONE = {
    "ResourceNotFoundException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
}


class CommandError(Exception):
    """It cannot be done; the text says in one line why, and what to do."""


def error_message(error: BaseException) -> str | None:
    """Return the one line about *error*, or None if it is a fault of this program."""
    line = _words(error)
    return None if line is None else f"payresult: {printable(line)}"


def _words(error: BaseException) -> str | None:
    if isinstance(error, CommandError):
        return str(error)
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - not for a typo

    from payresult.errors import PayresultError  # noqa: PLC0415 - as above

    if isinstance(error, ClientError):
        return _refused_by_aws(error)
    if isinstance(error, BotoCoreError):
        return _before_aws(error)
    if isinstance(error, OSError):
        return ": ".join(filter(None, (error.filename, error.strerror))) or str(error)
    return str(error) if isinstance(error, PayresultError) else None


def _refused_by_aws(error: "ClientError") -> str:
    code = error.response["Error"]["Code"]
    call = error.operation_name
    if code in _KEYS_REFUSED:
        return f"AWS refuses these credentials ({code}): {_LOG_IN}"
    if code in _FORBIDDEN:
        return f"these credentials may not call {call}: docs/operations.md has the policy"
    if code in _GONE:
        return f"{call}: what the stack names is not there any more ({code}): is it being deleted?"
    return f"{call}: AWS says {code}: {error.response['Error'].get('Message', '')}"


def _before_aws(error: "BotoCoreError") -> str:
    from botocore import exceptions as aws  # noqa: PLC0415 - as above

    if isinstance(error, aws.NoRegionError):
        return "no AWS region: set AWS_REGION, or use --sandbox"
    if isinstance(error, aws.ProfileNotFound):
        return f"{error}: AWS_PROFILE names it"
    if isinstance(error, aws.HTTPClientError | aws.ConnectionError):
        return f"{error}: is the network, or the sandbox, up?"
    kind = type(error).__name__
    if any(word in kind for word in ("Credential", "Token", "SSO", "Login")):
        return f"no AWS credentials ({kind}): {_LOG_IN}"
    return f"{kind}: {error}"
