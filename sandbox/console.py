"""Prints what the sandbox does as a story, and records the checks that failed."""

import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from sandbox.waiting import WaitTimeout, wait_for

T = TypeVar("T")

_BOLD, _DIM, _GREEN, _RED = "1", "2", "32", "1;31"
_LABEL_WIDTH = 14


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
        """Print one line of what happens; *label* says who does it."""
        self._print(f"  {self._styled(_DIM, f'{label:<{_LABEL_WIDTH}}')} {text}")

    def check(self, statement: str, *, ok: bool, note: str = "") -> bool:
        """Record and print that *statement* is not true, if it is not; say nothing if it is."""
        if not ok:
            self.failed.append(statement)
            self._print_result(statement, note, ok=False)
        return ok

    def prove(self, statement: str, shown: str, *, ok: bool) -> None:
        """Print whether *statement* holds, and the figures that show it; record if it does not."""
        if not ok:
            self.failed.append(statement)
        self._print_result(f"{statement:<26}", shown, ok=ok)

    def expect(
        self, statement: str, probe: Callable[[], T | None], seconds: float = 20
    ) -> T | None:
        """Wait for a true result of *probe*; None after *seconds*, which is a failed check."""
        try:
            return wait_for(statement, probe, seconds)
        except WaitTimeout as timeout:
            self.check(statement, ok=False, note=str(timeout))
            return None

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def _print_result(self, statement: str, note: str, *, ok: bool) -> None:
        word = "ok" if ok else "FAILED"
        mark = self._styled(_GREEN if ok else _RED, f"{word:<{_LABEL_WIDTH}}")
        self._print(f"  {mark} {statement}" + (self._styled(_DIM, f"  {note}") if note else ""))

    def _styled(self, style: str, text: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self._colours else text

    @staticmethod
    def _print(text: str) -> None:
        print(text, flush=True)  # noqa: T201  printing is its purpose
