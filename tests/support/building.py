"""Support: make, a build by it, an AWS stub to run the build against, its state after a start."""

import json
import os
import platform
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.json_server import Request, json_server
from tests.support.runtime import PYTHON, environ_of
from tests.support.template import ROOT, load


def run_make(*arguments: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run make in *folder*, as from a shell: a make that runs these tests passes settings on."""
    return subprocess.run(  # noqa: S603 - our own command line
        ["make", *arguments],  # noqa: S607 - the user's make
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=False,
    )


def make_build(folder: Path) -> Path:
    """Return *folder* with a build in it; skip the test where nothing can be built."""
    if platform.system() != "Linux":
        pytest.skip("the Lambda runtime runs on Linux only")
    made = run_make("build", f"BUILD_DIR={folder}")
    assert made.returncode == 0, made.stdout + made.stderr
    if not folder.exists():
        pytest.skip(made.stderr.strip())
    return folder


def code_of(name: str, built: Path) -> list[Path]:
    """Return the search path of a function: its own code, then the layers."""
    template = load(built / "template.yaml")
    layers = [layer["Ref"] for layer in template["Globals"]["Function"]["Layers"]]
    code = template["Resources"][f"{name}Function"]["Properties"]["CodeUri"]
    return [built / code] + [built / layer / "python" for layer in layers]


class Aws(NamedTuple):
    """A stub of AWS: its address, and what it was asked."""

    address: str
    requests: list[Request]

    @property
    def operations(self) -> list[str]:
        """The operations called."""
        return [request.headers["X-Amz-Target"] for request in self.requests]


@contextmanager
def empty_table(context: ssl.SSLContext | None = None) -> Iterator[Aws]:
    """Yield a stub of AWS whose table is empty; with a *context* it uses TLS."""
    requests: list[Request] = []

    def answer(request: Request) -> tuple[int, dict[str, Any]]:
        requests.append(request)
        return 200, {"Items": [], "Count": 0, "ScannedCount": 0}

    with json_server(answer, context=context, keep_alive=True) as address:
        yield Aws(address, requests)


class Started(NamedTuple):
    """The state of a function after its start."""

    modules: set[str]
    looks_for_garbage: int
    looks_from_now_on: bool
    out_of_sight: int


_START = """
import gc, json, sys
looks = []
gc.callbacks.append(lambda phase, _: looks.append(phase))
import app
looked = len(looks)
print(json.dumps([sorted(sys.modules), looked, gc.isenabled(), gc.get_freeze_count()]))
"""


def started(paths: list[Path], environ: Mapping[str, str]) -> Started:
    """Start a function in a plain interpreter, as the Lambda runtime does."""
    ended = subprocess.run(  # noqa: S603 - our own command line
        [str(PYTHON), "-c", _START],
        env=environ_of(paths, environ),
        cwd=paths[0],
        capture_output=True,
        text=True,
        check=True,
    )
    modules, looked, enabled, frozen = json.loads(ended.stdout)
    return Started(set(modules), looked, enabled, frozen)
