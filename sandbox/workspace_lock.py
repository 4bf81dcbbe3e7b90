"""The folder `.sandbox`, which one running sandbox of a clone owns at a time."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OUTPUTS = "outputs.json"
_LOCK = "lock"
_KEPT_ON_EXIT = (_LOCK, "emulator.log")


class AlreadyRunning(Exception):
    """Another sandbox of this clone is running; the message has its process id."""


@contextmanager
def locked_workspace(folder: Path) -> Iterator[Path]:
    """*folder*, locked and emptied; on exit only the emulator's log is left in it.

    The lock is a kernel lock: it is released when its process dies, so it is never stale.
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
        _empty(folder, keep=(_LOCK,))
        try:
            yield folder
        finally:
            _empty(folder, keep=_KEPT_ON_EXIT)


def _empty(folder: Path, keep: tuple[str, ...]) -> None:
    for path in folder.iterdir():
        if path.name in keep:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
