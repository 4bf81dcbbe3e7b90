"""Cold starts under the Lambda runtime that the SAM CLI brings."""

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.benchmarks.build import Case
from tests.benchmarks.cpus import MEASURED, REST, on
from tests.benchmarks.figures import Sample
from tests.contract.runtime import Runtime

INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")
KIB, TICKS = 1024, os.sysconf("SC_CLK_TCK")


class ColdRuntime(Runtime):
    """A case in the runtime, told to report how long INIT takes. Nothing is compiled on the way."""

    def __init__(self, case: Case, environ: Mapping[str, str], place: Path) -> None:
        # The package folder of Lambda cannot be written to.
        super().__init__([*case.paths], {**environ, "PYTHONDONTWRITEBYTECODE": "1"}, place)
        self._handler = case.handler

    def __enter__(self) -> Self:
        """Start on the CPU of what is measured."""
        with on(MEASURED):
            return super().__enter__()

    def init(self) -> float:
        """Seconds from the start of the interpreter until the handler is imported."""
        found = INIT.search(self.log())
        if found is None:
            raise RuntimeError(f"no INIT in what the runtime says:\n{self.log()}")
        return float(found[1]) / 1000

    def function(self) -> Path:
        """The folder of the function's process below /proc."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            if _fields(stat)[1] == str(self._process.pid):
                return stat.parent
        raise RuntimeError(f"the function has ended:\n{self.log()}")

    def _command(self) -> list[str]:
        emulator, *arguments, _ = super()._command()
        return [emulator, "--log-level", "info", *arguments, self._handler]


def start(
    case: Case, event: object, environ: Mapping[str, str], place: Path, times: int = 1
) -> tuple[Any, Sample]:
    """Start *case* afresh and invoke it; return its last answer, and what all of it took."""
    with ColdRuntime(case, environ, place) as runtime, on(REST):
        begin = time.perf_counter()
        for _ in range(times):
            answer = runtime.invoke(event)
        wall = time.perf_counter() - begin
        process = runtime.function()
        return answer, Sample(wall, _cpu(process), runtime.init(), _peak(process))


def _fields(stat: Path) -> list[str]:
    """The fields that follow the name of the program, which may hold blanks (man 5 proc)."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return ["", ""]


def _cpu(process: Path) -> float:
    """Seconds of CPU, in user and in system mode, in steps of 10 ms."""
    user, system = _fields(process / "stat")[11:13]
    return (int(user) + int(system)) / TICKS


def _peak(process: Path) -> float:
    """The most memory that was resident, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
    if found is None:
        raise RuntimeError("/proc does not tell the peak of the memory")
    return int(found[1]) / KIB
