"""The folder of the one sandbox that may run in a checkout."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OUTPUTS = "outputs.json"
_LOCK = "lock"
_KEPT_AT_THE_END = (_LOCK, "emulator.log")


class AlreadyRunning(Exception):
    """Another sandbox of this checkout is running; the message says which process it is."""


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """*folder*, ours alone and empty; afterwards only the emulator's log is left in it.

    The kernel gives the lock back when its holder dies, so nothing stale can keep it.
    """
    folder.mkdir(exist_ok=True)
    with (folder / _LOCK).open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            message = f"a sandbox is running here already (process {lock.read()}): use or stop it"
            raise AlreadyRunning(message) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        _empty(folder, but=(_LOCK,))
        try:
            yield folder
        finally:
            _empty(folder, but=_KEPT_AT_THE_END)


def _empty(folder: Path, but: tuple[str, ...]) -> None:
    for path in folder.iterdir():
        if path.name in but:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
