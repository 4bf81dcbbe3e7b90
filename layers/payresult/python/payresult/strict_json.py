"""Strict JSON: rejects duplicate keys, NaN and input that is not UTF-8.

``json.loads`` takes the last of two equal keys, UTF-16, a byte order mark and NaN, and
raises RecursionError on deep nesting. Here each of these is a MalformedJson.
"""

import json
from dataclasses import dataclass
from typing import NoReturn

from payresult.errors import MalformedJson


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A JSON number as it was written: ``19.90`` keeps its zero, 5,000 digits are not parsed.

    It is not a str, so whatever requires a text refuses it.
    """

    text: str


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJson("a key occurs twice in one object")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise MalformedJson("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_without_duplicates,
    parse_float=NumberLiteral,
    parse_int=NumberLiteral,
    parse_constant=_no_constant,
)


# json.dumps would make an encoder for each value: 20,000 of them in a reply that is all strings.
_encode = json.JSONEncoder(ensure_ascii=False).encode


def loads(data: bytes | str) -> object:
    """Return the value of *data*: dict, list, str, NumberLiteral, bool or None.

    Bytes must be UTF-8 without a byte order mark. Raises MalformedJson, and nothing else.
    A string may hold lone surrogates, which JSON can escape: ``encode()`` refuses them.
    """
    try:
        text = data.decode() if isinstance(data, bytes) else data
        value: object = _DECODER.decode(text)
    except MalformedJson:
        raise
    except ValueError:
        # The cause is dropped: its attributes hold the whole text.
        raise MalformedJson("not JSON in UTF-8") from None
    except RecursionError:
        raise MalformedJson("nested too deeply") from None
    return value


def dumps(value: object) -> str:
    """Return the compact JSON text of a *value* of loads, numbers as they were written.

    Raises MalformedJson when it is nested too deeply to be written.
    """
    try:
        return _text(value)
    except RecursionError:
        raise MalformedJson("nested too deeply") from None


def _text(value: object) -> str:
    match value:
        case NumberLiteral():
            return value.text
        case dict():
            members = (f"{_text(key)}:{_text(item)}" for key, item in value.items())
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(_text(item) for item in value) + "]"
        case _:
            return _encode(value)
