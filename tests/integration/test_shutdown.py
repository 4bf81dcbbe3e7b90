"""Contract of the sandbox: one in a checkout, clear errors at start, no process left at its end."""

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from socketserver import TCPServer

import pytest

from sandbox.packages import ROOT
from sandbox.signing_proxy import PortUnavailable, SigningProxy
from sandbox.waiting import wait_for
from sandbox.workspace_lock import AlreadyRunning, locked_workspace

# A shell's background job ignores SIGINT, and its children inherit that.
PARENT = """
import signal, sys, time
from pathlib import Path
from sandbox.emulator import Emulator
signal.signal(signal.SIGINT, signal.default_int_handler)
with Emulator(Path(sys.argv[1])) as emulator:
    print(emulator.port, flush=True)
    time.sleep(100)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_emulator_ends_with_its_parent_however_that_ends(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Also if the parent was killed and could not stop anything, as SIGTERM does to Python."""
    with subprocess.Popen(  # noqa: S603 - our own command line
        [sys.executable, "-c", PARENT, str(tmp_path / "emulator")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as parent:
        assert parent.stdout
        port = int(parent.stdout.readline())
        assert _listens(port)
        os.kill(parent.pid, number)

    wait_for("the emulator's end", lambda: not _listens(port), 15)


def test_a_second_sandbox_fails_and_names_the_first(tmp_path: Path) -> None:
    """The message has the process id of the one that runs."""
    with locked_workspace(tmp_path), pytest.raises(AlreadyRunning, match=str(os.getpid())):  # noqa: SIM117 - the order matters
        with locked_workspace(tmp_path):
            pass


def test_the_files_of_an_earlier_sandbox_are_removed(tmp_path: Path) -> None:
    """After a kill too; on exit only the emulator's log is kept."""
    (tmp_path / "tmp" / "ministack-lambda-x").mkdir(parents=True)
    (tmp_path / "outputs.json").write_text("{}")

    with locked_workspace(tmp_path):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["lock"]
        (tmp_path / "emulator.log").touch()
        (tmp_path / "outputs.json").touch()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["emulator.log", "lock"]


def test_a_port_in_use_is_named() -> None:
    """The message says how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortUnavailable, match=rf"port {port}: Address.* in use: .*PORT="):
            SigningProxy(port)


def test_a_port_that_one_may_not_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As port 80 to all but root: nobody listens there who could be stopped."""

    def deny(_server: TCPServer) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(TCPServer, "server_bind", deny)
    with pytest.raises(PortUnavailable, match="port 80: Permission denied: "):
        SigningProxy(80)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
