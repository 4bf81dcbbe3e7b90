"""The AWS emulator as a child process that cannot outlive us."""

import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from sandbox.credentials import REGION
from sandbox.ports import free_port

WATCHDOG = Path(__file__).with_name("parent_watchdog.py")
START_SECONDS = 30
STOP_SECONDS = 10


class EmulatorFailed(Exception):
    """The emulator did not come up; the message names its log."""


class Emulator:
    """ministack at `endpoint` while it is entered, with IAM on; its files are in *directory*."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._directory = directory
        self._log = directory / "emulator.log"
        self._watchdog: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        temporary = self._directory / "tmp"
        temporary.mkdir(parents=True)
        server = [sys.executable, "-m", "hypercorn", "ministack.app:app"]
        command = [sys.executable, str(WATCHDOG), *server]
        with self._log.open("wb") as log:
            self._watchdog = subprocess.Popen(  # noqa: S603  our own command line
                [*command, "--bind", f"127.0.0.1:{self.port}"],
                env=self._environment(temporary),
                cwd=temporary,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the watchdog's pipe: it stops the emulator and all workers, then itself."""
        if self._watchdog is None or self._watchdog.stdin is None:
            return
        self._watchdog.stdin.close()
        try:
            self._watchdog.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:  # on a machine too busy even for that
            os.killpg(self._watchdog.pid, signal.SIGKILL)
            self._watchdog.wait()
        self._watchdog = None

    def _environment(self, temporary: Path) -> dict[str, str]:
        """A short one: the functions inherit whatever the emulator has."""
        return {
            "PATH": os.defpath,
            "PYTHONUTF8": "1",
            "HOME": str(temporary),
            "TMPDIR": str(temporary),
            "STATE_DIR": str(temporary / "state"),
            "S3_DATA_DIR": str(temporary / "s3"),
            "AUTH": "true",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._healthy():
            if time.monotonic() > deadline or (
                self._watchdog and self._watchdog.poll() is not None
            ):
                raise EmulatorFailed(f"the emulator did not start: see {self._log}")
            time.sleep(0.05)

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()
