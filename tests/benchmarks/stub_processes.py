"""Starts, configures and ends the stub processes, and reads their counts."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import trustme

from tests.benchmarks.cpu_pinning import OTHER_CPU, pinned_to
from tests.support.template import ROOT, deployed_environment


@dataclass(frozen=True, slots=True)
class StubCounts:
    """What a stub counted since it was last configured."""

    waits: dict[str, list[float]]
    """By the header x-amz-target, for each call the seconds between the last byte of the request
    and the first of the response."""
    connections: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    @property
    def calls(self) -> dict[str, int]:
        """The number of calls by operation."""
        return {target.rpartition(".")[2]: len(waits) for target, waits in self.waits.items()}

    @property
    def total_wait(self) -> float:
        """The seconds that all calls waited, each counted as the median of its target."""
        return sum(median(waits) * len(waits) for waits in self.waits.values())

    @property
    def wait(self) -> float:
        """The median of the seconds that a call waits."""
        return median(each for waits in self.waits.values() for each in waits)


class Stub:
    """A stub process, which listens at ``url``."""

    def __init__(self, kind: str, certificate: Path) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.stub_server", kind, str(certificate)]
        with pinned_to(OTHER_CPU):
            self._process = subprocess.Popen(  # noqa: S603 - a fixed command
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        self.url = f"https://127.0.0.1:{int(self._read())}"

    def configure(self, delay: float, *, close: bool = False) -> StubCounts:
        """Respond after *delay* seconds from now on; return the counts so far."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"delay": delay, "close": close}) + "\n")
        self._process.stdin.flush()
        counts: dict[str, Any] = json.loads(self._read())
        return StubCounts(**counts)

    def end(self) -> None:
        """End the process."""
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a stub has ended; the reason is on standard error")
        return line


@dataclass(frozen=True, slots=True)
class Stubs:
    """Both stubs, and the environment of a function that uses them."""

    gateway: Stub
    aws: Stub
    environ: dict[str, str]

    def configure(
        self, gateway: float = 0.0, aws: float = 0.0, *, close: bool = False
    ) -> tuple[StubCounts, StubCounts]:
        """Set both delays, and *close* of the gateway. Return the counts of each so far."""
        return self.gateway.configure(gateway, close=close), self.aws.configure(aws)


@contextmanager
def running_stubs(folder: Path) -> Iterator[Stubs]:
    """Yield both stubs, with their certificates in *folder*."""
    authority = trustme.CA()
    root, certificate = folder / "root.pem", folder / "certificate.pem"
    authority.cert_pem.write_to_path(root)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    with ExitStack() as stack:
        stubs = []
        for kind in ("gateway", "aws"):
            stubs.append(Stub(kind, certificate))
            stack.callback(stubs[-1].end)
        gateway, aws = stubs
        deployed = deployed_environment(GatewayBaseUrl=f"{gateway.url}/payment")
        yield Stubs(
            gateway,
            aws,
            deployed
            | {
                "AWS_ENDPOINT_URL": aws.url,
                "QUEUE_URL": f"{aws.url}/123456789012/checks",
                "BENCHMARK_ROOT": str(root),
            },
        )
