"""Starts, configures and ends the stub processes (``stub_server.py``), and reads their counts."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import trustme

from tests.benchmarks.processes import OTHER, pinned_to
from tests.support.template import ROOT, deployed_environment


class StubCounts(dict[str, list[float]]):
    """By the header x-amz-target, for each call the seconds that it waited for the response."""

    @property
    def calls(self) -> int:
        """The number of calls."""
        return sum(map(len, self.values()))

    @property
    def total_wait(self) -> float:
        """The seconds that all calls waited, each counted as the median of its target."""
        return sum(median(waits) * len(waits) for waits in self.values())

    @property
    def wait(self) -> float:
        """The median of the seconds that a call waits."""
        return median(each for waits in self.values() for each in waits)


class Stub:
    """A stub process, which listens at ``url``."""

    def __init__(self, kind: str, certificate: Path) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.stub_server", kind, str(certificate)]
        with pinned_to(OTHER):
            process = subprocess.Popen(  # noqa: S603 - a fixed command
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._input, self._output = process, process.stdin, process.stdout
        self.url = f"https://127.0.0.1:{int(self._output.readline())}"

    def configure(self, delay: float) -> StubCounts:
        """Respond after *delay* seconds from now on; return the counts so far."""
        self._input.write(f"{delay}\n")
        self._input.flush()
        return StubCounts(json.loads(self._output.readline()))

    def end(self) -> None:
        """End the process."""
        self._process.communicate()


class Stubs(NamedTuple):
    """Both stubs, and the environment of a function that uses them."""

    gateway: Stub
    aws: Stub
    environ: dict[str, str]

    def configure(self, gateway: float = 0.0, aws: float = 0.0) -> tuple[StubCounts, StubCounts]:
        """Set both delays. Return the counts of each so far."""
        return self.gateway.configure(gateway), self.aws.configure(aws)


@contextmanager
def running_stubs(folder: Path) -> Iterator[Stubs]:
    """Yield both stubs, with their certificates in *folder*."""
    authority = trustme.CA()
    root, certificate = folder / "root.pem", folder / "certificate.pem"
    authority.cert_pem.write_to_path(root)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    with ExitStack() as stack:
        gateway, aws = (Stub(kind, certificate) for kind in ("gateway", "aws"))
        for stub in (gateway, aws):
            stack.callback(stub.end)
        environ = deployed_environment(GatewayBaseUrl=f"{gateway.url}/payment") | {
            "AWS_ENDPOINT_URL": aws.url,
            "QUEUE_URL": f"{aws.url}/123456789012/checks",
            "BENCHMARK_ROOT": str(root),
        }
        yield Stubs(gateway, aws, environ)
