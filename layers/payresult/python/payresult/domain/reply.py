"""A reply of the gateway, and its values in a useful form. Pure.

A value that does not parse is None; the value as received is kept beside it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo  # publisher and sweeper start without it

# The hour is spelled out: from Python 3.14 on, fromisoformat reads 24:00:00 as the next day.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}")
_WHOLE_MINUTES = re.compile(r"[+-][0-9]{2}:[0-9]{2}\Z")

MAX_STORED_CHARACTERS = 1024
"""Longer values of the gateway are truncated in the table."""

_UNITS = {"0": "day", "1": "day", "2": "month", "3": "quarter", "4": "half-year", "5": "year"}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the gateway about the payment that was asked for.

    ``fields`` holds the documented fields that it had, as received: partnerCode, payId and payRst
    always.
    """

    fields: Mapping[str, str]

    @property
    def pay_rst(self) -> str:
        """``payRst`` as received."""
        return self.fields["payRst"]


def paid_at(pay_result_date: str | None, zone: "ZoneInfo | None") -> str | None:
    """Return ``payResultDate`` as ISO 8601 with an offset, or None without a *zone*.

    The gateway's documents name no time zone. Historic offsets with seconds have no form in
    RFC 3339, so such a date is None.
    """
    if zone is None or not pay_result_date or not _DATE.fullmatch(pay_result_date):
        return None
    try:
        text = datetime.fromisoformat(pay_result_date).replace(tzinfo=zone).isoformat()
    except ValueError:  # such as 31 February
        return None
    return text if _WHOLE_MINUTES.search(text) else None


def package_unit(package_type: str | None) -> str | None:
    """Return the unit that ``orderPeriod`` counts, by ``packageType`` (the provider's page)."""
    return _UNITS.get(package_type or "")


def stored_text(value: str) -> str:
    """Return *value* of the gateway as the table keeps it: long ones truncated."""
    return truncate(value, MAX_STORED_CHARACTERS)


def truncate(text: str, limit: int) -> str:
    """Return the first *limit* characters of *text*, with a mark where the rest was removed."""
    return text if len(text) <= limit else text[:limit] + "…[cut]"
