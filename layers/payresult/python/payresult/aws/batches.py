"""Batches of ten."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

BATCH_SIZE = 10
"""The most that one SendMessageBatch or one PutEvents takes (AWS, both pages)."""

Thing = TypeVar("Thing")


def batches(things: Sequence[Thing]) -> Iterator[Sequence[Thing]]:
    """Yield *things* ten by ten."""
    for start in range(0, len(things), BATCH_SIZE):
        yield things[start : start + BATCH_SIZE]
