"""What is measured, as folders that a function of Lambda would find its code in.

All of it is installed by the pinned hashes, for the Python of Lambda: ours by `make build`, the
cases we compare with by the same lock files.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.contract.building import code_of
from tests.contract.runtime import PYTHON
from tests.support.template import ROOT

CASES = Path(__file__).parent / "cases"
SHIPS = ROOT / "layers" / "dependencies" / "requirements.txt"
DEV = ROOT / "requirements/dev.txt"
COMPARED = (
    *("annotated-types", "boto3", "pydantic", "s3transfer", "typing-inspection"),
    *("certifi", "charset-normalizer", "idna", "requests"),
)
"""What `typical` and `sequential` need besides what ships."""

COMPILE = ["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]


@dataclass(frozen=True, slots=True)
class Case:
    """A handler, and the folders in which it finds all that it imports."""

    handler: str
    paths: tuple[Path, ...]


class Workshop:
    """Everything built, in *place*: ours as it ships, the rest without byte-code and with it."""

    def __init__(self, place: Path) -> None:
        self._ours, self._trust = place / "ours", place / "trust"
        self._plain, self._compiled = place / "plain", place / "compiled"
        _make_build(self._ours)
        _install(self._plain)
        shutil.copytree(self._plain, self._compiled)
        self._trust.mkdir()
        shutil.copy(CASES / "sitecustomize.py", self._trust)
        _python(*COMPILE, str(self._compiled), str(self._trust))

    def function(self, name: str) -> Case:
        """One of ours."""
        return Case("app.handler", (*code_of(name, self._ours), self._trust))

    def part(self, name: str) -> Case:
        """One of ``cases`` that drives a part of ours, out of the layers that ship."""
        _, *layers = self.function("Checks").paths
        return Case(f"{name}.handler", (self._compiled / "cases", *layers))

    def compared(self, name: str, *, compiled: bool = True) -> Case:
        """One of ``cases`` that has nothing of ours, with byte-code or without."""
        built = self._compiled if compiled else self._plain
        return Case(f"{name}.handler", (built / "cases", built / "packages", self._trust))


def _make_build(folder: Path) -> None:
    command = ["make", "build", f"BUILD_DIR={folder}"]
    # The make that started us has told its own settings to its children.
    foreign = ("MAKE", "PYTHONPATH")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    _run(command, environ | {"CI": "true"})


def _install(folder: Path) -> None:
    shutil.copytree(CASES, folder / "cases", ignore=shutil.ignore_patterns("__*", "sitecustomize*"))
    wanted = folder / "requirements.txt"
    wanted.write_text(SHIPS.read_text() + pins(DEV.read_text(), COMPARED))
    quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    pinned = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile"]
    _python(*quiet, *pinned, "--target", str(folder / "packages"), "-r", str(wanted))


def pins(lock: str, packages: Iterable[str]) -> str:
    """Return the lines of *lock* that pin *packages*, with their hashes."""
    blocks = re.findall(r"^\S.*\n(?: +.*\n)*", lock, re.MULTILINE)
    return "".join(it for it in blocks if it.partition("==")[0] in packages)


def _python(*arguments: str) -> None:
    _run([str(PYTHON), *arguments], dict(os.environ))


def _run(command: list[str], environ: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own command line
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
