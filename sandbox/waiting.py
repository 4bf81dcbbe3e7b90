"""Polls a condition until it is true or the time is up."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.1


class WaitTimeout(Exception):
    """A condition did not become true in time; the message names it."""


def wait_for(what: str, probe: Callable[[], T | None], seconds: float) -> T:
    """The first true result of *probe*; WaitTimeout, which names *what*, after *seconds*."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise WaitTimeout(f"{what}: not within {seconds:g} s")
        time.sleep(POLL_SECONDS)
    return found
