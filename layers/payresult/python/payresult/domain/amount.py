"""Sums of money as text: the gateway's ``payAmount`` and our own callers' amounts. Pure."""

import re
from dataclasses import dataclass
from decimal import Decimal

# Digits are spelled out: \d and Decimal() also accept Arabic and full-width ones.
_AMOUNT = re.compile(
    r"(?:(?P<symbol>[$€£¥￥])|(?P<code>[A-Z]{3}) )?"
    r"(?P<whole>0|[1-9][0-9]{0,11}|[1-9][0-9]{0,2}(?:,[0-9]{3}){1,3})(?P<cents>\.[0-9]{1,2})?"
)
_PLAIN_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,2})?")

# "$" is the sign of some twenty currencies, so it names none.
_SYMBOLS = {"€": ("EUR",), "£": ("GBP",), "¥": ("CNY", "JPY"), "￥": ("CNY", "JPY")}


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money.

    ``text`` is the plain number ("1234.50"). ``currencies`` are the ISO 4217 codes it may be in;
    empty where it names none.
    """

    value: Decimal
    text: str
    currencies: tuple[str, ...] = ()

    @property
    def currency(self) -> str | None:
        """The currency, where the amount names exactly one."""
        return self.currencies[0] if len(self.currencies) == 1 else None


def parse_amount(text: str | None) -> Amount | None:
    """Return the amount in a ``payAmount`` ("$19.99", "USD 1,234.50", "5"), or None."""
    match = _AMOUNT.fullmatch(text) if text else None
    if match is None:
        return None
    plain = match["whole"].replace(",", "") + (match["cents"] or "")
    named = (match["code"],) if match["code"] else _SYMBOLS.get(match["symbol"], ())
    return Amount(Decimal(plain), plain, named)


def parse_plain_amount(text: str) -> Decimal | None:
    """Return the amount in *text* as callers write it ("19.99", no currency), or None."""
    return Decimal(text) if _PLAIN_AMOUNT.fullmatch(text) else None
