"""A marked text, and a search that finds it again in whatever way it was written."""

import base64
import json
from collections.abc import Iterable, Iterator
from random import Random
from urllib.parse import quote

LETTERS = "bcdfghjkmnpqrstvwxz"
"""No word has these alone, so that a hit is none by chance."""


def mark(dice: Random) -> str:
    """Return a new text to look for: with what is written in other ways in JSON and in URLs."""
    return "".join(dice.choices(LETTERS, k=12)) + '"é ' + "".join(dice.choices(LETTERS, k=12))


def hits(text: str, marks: Iterable[str]) -> list[str]:
    """Return those of *marks* that are in *text*, or the half of which is, in any spelling."""
    lowered = text.lower()
    return [each for each in marks if any(way in lowered for way in _spellings(each))]


def _spellings(text: str) -> Iterator[str]:
    for part in (text, *(half for half in text.split('"é ') if len(half) >= 12)):
        yield part.lower()
        yield json.dumps(part)[1:-1].lower()
        yield json.dumps(json.dumps(part))[3:-3].lower()
        yield quote(part).lower()
        yield part.encode().hex()
        for shift in range(3):  # base64 looks different at each place in a group of three
            coded = base64.b64encode(b"\0" * shift + part.encode())
            yield coded[4 if shift else 0 : -4].decode().lower()


def blind_spots() -> list[str]:
    """Return the spellings that the search would miss: none, or it proves nothing."""
    told = mark(Random(1))  # noqa: S311 - any will do
    half = told[:12]
    written = {
        "as it is": f"x {told} y",
        "half of it": f"x {half} y",
        "in JSON": json.dumps({"a": told}),
        "in JSON in JSON": json.dumps({"a": json.dumps({"b": told})}),
        "in a URL": quote(told),
        "in hexadecimal": told.encode().hex(),
        "as Python shows it": repr(told.encode()),
        "in capitals": half.upper(),
    }
    written |= {
        f"in base64, shifted by {shift}": base64.b64encode(b"x" * shift + told.encode()).decode()
        for shift in range(3)
    }
    missed = [way for way, text in written.items() if not hits(text, [told])]
    return missed + (["a hit in nothing"] if hits("nothing to see here", [told]) else [])
