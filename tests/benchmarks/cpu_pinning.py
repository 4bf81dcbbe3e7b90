"""Assigns CPUs: the measured process has one of its own, if there are two."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

HAS_AFFINITY = hasattr(os, "sched_setaffinity")
"""Whether this system lets a process choose its CPU."""
CPUS = sorted(os.sched_getaffinity(0)) if HAS_AFFINITY else [0]
MEASURED_CPU = CPUS[0]
OTHER_CPU = CPUS[-1]
"""For the stubs and the benchmark itself."""


@contextmanager
def pinned_to(cpu: int) -> Iterator[None]:
    """Run on *cpu* only; processes started in the context do too."""
    if not HAS_AFFINITY:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
