"""P2: the test oracle for replies, a second implementation of how a gateway reply is interpreted.

It shares no code with payresult. JSON is read with a tokenizer and a stack, amounts by splitting,
in whole ten-thousandths. Where the two implementations differ, one of them is wrong.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from unicodedata import category

from tests.support.oracle import Verdict

PARTNER = "P000818"
PAY_ID = "20190321192436"
MAX_BODY = 65_536
MAX_REQUIRED_DEPTH = 200
"""A reader must accept JSON nested as deep; it may reject a deeper one."""

_BLANKS = " \t\n\r"
_TOKEN = re.compile(
    r"""[\ \t\n\r]*(?:(?P<mark>[{}\[\],:])
    |"(?P<text>[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*)"
    |(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<word>true|false|null))""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:u(....)|(.))")
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}


class Number(NamedTuple):
    """A JSON number, as it was written."""

    text: str


class NotJson(Exception):
    """The text is not JSON, or has a duplicate key."""


class Registered(NamedTuple):
    """The registered amount of a payment, such as 19.99, and its ISO currency code."""

    amount: str | None = None
    currency: str | None = None


def compare(text: str, found: object, expected: object, verdict: Verdict) -> None:
    """Record a difference: a wrong value may cause a false event, a missing one a lost event."""
    if found != expected:
        (verdict.lost if found is None else verdict.false).append(ascii(text)[:60])


def interpretations(
    status: int, headers: Mapping[str, str], body: bytes, registered: Registered
) -> set[str]:
    """Return the allowed interpretations of a response.

    They are "unavailable", "invalid", "other" (not paid), "review" and "paid".
    """
    plain = headers.get("content-encoding", "identity").lower() == "identity"
    if status == 429 or 500 <= status <= 599 or not plain or len(body) > MAX_BODY:
        return {"unavailable"}
    try:
        document, depth = read(body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "strict"))
    except (UnicodeDecodeError, NotJson):
        return {"unavailable"}
    media = headers.get("content-type", "").split(";")[0].strip(" \t").lower()
    understood = status == 200 and media in {"", "application/json", "text/json", "text/plain"}
    return {_interpretation(document, registered) if understood else "invalid"} | (
        {"invalid", "unavailable"} if depth > MAX_REQUIRED_DEPTH else set()
    )


def _interpretation(document: Any, registered: Registered) -> str:
    if not isinstance(document, dict):
        return "invalid"
    if (document.get("payId"), document.get("partnerCode")) != (PAY_ID, PARTNER):
        return "invalid"
    result = document.get("payRst")
    if not isinstance(result, str):
        return "invalid"
    letters = "".join(chr(ord(each) | 32) if "A" <= each <= "Z" else each for each in result)
    if letters != "success":
        return "other"
    return "paid" if agrees(_text(document.get("payAmount")), registered) else "review"


def agrees(written: str, registered: Registered) -> bool:
    """Say whether the amount in a reply is the registered one."""
    money = units(written, registered.currency)
    if registered.amount is not None and (money is None or money[0] != plain(registered.amount)):
        return False
    named = _named(written)
    return not named or registered.currency is None or registered.currency in named


_SYMBOLS: dict[str, tuple[str, ...]] = {
    "US$": ("USD",),
    "HK$": ("HKD",),
    "NT$": ("TWD",),
    "S$": ("SGD",),
    "A$": ("AUD",),
    "C$": ("CAD",),
    "$": (),
    "€": ("EUR",),
    "£": ("GBP",),
    "¥": ("CNY", "JPY"),
    "￥": ("CNY", "JPY"),
}
"""Those that end in another one come before it."""

_WITH_THREE = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
_WITH_FOUR = ["CLF", "UYW"]


def units(text: str, registered: str | None = None) -> tuple[int, tuple[str, ...]] | None:
    """Return an amount in ten-thousandths and its possible currencies, None for an invalid one.

    *registered* is the registered currency.
    """
    number, mark = _without_mark(text)
    value = plain(number)
    if value is None:
        return None
    named = _SYMBOLS.get(mark, (mark,)) if mark else ()
    known = [*named] or [*(["USD"] if mark else []), *([registered] if registered else [])]
    whole, point, fraction = number.partition(".")
    if not point and number.count(",") == 1:
        return (value, named) if known and not any(_many(each) for each in known) else None
    if len(fraction) == 3 and len(whole) <= 3 and whole != "0":
        return (value, named) if known and all(each in _WITH_THREE for each in known) else None
    return value, named


def _many(currency: str) -> bool:
    return currency in _WITH_THREE or currency in _WITH_FOUR


