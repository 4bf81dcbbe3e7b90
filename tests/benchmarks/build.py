"""Builds what is measured, as the folders that a Lambda function would have.

All packages are installed with pinned hashes, for the Python of Lambda: payresult by `make build`,
the cases that it is compared with from the same lock files.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.support.building import code_of
from tests.support.runtime import PYTHON
from tests.support.template import ROOT

CASES = Path(__file__).parent / "cases"
SHIPS = ROOT / "layers" / "dependencies" / "requirements.txt"
DEV = ROOT / "requirements/dev.txt"
COMPARED = (
    *("annotated-types", "boto3", "pydantic", "s3transfer", "typing-inspection"),
    *("certifi", "charset-normalizer", "idna", "requests"),
)
"""The packages that `typical` needs in addition to those that ship."""

COMPILE = ["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]


@dataclass(frozen=True, slots=True)
class Case:
    """A handler, and the folders of its imports."""

    handler: str
    paths: tuple[Path, ...]


class BuiltCases:
    """All cases, built in *folder*: payresult as it ships, others with and without byte-code."""

    def __init__(self, folder: Path) -> None:
        self._ours, self._trust = folder / "ours", folder / "trust"
        self._plain, self._compiled = folder / "plain", folder / "compiled"
        _make_build(self._ours)
        _install(self._plain)
        shutil.copytree(self._plain, self._compiled)
        self._trust.mkdir()
        shutil.copy(CASES / "sitecustomize.py", self._trust)
        _python(*COMPILE, str(self._compiled), str(self._trust))

    def function(self, name: str) -> Case:
        """Return a function of payresult."""
        return Case("app.handler", (*code_of(name, self._ours), self._trust))

    def compared(self, name: str, *, compiled: bool = True) -> Case:
        """Return the case of ``cases`` that does not use payresult, with or without byte-code."""
        built = self._compiled if compiled else self._plain
        return Case(f"{name}.handler", (built / "cases", built / "packages", self._trust))


def _make_build(folder: Path) -> None:
    command = ["make", "build", f"BUILD_DIR={folder}"]
    # settings that the calling make passes to its child processes
    inherited = ("MAKE", "PYTHONPATH")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(inherited)}
    _run(command, environ | {"CI": "true"})


def _install(folder: Path) -> None:
    shutil.copytree(CASES, folder / "cases", ignore=shutil.ignore_patterns("__*", "sitecustomize*"))
    wanted = folder / "requirements.txt"
    wanted.write_text(SHIPS.read_text() + pins(DEV.read_text(), COMPARED))
    quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    pinned = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile"]
    _python(*quiet, *pinned, "--target", str(folder / "packages"), "-r", str(wanted))


def pins(lock: str, packages: Iterable[str]) -> str:
    """Return the lines of the lock file *lock* that pin *packages*, with their hashes."""
    blocks = re.findall(r"^\S.*\n(?: +.*\n)*", lock, re.MULTILINE)
    return "".join(it for it in blocks if it.partition("==")[0] in packages)


def _python(*arguments: str) -> None:
    _run([str(PYTHON), *arguments], dict(os.environ))


def _run(command: list[str], environ: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - a fixed command
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
