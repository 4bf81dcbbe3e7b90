"""Waiting for another process: ask again until it is so, or the time is up."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE_SECONDS = 0.05


class TimeIsUp(Exception):
    """What was waited for did not come; the message names it."""


def wait_for(what: str, probe: Callable[[], T | None], seconds: float) -> T:
    """The first thing that *probe* gives which is true; TimeIsUp after *seconds* without one."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise TimeIsUp(f"{what}: not within {seconds:g} s")
        time.sleep(PAUSE_SECONDS)
    return found
