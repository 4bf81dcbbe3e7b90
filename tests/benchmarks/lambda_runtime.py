"""Cold starts under the Lambda runtime emulator of the SAM CLI."""

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.benchmarks.build import Case
from tests.benchmarks.cpu_pinning import MEASURED_CPU, OTHER_CPU, pinned_to
from tests.benchmarks.figures import Sample
from tests.support.runtime import Runtime

INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")
KIB, TICKS = 1024, os.sysconf("SC_CLK_TCK")


class ColdRuntime(Runtime):
    """A case in the runtime, which logs the duration of INIT. No byte-code is written."""

    def __init__(self, case: Case, environ: Mapping[str, str], folder: Path) -> None:
        # the code folders are read-only on Lambda
        super().__init__([*case.paths], {**environ, "PYTHONDONTWRITEBYTECODE": "1"}, folder)
        self._handler = case.handler

    def __enter__(self) -> Self:
        """Start on the CPU for the measured process."""
        with pinned_to(MEASURED_CPU):
            return super().__enter__()

    def init(self) -> float:
        """Return the seconds from the start of the interpreter until the handler is imported."""
        found = INIT.search(self.log())
        if found is None:
            raise RuntimeError(f"no INIT in the log of the runtime:\n{self.log()}")
        return float(found[1]) / 1000

    def function(self) -> Path:
        """Return the folder of the function's process in /proc."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            if _fields(stat)[1] == str(self._process.pid):
                return stat.parent
        raise RuntimeError(f"the function has ended:\n{self.log()}")

    def _command(self) -> list[str]:
        emulator, *arguments, _ = super()._command()
        return [emulator, "--log-level", "info", *arguments, self._handler]


def start(
    case: Case, event: object, environ: Mapping[str, str], folder: Path, times: int = 1
) -> tuple[Any, Sample]:
    """Start *case* in a new process and invoke it; return the last result, and the sample."""
    with ColdRuntime(case, environ, folder) as runtime, pinned_to(OTHER_CPU):
        begin = time.perf_counter()
        for _ in range(times):
            result = runtime.invoke(event)
        wall = time.perf_counter() - begin
        process = runtime.function()
        return result, Sample(wall, _cpu(process), runtime.init(), _peak(process))


def _fields(stat: Path) -> list[str]:
    """Return the fields after the program's name, which may contain blanks (man 5 proc)."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # the process has ended
        return ["", ""]


def _cpu(process: Path) -> float:
    """Return the seconds of CPU in user and system mode, in steps of 10 ms."""
    user, system = _fields(process / "stat")[11:13]
    return (int(user) + int(system)) / TICKS


def _peak(process: Path) -> float:
    """Return the peak of the resident memory, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
    if found is None:
        raise RuntimeError("/proc has no peak of the memory")
    return int(found[1]) / KIB
