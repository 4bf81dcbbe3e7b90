"""The progress bar of the long runs."""

import sys

WIDTH = 30


def progress(done: float, of: int, text: str) -> None:
    """Draw a progress bar on standard error if it is a terminal."""
    if sys.stderr.isatty():
        full = round(WIDTH * done / of)
        bar = "#" * full + "." * (WIDTH - full)
        sys.stderr.write(f"\r\x1b[K{bar} {done:.1f}/{of} {text}")
        sys.stderr.flush()
