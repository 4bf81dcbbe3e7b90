"""The stubs, started, told what to do, asked what they counted, and ended."""

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

from tests.benchmarks.cpus import REST, on
from tests.support.template import ROOT, deployed_environment


@dataclass(frozen=True, slots=True)
class Counted:
    """What a stub saw since it was last asked."""

    waits: dict[str, list[float]]
    """By the header x-amz-target, for each call the seconds between the last byte of the request
    and the first of the answer."""
    connections: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    @property
    def calls(self) -> dict[str, int]:
        """How many calls there were, by the name of the operation."""
        return {target.rpartition(".")[2]: len(waits) for target, waits in self.waits.items()}

    @property
    def waited(self) -> float:
        """Seconds that the calls waited in sum, each counted as the median of its kind."""
        return sum(median(waits) * len(waits) for waits in self.waits.values())

    @property
    def wait(self) -> float:
        """Seconds that a call waits, whichever it is."""
        return median(each for waits in self.waits.values() for each in waits)


class Stub:
    """A stub in its own process. *url* is where it listens."""

    def __init__(self, kind: str, certificate: Path) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.stub", kind, str(certificate)]
        with on(REST):
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        self.url = f"https://127.0.0.1:{int(self._read())}"

    def tell(self, delay: float, *, close: bool = False) -> Counted:
        """Answer after *delay* seconds from now on; return what was counted until now."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"delay": delay, "close": close}) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._read())
        return Counted(**told)

    def end(self) -> None:
        """End the process."""
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a stub ended, and said why on standard error")
        return line


@dataclass(frozen=True, slots=True)
class World:
    """Both stubs, and the environment in which a function talks to them."""

    gateway: Stub
    aws: Stub
    environ: dict[str, str]

    def tell(
        self, gateway: float = 0.0, aws: float = 0.0, *, close: bool = False
    ) -> tuple[Counted, Counted]:
        """Set both delays; *close* is for the gateway. Return what each counted until now."""
        return self.gateway.tell(gateway, close=close), self.aws.tell(aws)


@contextmanager
def world(place: Path) -> Iterator[World]:
    """Yield a world whose files are in *place*."""
    authority = trustme.CA()
    root, certificate = place / "root.pem", place / "certificate.pem"
    authority.cert_pem.write_to_path(root)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    with ExitStack() as ending:
        stubs = []
        for kind in ("gateway", "aws"):
            stubs.append(Stub(kind, certificate))
            ending.callback(stubs[-1].end)
        gateway, aws = stubs
        deployed = deployed_environment(GatewayBaseUrl=f"{gateway.url}/payment")
        yield World(
            gateway,
            aws,
            deployed
            | {
                "AWS_ENDPOINT_URL": aws.url,
                "QUEUE_URL": f"{aws.url}/123456789012/checks",
                "BENCHMARK_ROOT": str(root),
            },
        )
