"""The processes that are measured: cold starts in the Lambda runtime, and warm handlers."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Self

from tests.benchmarks.build import Case
from tests.benchmarks.comparisons import Sample
from tests.support.runtime import PYTHON, Runtime, environ_of

MEASURED, OTHER = 0, -1
"""Which CPU: the first is for the measured process, the last for the stubs and the benchmark."""

INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")
PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
WORKER = Path(__file__).with_name("worker.py")
# The code folders are read-only on Lambda.
READ_ONLY = {"PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def pinned_to(which: int) -> Iterator[None]:
    """Run on one CPU only (Linux); processes started in the context do too."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[which]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class ColdRuntime(Runtime):
    """A case in the runtime, which logs the duration of INIT."""

    def __init__(self, case: Case, environ: Mapping[str, str], folder: Path) -> None:
        super().__init__([*case.paths], {**environ, **READ_ONLY}, folder)
        self._handler = case.handler

    def __enter__(self) -> Self:
        """Start on the CPU for the measured process."""
        with pinned_to(MEASURED):
            return super().__enter__()

    def init(self) -> float:
        """Return the seconds from the start of the interpreter until the handler is imported."""
        found = INIT.search(self.log())
        if found is None:
            raise RuntimeError(f"no INIT in the log of the runtime:\n{self.log()}")
        return float(found[1]) / 1000

    def peak(self) -> float:
        """Return the peak of the resident memory of the function's process, in MiB."""
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        children = [child for thread in threads for child in thread.read_text().split()]
        found = [PEAK.search(Path(f"/proc/{child}/status").read_text()) for child in children]
        if not found or found[0] is None:
            raise RuntimeError(f"the function has ended:\n{self.log()}")
        return int(found[0][1]) / 1024

    def _command(self) -> list[str]:
        emulator, *arguments, _ = super()._command()
        return [emulator, "--log-level", "info", *arguments, self._handler]


def cold_start(
    case: Case, event: object, environ: Mapping[str, str], folder: Path, times: int = 1
) -> tuple[Any, Sample]:
    """Start *case* in a new process and invoke it; return the last result, and the sample."""
    with ColdRuntime(case, environ, folder) as runtime, pinned_to(OTHER):
        begin = time.perf_counter()
        for _ in range(times):
            result = runtime.invoke(event)
        wall = time.perf_counter() - begin
        return result, Sample(wall, runtime.init(), runtime.peak())


class WarmHandler:
    """A process that has imported a handler (see ``worker.py``)."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._input, self._output = process.stdin, process.stdout

    def call(self, event: Any, times: int = 1) -> tuple[Any, Sample]:
        """Return the last result, and the median time of a call."""
        self._input.write(json.dumps({"event": event, "times": times}) + "\n")
        self._input.flush()
        message = json.loads(self._output.readline() or "null")
        if message is None:
            raise RuntimeError("a worker has ended; the reason is on standard error")
        return message["result"], Sample(median(message["seconds"]))


@contextmanager
def warm(case: Case, environ: Mapping[str, str]) -> Iterator[WarmHandler]:
    """Yield a warm handler."""
    with pinned_to(MEASURED):
        process = subprocess.Popen(  # noqa: S603 - a fixed command
            [str(PYTHON), "-P", str(WORKER), case.handler],
            env=environ_of([*case.paths], {**environ, **READ_ONLY}),
            cwd=case.paths[0],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    try:
        yield WarmHandler(process)
    finally:
        process.communicate()
