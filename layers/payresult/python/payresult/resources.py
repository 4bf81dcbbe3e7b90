"""The AWS resources of a deployment, read from the environment.

Publisher and sweeper parse no input from outside and need no more than this, so it is written
without pydantic, whose import is a fifth of a cold start.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from payresult.errors import InvalidInput

# Each of these would lead queries or AWS calls past the certificates we check, or log their keys.
FORBIDDEN = {
    "SSLKEYLOGFILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",  # botocore honours it too
}

MUST_BE_SET = "must be set"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


def require(value: str) -> str:
    """Return *value*; ValueError if it is empty."""
    if not value:
        raise ValueError(MUST_BE_SET)
    return value


def require_name(value: str) -> str:
    """Return *value*; ValueError if it cannot be a part of keys and ids."""
    if not _NAME.fullmatch(require(value)):
        raise ValueError("must be 1 to 32 letters, digits, '_' or '-'")
    return value


def require_days(value: str) -> str:
    """Return *value*; ValueError if it is not a whole number of days."""
    if not re.fullmatch("[0-9]{1,4}", value):
        raise ValueError("must be a whole number of days from 0 to 9999")
    return value


@dataclass(frozen=True, slots=True)
class Resources:
    """Where payments, messages and events go. Each field is a variable of template.yaml.

    ``retention_days`` is how long a payment is kept after its end; 0: for ever.
    """

    partner_code: str
    table_name: str
    queue_url: str
    event_bus_name: str
    retention_days: int = 0

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Resources":
        """Return the resources in *environ*; InvalidInput names the variable and the rule."""
        for name, value in environ.items():
            if value and name.upper() in FORBIDDEN:
                raise InvalidInput(name, "must not be set: it would redirect or reveal the traffic")
        values = {field.name: environ.get(field.name.upper(), "") for field in fields(cls)}
        values["retention_days"] = values["retention_days"] or "0"  # absent in an older stack
        for name, value in values.items():
            try:
                _RULES.get(name, require)(value)
            except ValueError as error:
                raise InvalidInput(name.upper(), str(error)) from None
        days = int(values.pop("retention_days"))
        return cls(**values, retention_days=days)


_RULES = {"partner_code": require_name, "retention_days": require_days}
