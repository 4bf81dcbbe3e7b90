"""Sums of money as text: the gateway's ``payAmount`` and our own callers' amounts. Pure.

A text that could be read in two ways is no amount: ``docs/decisions.md`` has the reasons.
"""

import re
import unicodedata
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal

_MARKS = {
    "$": (),  # the sign of some twenty currencies: it names none
    "€": ("EUR",),
    "£": ("GBP",),
    "¥": ("CNY", "JPY"),
    "￥": ("CNY", "JPY"),
    "US$": ("USD",),
    "HK$": ("HKD",),
    "S$": ("SGD",),
    "A$": ("AUD",),
    "C$": ("CAD",),
    "NT$": ("TWD",),
}
"""The ISO 4217 codes that a mark may stand for. A code of three letters is a mark as well."""

_MARK = r"(?:(?:US|HK|S|A|C|NT)?\$|[€£¥￥]|[A-Z]{3})"
_MARKS_IN_TEXT = re.compile(_MARK)

# Digits are spelled out: \d and Decimal() also accept Arabic and full-width ones.
_WHOLE = "(0|[1-9][0-9]{0,11})"
_FRACTION = r"(\.[0-9]{1,4})"
_GROUPED = "[1-9][0-9]{0,2}(?:,[0-9]{3}){1,3}"
_AMOUNT = re.compile(
    rf"(?:(?P<before>{_MARK}) ?)?"
    rf"(?P<number>(?:{_WHOLE}|{_GROUPED}){_FRACTION}?)"
    rf"(?(before)|(?: ?(?P<after>{_MARK}))?)"
)
PLAIN_AMOUNT = f"{_WHOLE}{_FRACTION}?"
"""The pattern of an amount without currency and separators, for whole texts."""
_ONE_SEPARATOR = re.compile("[1-9][0-9]{0,2}(?P<separator>[.,])[0-9]{3}")

_DEFAULT_DECIMALS = 2
_OTHER_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""The minor units of ISO 4217 (its list one) other than 2."""

_DECIMALS: dict[str | None, int] = {
    code: places for places, codes in _OTHER_DECIMALS.items() for code in codes.split()
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money.

    ``text`` is the plain number ("1234.50"). ``currencies`` are the ISO 4217 codes it may be in;
    empty where it names none.
    """

    value: Decimal
    text: str
    currencies: tuple[str, ...] = ()


def decimals(currency: str | None) -> int:
    """Return how many decimals an amount in *currency* has; 2 where none is known."""
    return _DECIMALS.get(currency, _DEFAULT_DECIMALS)


def parse_amount(text: str | None, registered: str | None = None) -> Amount | None:
    """Return the amount in a ``payAmount`` ("$19.99", "1,234.50 USD", "5"), or None.

    *registered* is the currency that was registered, or None. It decides where *text* names no
    currency and could be read in two ways, as "1,234" can.
    """
    match = _AMOUNT.fullmatch(text) if text else None
    if match is None:
        return None
    mark, number = match["before"] or match["after"], match["number"]
    named = _currencies(mark) if mark else ()
    if not _has_one_reading(number, _possible_decimals(mark, named, registered)):
        return None
    plain = number.replace(",", "")
    return Amount(Decimal(plain), plain, named)


def parse_plain_amount(text: str) -> Decimal | None:
    """Return the amount in *text* as callers write it ("19.99", no currency), or None."""
    return Decimal(text) if re.fullmatch(PLAIN_AMOUNT, text) else None


def fits_currency(amount: str | None, currency: str | None) -> bool:
    """Return True if *amount* ("19.99", None: none) has no more decimals than *currency*.

    Zeros at the end do not count: 100.00 is a sum of yen. Without a currency there are two.
    """
    if amount is None:
        return True
    value = Decimal(amount)
    return value == round(value, decimals(currency))


def same_amount(pay_amount: str | None, expected: str | None, currency: str | None) -> bool:
    """Return True if *pay_amount* is the *expected* one, in *currency*; None: not registered.

    A currency that *pay_amount* names contradicts every other one, also where its number does
    not parse. One that is unknown here ("5 zł") contradicts none, but is not the *expected* amount.
    """
    paid = parse_amount(pay_amount, currency)
    if expected is not None and (paid is None or paid.value != Decimal(expected)):
        return False
    named = named_currencies(pay_amount)
    return not named or currency is None or currency in named


def currency_of(pay_amount: str | None, registered: str | None) -> str | None:
    """Return the currency that *pay_amount* is in: the one it names, else the *registered* one.

    None where neither is known, and where the registered one contradicts what it names.
    """
    named = named_currencies(pay_amount)
    if named is None or registered in named:
        return registered
    return next(iter(named)) if len(named) == 1 else None


def named_currencies(pay_amount: str | None) -> AbstractSet[str] | None:
    """Return the currencies that *pay_amount* may be in, None where it does not name any.

    Its number need not parse: "19,99 €" is no amount, and yet it contradicts a registered USD.
    Empty: it names what is unknown here, or contradicts itself.
    """
    text = pay_amount or ""
    if any(_is_of_currency(each) for each in _MARKS_IN_TEXT.sub("", text)):
        return frozenset()
    marks = [_currencies(mark) for mark in _MARKS_IN_TEXT.findall(text)]
    named = [frozenset(currencies) for currencies in marks if currencies]
    return frozenset.intersection(*named) if named else None


def _currencies(mark: str) -> tuple[str, ...]:
    return _MARKS.get(mark, (mark,))


def _is_of_currency(character: str) -> bool:
    return character.isalpha() or unicodedata.category(character) == "Sc"


def _possible_decimals(
    mark: str | None, named: tuple[str, ...], registered: str | None
) -> AbstractSet[int]:
    """Return how many decimals the currency may have; empty where nothing is known of it."""
    if named:
        return {decimals(currency) for currency in named}
    possible = {_DEFAULT_DECIMALS} if mark else set()  # no dollar or peso has more
    return possible | ({decimals(registered)} if registered else set())


def _has_one_reading(number: str, possible: AbstractSet[int]) -> bool:
    """Say whether *number* is one sum only: "1,234" and "1.234" are 1234 or 1.234."""
    match = _ONE_SEPARATOR.fullmatch(number)
    if match is None:
        return True
    if match["separator"] == ",":
        return bool(possible) and max(possible) <= _DEFAULT_DECIMALS
    return possible == {3}
