"""What `cli/payresult` says about the sandbox's payments, from one process that stays.

The command runs in a process of its own: nothing of the sandbox imports payresult's code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from threading import Lock
from typing import TYPE_CHECKING, Any

from sandbox.credentials import REGION
from sandbox.deploy import STACK_NAME
from sandbox.packages import ROOT
from sandbox.running import aws_environment

if TYPE_CHECKING:
    from sandbox.credentials import Credentials

_STOP_SECONDS = 5
_PATHS = (ROOT / "cli", ROOT / "layers" / "payresult" / "python")


class CommandFailed(Exception):
    """The command was not carried out."""


class CommandLine:
    """Runs commands one at a time; the process starts with the first, and `close` ends it."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(self, *arguments: str) -> list[dict[str, Any]]:
        """The JSON objects that the command writes; CommandFailed if it was not carried out."""
        line = json.dumps([*arguments, "--sandbox", "--json"]) + "\n"
        with self._lock:
            answer = self._ask(line)
        code, written = json.loads(answer) if answer else (None, "")
        if code not in (0, 1):  # 1: something in the output needs attention
            raise CommandFailed(f"payresult {' '.join(arguments)}")
        return [json.loads(each) for each in written.splitlines()]

    def close(self) -> None:
        """End the process; a command that runs fails."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        with process:
            process.wait(_STOP_SECONDS)

    def _ask(self, line: str) -> str:
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        stdin, stdout = self._process.stdin, self._process.stdout
        try:
            if stdin is None or stdout is None:
                return ""
            stdin.write(line)
            stdin.flush()
            return stdout.readline()
        except (OSError, ValueError):  # it has ended, or its pipes are closed
            return ""

    def _start(self) -> subprocess.Popen[str]:
        outputs = {
            "accessKeyId": self._credentials.access_key_id,
            "secretAccessKey": self._credentials.secret_access_key,
            "region": REGION,
        }
        environment = aws_environment(outputs) | {
            "AWS_ENDPOINT_URL": self._credentials.endpoint,
            "PYTHONPATH": os.pathsep.join(map(str, _PATHS)),
            "PYTHONUTF8": "1",
        }
        return subprocess.Popen(  # noqa: S603  our own command line
            [sys.executable, "-P", "-m", "payresult_cli.lines", STACK_NAME],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C reaches the sandbox only
        )
