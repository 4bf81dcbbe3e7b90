"""The gateway's raw fields in a useful form, where they have one. Pure.

What does not parse is None and costs nothing: the raw value is kept beside it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo  # loaded only where a GatewayTimeZone is set

# Digits are spelled out: \d and Decimal() also take Arabic and full-width ones.
_AMOUNT = re.compile(
    r"(?:(?P<symbol>[$€£¥￥])|(?P<code>[A-Z]{3}) )?"
    r"(?P<whole>0|[1-9][0-9]{0,11}|[1-9][0-9]{0,2}(?:,[0-9]{3}){1,3})(?P<cents>\.[0-9]{1,2})?"
)
_PLAIN_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,2})?")
# The hour is spelled out: from Python 3.14 on, fromisoformat takes 24:00:00 for the next day.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}")
_WHOLE_MINUTES = re.compile(r"[+-][0-9]{2}:[0-9]{2}\Z")

# "$" stands for a score of currencies, so it says nothing; the others name theirs.
_SYMBOLS = {"€": ("EUR",), "£": ("GBP",), "¥": ("CNY", "JPY"), "￥": ("CNY", "JPY")}

_UNITS = {"0": "day", "1": "day", "2": "month", "3": "quarter", "4": "half-year", "5": "year"}


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money; ``currencies`` are the ISO 4217 codes it may be in, empty if unsaid."""

    value: Decimal
    text: str
    currencies: tuple[str, ...] = ()

    @property
    def currency(self) -> str | None:
        """The one currency the amount names, if it names just one."""
        return self.currencies[0] if len(self.currencies) == 1 else None


def parse_amount(text: str | None) -> Amount | None:
    """Return the amount in *text*, the gateway's ``payAmount``: "$19.99", "USD 1,234.50", "5"."""
    match = _AMOUNT.fullmatch(text) if text else None
    if match is None:
        return None
    plain = match["whole"].replace(",", "") + (match["cents"] or "")
    named = (match["code"],) if match["code"] else _SYMBOLS.get(match["symbol"], ())
    return Amount(Decimal(plain), plain, named)


def parse_plain_amount(text: str) -> Decimal | None:
    """Return the amount in *text* as our own callers write it: "19.99", nothing around it."""
    return Decimal(text) if _PLAIN_AMOUNT.fullmatch(text) else None


def paid_at(pay_result_date: str | None, zone: "ZoneInfo | None") -> str | None:
    """Return ``payResultDate`` as ISO 8601 with an offset, or None without a *zone*.

    The gateway's documents give the date no zone. Before there were zones, offsets had seconds,
    which RFC 3339 does not know: such a date has no useful form.
    """
    if zone is None or not pay_result_date or not _DATE.fullmatch(pay_result_date):
        return None
    try:
        text = datetime.fromisoformat(pay_result_date).replace(tzinfo=zone).isoformat()
    except ValueError:  # the 31st of February
        return None
    return text if _WHOLE_MINUTES.search(text) else None


def package_unit(package_type: str | None) -> str | None:
    """Return the unit that ``orderPeriod`` counts, by ``packageType`` (the provider's page)."""
    return _UNITS.get(package_type or "")


def truncate(text: str, limit: int) -> str:
    """Return *text*, marked where it was cut at *limit* characters."""
    return text if len(text) <= limit else text[:limit] + "…[cut]"


REPLY_FIELDS = (
    "partnerCode",
    "payId",
    "payRst",
    "payAmount",
    "payResultDate",
    "orderPeriod",
    "packageType",
    "servicePlanShowName",
)
"""The documented fields of a resultQuery answer (the provider's page of POST /resultQuery)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the gateway that is about the payment asked for.

    ``fields`` holds those of REPLY_FIELDS that came, raw; partnerCode, payId and payRst always.
    """

    fields: Mapping[str, str]

    @property
    def pay_rst(self) -> str:
        """``payRst`` as the gateway wrote it."""
        return self.fields["payRst"]
