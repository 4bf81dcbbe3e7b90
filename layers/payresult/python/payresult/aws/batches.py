"""Batches of ten."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

TENS = 10
"""The most that one SendMessageBatch or one PutEvents takes (AWS, both pages)."""

Thing = TypeVar("Thing")


def tens(things: Sequence[Thing]) -> Iterator[Sequence[Thing]]:
    """Yield *things* ten by ten."""
    for start in range(0, len(things), TENS):
        yield things[start : start + TENS]
