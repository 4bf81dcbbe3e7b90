"""The environment of the functions that ask the gateway, checked once.

``Settings.from_env`` refuses an environment it cannot work in, with an InvalidInput that names
the variable and the rule: a wrong deployment fails at its start, not at a payment.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from payresult.domain.decision import Rules
from payresult.domain.schedule import FOLLOW_FOR, JITTER, Schedule
from payresult.errors import InvalidInput
from payresult.resources import MUST_BE_SET, Resources, require, require_name

MAX_DELAYS = 31
"""At most 32 answered checks each time a payment is followed (P6)."""

MAX_WAIT_SECONDS = 20
"""The most that MaxWaitSeconds may be; the template has its arithmetic."""

_VISIBLE = re.compile(r"[!-~]+")  # urlsplit drops tabs and line breaks without a word
_DELAY = re.compile(r"[0-9]{1,6}")


def to_base_url(value: str) -> str:
    """Return the URL without a final slash; plain http only where it stays on this machine.

    The ValueError says which rule it breaks.
    """
    require(value)
    try:
        url = urlsplit(value)
        secure = url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.hostname))
        no_port = url.port == 0  # ValueError from 65,536 on
        (url.hostname or "").encode("idna")  # ValueError where no name server could be asked
    except ValueError as error:
        raise ValueError(f"must be a URL: {error}") from None
    if not secure:
        raise ValueError("must start with https:// (http:// for loopback hosts only)")
    if not url.hostname or no_port or url.username is not None or not _VISIBLE.fullmatch(value):
        raise ValueError("must name a host, without user info, in plain ASCII")
    if "?" in value or "#" in value:
        raise ValueError("must have no query and no fragment")
    return value.rstrip("/")


def _is_loopback(host: str | None) -> bool:
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def to_schedule(value: str) -> Schedule:
    """Return the schedule of a ``CHECK_DELAYS``; the ValueError says which rule it breaks."""
    parts = require(value).split(",")
    if not all(_DELAY.fullmatch(part) and int(part) > 0 for part in parts):
        raise ValueError("must be whole seconds from 1 to 999999, separated by commas")
    if len(parts) > MAX_DELAYS:
        raise ValueError(f"must be {MAX_DELAYS} delays at most")
    delays = tuple(int(part) for part in parts)
    if sum(delays) * (1 + JITTER) > FOLLOW_FOR:
        raise ValueError(f"must add up to {FOLLOW_FOR / (1 + JITTER):.0f} s at most")
    return Schedule(delays)


def _zone(value: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(value) if value else None
    except (KeyError, ValueError, OSError):
        raise ValueError('must be a time zone such as "Asia/Shanghai"') from None


def _values(value: str) -> frozenset[str]:
    values = frozenset(filter(None, value.split(",")))
    if any(each.lower() == "success" for each in values):
        raise ValueError("must not hold success")
    return values


def _flag(value: str) -> bool:
    if value not in {"true", "false"}:
        raise ValueError('must be "true" or "false"')
    return value == "true"


def _wait_seconds(value: str) -> int:
    if not re.fullmatch("[0-9]{1,2}", value) or int(value) > MAX_WAIT_SECONDS:
        raise ValueError(f"must be a whole number of seconds from 0 to {MAX_WAIT_SECONDS}")
    return int(value)


class Settings(BaseModel):
    """What a deployment decides. Each field is an environment variable of template.yaml."""

    model_config = ConfigDict(frozen=True, alias_generator=str.upper)

    resources: Resources
    gateway_base_url: Annotated[str, AfterValidator(to_base_url)]
    environment: Annotated[str, AfterValidator(require_name)]
    schedule: Annotated[Schedule, PlainValidator(to_schedule)] = Field(alias="CHECK_DELAYS")
    zone: Annotated[ZoneInfo | None, PlainValidator(_zone)] = Field(None, alias="GATEWAY_TIME_ZONE")
    failed_pay_rst_values: Annotated[frozenset[str], PlainValidator(_values)] = frozenset()
    require_registration: Annotated[bool, PlainValidator(_flag)] = False
    max_wait_seconds: Annotated[int, PlainValidator(_wait_seconds)] = 0  # absent in an older stack

    @property
    def rules(self) -> Rules:
        """What ``domain.decision`` needs to know."""
        return Rules(
            self.schedule,
            self.environment,
            self.failed_pay_rst_values,
            self.zone,
            self.resources.retention_days,
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Return the settings in *environ*; InvalidInput names the variable and the rule."""
        resources = Resources.from_env(environ)
        try:
            return cls.model_validate({**environ, "RESOURCES": resources})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
        rule = MUST_BE_SET if first["type"] == "missing" else str(first["ctx"]["error"])
        raise InvalidInput(str(first["loc"][0]), rule)
