"""Runs a command, and ends it and all its children when standard input is closed.

The kernel closes that pipe when the parent process dies, in whatever way, `kill -9` included.
The watchdog leads a session of its own, so that Ctrl-C reaches the sandbox only, which then stops
its parts in order.
"""

import os
import signal
import subprocess
import sys
import threading
import time

GRACE_SECONDS = 5


def run(command: list[str]) -> None:
    """Run *command* until it exits or standard input is closed; then kill the process group."""
    # The command inherits the socket that it listens on.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False)  # noqa: S603  our caller's own
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(child,), name="parent-watchdog", daemon=True).start()
    child.wait()
    os.killpg(0, signal.SIGKILL)  # the workers that the command left, and this process


def _watch(child: subprocess.Popen[bytes]) -> None:
    sys.stdin.buffer.read()
    child.terminate()
    time.sleep(GRACE_SECONDS)
    child.kill()


if __name__ == "__main__":
    run(sys.argv[1:])
