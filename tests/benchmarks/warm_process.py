"""A handler in a warm process, which a worker calls and measures."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.build import Case
from tests.benchmarks.cpu_pinning import MEASURED_CPU, pinned_to
from tests.benchmarks.figures import Sample
from tests.support.runtime import PYTHON, environ_of

WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that has imported a handler (see ``worker.py``)."""

    _process: "subprocess.Popen[str]"

    def call(self, event: Any, times: int = 1) -> tuple[Any, Sample]:
        """Return the last result, and the median wall time and mean CPU time of a call."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"event": event, "times": times}) + "\n")
        self._process.stdin.flush()
        message = json.loads(self._process.stdout.readline() or "null")
        if message is None:
            raise RuntimeError("a worker has ended; the reason is on standard error")
        return message["result"], Sample(median(message["seconds"]), message["cpu"] / times)


@contextmanager
def worker(case: Case, environ: Mapping[str, str]) -> Iterator[Worker]:
    """Yield a worker for *case*."""
    with pinned_to(MEASURED_CPU):
        process = subprocess.Popen(  # noqa: S603 - a fixed command
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
