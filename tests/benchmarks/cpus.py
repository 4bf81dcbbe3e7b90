"""Which CPU does what: what is measured has one to itself, where there are two."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

PINS = hasattr(os, "sched_setaffinity")
"""Whether this system lets a process choose its CPU."""
CPUS = sorted(os.sched_getaffinity(0)) if PINS else [0]
MEASURED = CPUS[0]
REST = CPUS[-1]
"""For the stubs and for whoever drives."""


@contextmanager
def on(cpu: int) -> Iterator[None]:
    """Run on *cpu* alone, and so does every process that is started meanwhile."""
    if not PINS:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
