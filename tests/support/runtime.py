"""Support: the Lambda runtime on this machine, by the SAM CLI's emulator without a container."""

import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.json_server import free_port
from tests.support.template import ROOT

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine())
PYTHON = ROOT / ".venv-runtime" / "bin" / "python"
START = 20.0
"""Seconds within which the emulator must listen."""


def environ_of(paths: list[Path], environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* and what Lambda adds to it: the code's path, the function's name, keys."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "LAMBDA_TASK_ROOT": str(paths[0]),
        "AWS_LAMBDA_FUNCTION_NAME": "payresult",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",  # the emulator does not pass AWS_REGION on
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        **environ,
    }


class Runtime:
    """One function in the runtime, for the duration of a ``with`` block.

    It can import *paths* and the runtime's own client, and nothing from the tests' environment.
    """

    def __init__(self, paths: list[Path], environ: Mapping[str, str], place: Path) -> None:
        self._paths = paths
        self._environ = environ
        self._log = place / "runtime.log"
        self._emulator = place / "lambda-runtime"
        self._port = free_port()

    def __enter__(self) -> Self:
        """Start the emulator; the function starts with the first invocation."""
        [packed] = ROOT.glob(f".venv-sam/lib/*/site-packages/samcli/local/rapid/*-{ARCHITECTURE}")
        shutil.copy(packed, self._emulator)  # a wheel may lose the executable bit
        self._emulator.chmod(0o755)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                self._command(),
                env=environ_of(self._paths, self._environ),
                cwd=self._paths[0],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the emulator and the function."""
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def invoke(self, event: object) -> Any:
        """Return what the handler returned, or its error document: both have the status 200."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=40)
        try:
            path = "/2015-03-31/functions/function/invocations"
            connection.request("POST", path, json.dumps(event))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def log(self) -> str:
        """Return the output of the runtime and the function."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _command(self) -> list[str]:
        serve = ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        inside = ["--runtime-api-address", f"127.0.0.1:{free_port()}"]
        client = [str(PYTHON), "-m", "awslambdaric", "app.handler"]
        return [str(self._emulator), *serve, *inside, *client]

    def _wait(self) -> None:
        end = time.monotonic() + START
        while self._process.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.02)
        message = f"the runtime did not start: {self.log()}"
        raise RuntimeError(message)