def _without_mark(text: str) -> tuple[str, str]:
    for mark in (text[:3], text[-3:], *_SYMBOLS):
        if mark in _SYMBOLS or _is_code(mark):
            if text.startswith(mark):
                return text[len(mark) :].removeprefix(" "), mark
            if text.endswith(mark):
                return text[: -len(mark)].removesuffix(" "), mark
    return text, ""


def _is_code(text: str) -> bool:
    return len(text) == 3 and all("A" <= each <= "Z" for each in text)


def _named(text: str) -> set[str]:
    """Return the currencies that a text allows, also one whose number is no amount."""
    named: list[set[str]] = []
    at = 0
    while at < len(text):
        mark = _mark_at(text, at)
        if mark:
            named += [set(codes)] if (codes := _SYMBOLS.get(mark, (mark,))) else []
            at += len(mark)
        elif text[at].isalpha() or category(text[at]) == "Sc":
            return set()
        else:
            at += 1
    return set.intersection(*named) if named else set()


def _mark_at(text: str, at: int) -> str:
    found = next((mark for mark in _SYMBOLS if text.startswith(mark, at)), "")
    return found or (text[at : at + 3] if _is_code(text[at : at + 3]) else "")


def plain(text: str) -> int | None:
    """Return a number without a currency in ten-thousandths, None if it is none."""
    whole, point, fraction = text.partition(".")
    if point and not (1 <= len(fraction) <= 4 and _digits(fraction)):
        return None
    groups = whole.split(",")
    if len(groups) > 1:
        if len(groups) > 4 or not 1 <= len(groups[0]) <= 3:
            return None
        if any(len(group) != 3 for group in groups[1:]) or groups[0][0] == "0":
            return None
    number = "".join(groups)
    if not _digits(number) or len(number) > 12 or (number[0] == "0" and number != "0"):
        return None
    return int(number) * 10_000 + int((fraction + "0000")[:4])


def _digits(text: str) -> bool:
    return text != "" and all("0" <= each <= "9" for each in text)


def _text(value: Any) -> str:
    """Return a raw field as text, "" if it is neither a text nor a number."""
    if isinstance(value, Number):
        return value.text
    return value if isinstance(value, str) else ""


def read(text: str) -> tuple[Any, int]:
    """Return the value of a JSON text and its nesting depth. Raises NotJson.

    What is open is on a stack, with its values, keys and marks (as bytes) in their order.
    """
    stack: list[tuple[str, list[Any]]] = [("", [])]
    depth = 0
    for token in _tokens(text):
        mark = token["mark"] or ""
        if mark in ("{", "["):
            stack.append((mark, []))
            depth = max(depth, len(stack) - 1)
        elif mark in ("}", "]"):
            opening, parts = stack.pop()
            value = _container(opening + mark, parts)
            stack[-1][1].append(value)
        else:
            stack[-1][1].append(mark.encode() or _scalar(token))
    [(_, parts), *still_open] = stack
    if still_open or len(parts) != 1 or isinstance(parts[0], bytes):
        raise NotJson
    return parts[0], depth


def _tokens(text: str) -> Iterator[re.Match[str]]:
    text, at = text.rstrip(_BLANKS), 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise NotJson
        yield token
        at = token.end()


def _container(brackets: str, parts: list[Any]) -> Any:
    """Return the list or the object between *brackets*. Raises NotJson."""
    elements, marks = parts[::2], parts[1::2]
    between = {"[]": [b","], "{}": [b":", b","]}.get(brackets, [])
    if not between or any(isinstance(each, bytes) for each in elements):
        raise NotJson
    if marks != (between * len(parts))[: max(len(elements) - 1, 0)]:
        raise NotJson
    if brackets == "[]":
        return elements
    keys, values = elements[::2], elements[1::2]
    if len(keys) != len(values) or not all(isinstance(key, str) for key in keys):
        raise NotJson
    if len({*keys}) < len(keys):
        raise NotJson
    return dict(zip(keys, values, strict=True))


def _scalar(token: re.Match[str]) -> Any:
    if token["text"] is not None:
        return _unescaped(token["text"])
    return Number(token["number"]) if token["number"] is not None else _WORDS[token["word"]]


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text

    def character(escape: re.Match[str]) -> str:
        return chr(int(escape[1], 16)) if escape[1] else _SHORT.get(escape[2], escape[2])

    halves = _ESCAPE.sub(character, text).encode("utf-16-le", "surrogatepass")
    return halves.decode("utf-16-le", "surrogatepass")
