"""The sizes of items, messages and events, and the units that AWS bills for them. Pure functions.

Item sizes: AWS, DynamoDB developer guide, "DynamoDB item sizes and formats"; units: "DynamoDB
read and write operations". Both read on 2026-11-25.
"""

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

KIB = 1024
CHUNK = 64 * KIB
"""What SQS and EventBridge bill as one request or event (AWS, both pricing pages)."""

Item = Mapping[str, Any]
"""An item in DynamoDB JSON."""


def item_size(item: Item) -> int:
    """Return the bytes of an item: the names and the values of its attributes."""
    return sum(_length(name) + _value_size(value) for name, value in item.items())


def write_units(old: Item | None, new: Item | None) -> int:
    """Return the units of a write: of the larger item, also where the condition failed."""
    return max(1, *(ceil(item_size(each or {}) / KIB) for each in (old, new)))


def index_writes(old: Item | None, new: Item, key: tuple[str, ...]) -> list[Item]:
    """Return the index entries that a write adds or removes, one write unit each.

    Two where an entry moves, none where it is unchanged. Entries are small.
    """
    before, after = (
        {name: each[name] for name in key if name in each} for each in (old or {}, new)
    )
    if before == after:
        return []
    return [entry for entry in (before, after) if len(entry) == len(key)]


def read_units(items: Iterable[Item | None]) -> int:
    """Return the units of a consistent BatchGetItem, including items that do not exist."""
    return sum(max(1, ceil(item_size(item or {}) / (4 * KIB))) for item in items)


def query_units(items: Iterable[Item]) -> float:
    """Return the units of an eventually consistent Query, of all items together."""
    return max(1, ceil(sum(map(item_size, items)) / (4 * KIB))) / 2


def chunks(*texts: str) -> int:
    """Return the number of requests or events of 64 KB that *texts* are billed as."""
    return max(1, ceil(sum(map(_length, texts)) / CHUNK))


def _length(text: str) -> int:
    return len(text.encode())


def _value_size(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    if kind == "S":
        return _length(content)
    if kind == "N":
        return ceil(len(content.strip("-").replace(".", "").strip("0") or "0") / 2) + 1
    if kind == "L":
        return 3 + sum(1 + _value_size(each) for each in content)
    if kind == "M":
        return 3 + sum(1 + _length(name) + _value_size(each) for name, each in content.items())
    raise ValueError(f"payresult stores no {kind}")
