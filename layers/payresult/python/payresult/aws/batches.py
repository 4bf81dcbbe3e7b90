"""How much AWS takes in one call."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

BATCH_SIZE = 10
"""The most that one SendMessageBatch or one PutEvents takes (AWS, both pages)."""

MAX_KEYS_PER_READ = 100
"""The most that one BatchGetItem reads (AWS, BatchGetItem)."""

Entry = TypeVar("Entry")


def batches(entries: Sequence[Entry], size: int = BATCH_SIZE) -> Iterator[Sequence[Entry]]:
    """Yield *entries* in batches of at most *size* (itertools.batched, from Python 3.12 on)."""
    for start in range(0, len(entries), size):
        yield entries[start : start + size]
