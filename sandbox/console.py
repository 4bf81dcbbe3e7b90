"""Writes the story for a person, and keeps count of the promises that were not kept."""

import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from sandbox.waiting import TimeIsUp, wait_for

T = TypeVar("T")

_BOLD, _DIM, _GREEN, _RED = "1", "2", "32", "1;31"


class Console:
    """Prints lines as things happen; `broken` names each promise that was not kept."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._began = time.monotonic()

    def head(self, text: str) -> None:
        """Begin a chapter."""
        self._print(f"\n{self._in(_BOLD, text)}")

    def say(self, who: str, text: str) -> None:
        """One line of what happens."""
        self._print(f"  {self._in(_DIM, f'{who:<9}')} {text}")

    def check(self, promise: str, *, kept: bool, note: str = "") -> bool:
        """Print whether *promise* was kept, and remember if it was not."""
        mark = self._in(_GREEN, "ok       ") if kept else self._in(_RED, "NOT OK   ")
        self._print(f"  {mark} {promise}" + (self._in(_DIM, f"  ({note})") if note else ""))
        if not kept:
            self.broken.append(promise)
        return kept

    def expect(self, promise: str, probe: Callable[[], T | None], seconds: float = 20) -> T | None:
        """Wait for what *probe* gives; say how long that took. None if it did not come."""
        began = time.monotonic()
        try:
            found = wait_for(promise, probe, seconds)
        except TimeIsUp as late:
            self.check(promise, kept=False, note=str(late))
            return None
        self.check(promise, kept=True, note=f"after {time.monotonic() - began:.2f} s")
        return found

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def _in(self, style: str, text: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self._colours else text

    @staticmethod
    def _print(text: str) -> None:
        print(text, flush=True)  # noqa: T201  this is what the sandbox is for
