"""Random marker texts, and a search for them that covers the usual encodings."""

import base64
import json
from collections.abc import Iterable, Iterator
from random import Random
from urllib.parse import quote

LETTERS = "bcdfghjkmnpqrstvwxz"
"""No vowels, so that no word contains a marker by chance."""


def mark(rng: Random) -> str:
    """Return a new marker, with characters that JSON and URLs encode."""
    return "".join(rng.choices(LETTERS, k=12)) + '"é ' + "".join(rng.choices(LETTERS, k=12))


def hits(text: str, marks: Iterable[str]) -> list[str]:
    """Return those of *marks* that *text* contains, whole or half, in any encoding."""
    lowered = text.lower()
    return [each for each in marks if any(coded in lowered for coded in _encodings(each))]


def _encodings(text: str) -> Iterator[str]:
    for part in (text, *(half for half in text.split('"é ') if len(half) >= 12)):
        yield part.lower()
        yield json.dumps(part)[1:-1].lower()
        yield json.dumps(json.dumps(part))[3:-3].lower()
        yield quote(part).lower()
        yield part.encode().hex()
        for shift in range(3):  # base64 depends on the position within a group of three bytes
            coded = base64.b64encode(b"\0" * shift + part.encode())
            yield coded[4 if shift else 0 : -4].decode().lower()


def blind_spots() -> list[str]:
    """Return the encodings in which the search misses a marker; must be empty."""
    marker = mark(Random(1))  # noqa: S311 - any will do
    half = marker[:12]
    encoded = {
        "plain": f"x {marker} y",
        "half of it": f"x {half} y",
        "JSON": json.dumps({"a": marker}),
        "JSON in JSON": json.dumps({"a": json.dumps({"b": marker})}),
        "URL": quote(marker),
        "hexadecimal": marker.encode().hex(),
        "repr of bytes": repr(marker.encode()),
        "upper case": half.upper(),
    }
    encoded |= {
        f"base64, shifted by {shift}": base64.b64encode(b"x" * shift + marker.encode()).decode()
        for shift in range(3)
    }
    missed = [name for name, text in encoded.items() if not hits(text, [marker])]
    return missed + (["a false hit"] if hits("nothing to see here", [marker]) else [])
