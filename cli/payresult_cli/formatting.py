"""Formats and parses times, durations, amounts and untrusted text. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from payresult.domain.payment import Payment, Registration

_SECONDS_BY_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AGE = re.compile(r"([0-9]{1,6})([smhd])")
_DURATION_UNITS = ((172_800, 86_400, "d"), (7_200, 3_600, "h"), (120, 60, "min"))
"""From how many seconds on a unit is used, its seconds, its name."""

_COLOURS = {
    "SUCCEEDED": "green",
    "PENDING": "yellow",
    "REVIEW": "magenta",
    "UNRESOLVED": "magenta",
    "DUPLICATE": "magenta",
    "FAILED": "red",
    "EXPIRED": "bright_black",
}
"""Of a status, or of a reason to wait for a person (which are magenta)."""


def printable(text: str) -> str:
    """Return *text* with control characters escaped, which a terminal would carry out."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def format_time(at: int) -> str:
    """Return *at*, milliseconds since 1970, as "2026-11-22 10:00:00Z"."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"


def format_duration(milliseconds: int) -> str:
    """Return a duration in the largest unit of which it has two: "45 s", "3 min", "26 h", "9 d"."""
    seconds = round(abs(milliseconds) / 1000)
    for least, unit, name in _DURATION_UNITS:
        if seconds >= least:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def format_row(pay_id: str, status: str, *cells: str) -> str:
    """Return a line of a table of payments; the status has its colour, in a terminal that is."""
    return "  ".join([f"{pay_id:<24}", coloured(status, 10), *cells]).rstrip()


def coloured(status: str, width: int = 0) -> str:
    """Return *status*, padded to *width*, in its colour; `output` removes it where it must."""
    padded, colour = status.ljust(width), _COLOURS.get(status)
    return click.style(padded, fg=colour) if colour else padded


def format_count(count: int, noun: str) -> str:
    """Return "1 time" or "3,000 times"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_time_and_age(at: int, now: int) -> str:
    """Return *at* and its distance from *now*: "… (3 min ago)" or "… (in 45 s)"."""
    distance = (
        f"{format_duration(now - at)} ago" if at <= now else f"in {format_duration(at - now)}"
    )
    return f"{format_time(at)} ({distance})"


def format_registered_amount(registration: "Registration") -> str:
    """Return "19.99 USD", or what of it is registered."""
    known = filter(None, (registration.expected_amount, registration.currency))
    return " ".join(known) or "no amount"


def format_pay_amount(reply: Mapping[str, str]) -> str:
    """Return the payAmount of a stored reply in quotation marks, or "no amount"."""
    pay_amount = reply.get("payAmount")
    return "no amount" if pay_amount is None else f'"{printable(pay_amount)}"'


def attention_reason(payment: "Payment") -> str | None:
    """Return why *payment* waits for a person ("REVIEW"), None if it does not."""
    return payment.attention and payment.attention.rpartition("#")[2]


def parse_age(text: str) -> int | None:
    """Return "90s", "15m", "2h" or "7d" in milliseconds, None if *text* is anything else."""
    match = _AGE.fullmatch(text)
    return int(match[1]) * _SECONDS_BY_UNIT[match[2]] * 1000 if match else None


def parse_time(text: str) -> int | None:
    """Return "2026-11-22", "2026-11-22T10:00" or "…T10:00:00Z" in milliseconds since 1970.

    Without a zone it is UTC. None if *text* is anything else, or a time before 1970.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    zoned = time if time.tzinfo else time.replace(tzinfo=UTC)
    milliseconds = int(zoned.timestamp() * 1000)
    return milliseconds if milliseconds >= 0 else None
