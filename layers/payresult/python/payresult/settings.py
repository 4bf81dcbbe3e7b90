"""The environment, checked once.

``Settings.from_env`` refuses an environment it cannot work in, with an InvalidInput that names
the variable and the rule: a wrong deployment fails at its start, not at a payment.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from payresult.domain.decision import Rules
from payresult.domain.schedule import FOLLOW_FOR, JITTER, Schedule
from payresult.errors import InvalidInput

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

# Each of these would lead queries or AWS calls past the certificates we check, or log their keys.
FORBIDDEN = {
    "SSLKEYLOGFILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",  # botocore honours it too
}

MAX_DELAYS = 26
"""No payment is asked about more than 27 times."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_VISIBLE = re.compile(r"[!-~]+")  # urlsplit drops tabs and line breaks without a word
_DELAY = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment decides; each field is an environment variable of template.yaml."""

    partner_code: str
    gateway_base_url: str
    environment: str
    schedule: Schedule
    table_name: str
    queue_url: str
    event_bus_name: str
    zone: "ZoneInfo | None" = None
    failed_pay_rst_values: Collection[str] = ()
    require_registration: bool = False

    @property
    def rules(self) -> Rules:
        """What ``domain.decision`` needs to know."""
        return Rules(self.schedule, self.environment, self.failed_pay_rst_values, self.zone)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Return the settings in *environ*, or raise InvalidInput."""
        _refuse_forbidden(environ)
        return cls(
            partner_code=_name(environ, "PARTNER_CODE"),
            gateway_base_url=_base_url(environ, "GATEWAY_BASE_URL"),
            environment=_name(environ, "ENVIRONMENT"),
            schedule=_schedule(environ, "CHECK_DELAYS"),
            table_name=_present(environ, "TABLE_NAME"),
            queue_url=_present(environ, "QUEUE_URL"),
            event_bus_name=_present(environ, "EVENT_BUS_NAME"),
            zone=_zone(environ, "GATEWAY_TIME_ZONE"),
            failed_pay_rst_values=_values(environ, "FAILED_PAY_RST_VALUES"),
            require_registration=_flag(environ, "REQUIRE_REGISTRATION"),
        )


def _refuse_forbidden(environ: Mapping[str, str]) -> None:
    for name, value in environ.items():
        if value and name.upper() in FORBIDDEN:
            raise InvalidInput(name, "must not be set: it would redirect or reveal the traffic")


def _present(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise InvalidInput(name, "must be set")
    return value


def _name(environ: Mapping[str, str], name: str) -> str:
    value = _present(environ, name)
    if not _NAME.fullmatch(value):
        raise InvalidInput(name, "must be 1 to 32 letters, digits, '_' or '-'")
    return value


def _base_url(environ: Mapping[str, str], name: str) -> str:
    """Return the URL without a final slash; plain http only where it stays on this machine."""
    value = _present(environ, name)
    try:
        url = urlsplit(value)
        secure = url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.hostname))
        no_port = url.port == 0  # ValueError from 65,536 on
        (url.hostname or "").encode("idna")  # ValueError where no name server could be asked
    except ValueError as error:
        raise InvalidInput(name, f"must be a URL: {error}") from None
    if not secure:
        raise InvalidInput(name, "must start with https:// (http:// for loopback hosts only)")
    if not url.hostname or no_port or url.username is not None or not _VISIBLE.fullmatch(value):
        raise InvalidInput(name, "must name a host, without user info, in plain ASCII")
    if "?" in value or "#" in value:
        raise InvalidInput(name, "must have no query and no fragment")
    return value.rstrip("/")


def _is_loopback(host: str | None) -> bool:
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def _schedule(environ: Mapping[str, str], name: str) -> Schedule:
    parts = _present(environ, name).split(",")
    if not all(_DELAY.fullmatch(part) and int(part) > 0 for part in parts):
        raise InvalidInput(name, "must be whole seconds from 1 to 999999, separated by commas")
    if len(parts) > MAX_DELAYS:
        raise InvalidInput(name, f"must be {MAX_DELAYS} delays at most")
    delays = tuple(int(part) for part in parts)
    if sum(delays) * (1 + JITTER) > FOLLOW_FOR:
        raise InvalidInput(name, f"must add up to {FOLLOW_FOR / (1 + JITTER):.0f} s at most")
    return Schedule(delays)


def _zone(environ: Mapping[str, str], name: str) -> "ZoneInfo | None":
    value = environ.get(name, "")
    if not value:
        return None
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - most deployments set no zone

    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise InvalidInput(name, 'must be a time zone such as "Asia/Shanghai"') from None


def _values(environ: Mapping[str, str], name: str) -> frozenset[str]:
    values = frozenset(filter(None, environ.get(name, "").split(",")))
    if any(value.lower() == "success" for value in values):
        raise InvalidInput(name, "must not hold success")
    return values


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "false")
    if value not in {"true", "false"}:
        raise InvalidInput(name, 'must be "true" or "false"')
    return value == "true"
