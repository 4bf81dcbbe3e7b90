"""The sandbox starts once in a checkout, says what is in its way, and leaves nobody behind."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.packages import ROOT
from sandbox.signing_proxy import Front, PortInUse
from sandbox.waiting import wait_for
from sandbox.workspace_lock import AlreadyRunning, claimed

PARENT = """
import sys, time
from pathlib import Path
from sandbox.emulator import Emulator
with Emulator(Path(sys.argv[1])) as emulator:
    print(emulator.port, flush=True)
    time.sleep(100)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_emulator_ends_with_its_parent_however_that_ends(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Even where the parent had no chance to stop anything."""
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


def test_a_second_sandbox_is_told_of_the_first(tmp_path: Path) -> None:
    """One clear line, with the process that is running."""
    with claimed(tmp_path), pytest.raises(AlreadyRunning, match=str(os.getpid())):  # noqa: SIM117 - the order matters
        with claimed(tmp_path):
            pass


def test_what_an_earlier_sandbox_left_is_removed(tmp_path: Path) -> None:
    """Whatever it was killed by; afterwards the emulator's log stays, to be read."""
    (tmp_path / "tmp" / "ministack-lambda-x").mkdir(parents=True)
    (tmp_path / "outputs.json").write_text("{}")

    with claimed(tmp_path):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["lock"]
        (tmp_path / "emulator.log").touch()
        (tmp_path / "outputs.json").touch()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["emulator.log", "lock"]


def test_a_port_in_use_is_named() -> None:
    """With the way to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"port {port} is in use.*PORT="):
            Front(port)


def _listens(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.connect()
    except OSError:
        return False
    else:
        return True
    finally:
        connection.close()
