"""The batches that SQS and EventBridge take."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

BATCH_SIZE = 10
"""The most that one SendMessageBatch or one PutEvents takes (AWS, both pages)."""

Entry = TypeVar("Entry")


def batches(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Yield *entries* in batches of at most BATCH_SIZE (itertools.batched, from Python 3.12 on)."""
    for start in range(0, len(entries), BATCH_SIZE):
        yield entries[start : start + BATCH_SIZE]
