"""The AWS emulator as a child process that ends with this one."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from sandbox.credentials import REGION

WATCHDOG = Path(__file__).with_name("parent_watchdog.py")
START_SECONDS = 30
STOP_SECONDS = 10


class EmulatorFailed(Exception):
    """The emulator did not start; the message names its log."""


class Emulator:
    """ministack with IAM on, at `endpoint` while it is entered; its files are in *directory*."""

    def __init__(self, directory: Path) -> None:
        self.port = 0
        self._directory = directory
        self._log = directory / "emulator.log"
        self._watchdog: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The URL of all its services."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        temporary = self._directory / "tmp"
        temporary.mkdir(parents=True)
        # The child inherits the socket: a port that is free now could be taken when it binds it.
        with socket.socket() as listener, self._log.open("wb") as log:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
            server = [sys.executable, "-m", "hypercorn", "ministack.app:app"]
            self._watchdog = subprocess.Popen(  # noqa: S603  our own command line
                [sys.executable, str(WATCHDOG), *server, "--bind", f"fd://{listener.fileno()}"],
                env=self._environment(temporary),
                cwd=temporary,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the watchdog's pipe: it ends the emulator and all its workers, then itself."""
        if self._watchdog is None or self._watchdog.stdin is None:
            return
        self._watchdog.stdin.close()
        try:
            self._watchdog.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:  # the machine is too busy
            os.killpg(self._watchdog.pid, signal.SIGKILL)
            self._watchdog.wait()
        self._watchdog = None

    def _environment(self, temporary: Path) -> dict[str, str]:
        """Only what is needed: the functions inherit the emulator's environment."""
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
