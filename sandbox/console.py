"""Prints what the sandbox does, and records the checks that failed."""

import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from sandbox.waiting import WaitTimeout, wait_for

T = TypeVar("T")

_BOLD, _DIM, _GREEN, _RED = "1", "2", "32", "1;31"


class Console:
    """Prints lines as things happen; `failed` has the text of each check that failed."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self._colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._started = time.monotonic()

    def heading(self, text: str) -> None:
        """Print the title of a section."""
        self._print(f"\n{self._styled(_BOLD, text)}")

    def line(self, label: str, text: str) -> None:
        """Print one line of what happens."""
        self._print(f"  {self._styled(_DIM, f'{label:<9}')} {text}")

    def check(self, statement: str, *, ok: bool, note: str = "") -> bool:
        """Print whether *statement* is true, and record it if it is not."""
        mark = self._styled(_GREEN, "ok       ") if ok else self._styled(_RED, "FAILED   ")
        self._print(f"  {mark} {statement}" + (self._styled(_DIM, f"  ({note})") if note else ""))
        if not ok:
            self.failed.append(statement)
        return ok

    def expect(
        self, statement: str, probe: Callable[[], T | None], seconds: float = 20
    ) -> T | None:
        """Wait for a true result of *probe*; print how long it took. None after *seconds*."""
        started = time.monotonic()
        try:
            found = wait_for(statement, probe, seconds)
        except WaitTimeout as timeout:
            self.check(statement, ok=False, note=str(timeout))
            return None
        self.check(statement, ok=True, note=f"after {time.monotonic() - started:.2f} s")
        return found

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def _styled(self, style: str, text: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self._colours else text

    @staticmethod
    def _print(text: str) -> None:
        print(text, flush=True)  # noqa: T201  printing is its purpose
