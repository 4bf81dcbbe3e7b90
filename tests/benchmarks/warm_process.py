"""A handler in a process that is warm, called by a worker."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.build import Case
from tests.benchmarks.cpus import MEASURED, on
from tests.benchmarks.figures import Sample
from tests.contract.runtime import PYTHON, environ_of

WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that has imported a handler."""

    _process: "subprocess.Popen[str]"

    def call(self, event: Any, times: int = 1) -> tuple[Any, Sample]:
        """Return the last answer, and what a call takes: median wall, mean CPU."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"event": event, "times": times}) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline() or "null")
        if told is None:
            raise RuntimeError("a worker ended, and said why on standard error")
        return told["answer"], Sample(median(told["seconds"]), told["cpu"] / times)


@contextmanager
def worker(case: Case, environ: Mapping[str, str]) -> Iterator[Worker]:
    """Yield a worker for *case*."""
    with on(MEASURED):
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [str(PYTHON), "-P", str(WORKER), case.handler],
            env=environ_of([*case.paths], {**environ, "PYTHONDONTWRITEBYTECODE": "1"}),
            cwd=case.paths[0],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    try:
        yield Worker(process)
    finally:
        process.communicate()
