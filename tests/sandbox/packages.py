"""What `sam build` makes of functions and layers, for the interpreter that runs the emulator."""

import compileall
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from py_compile import PycInvalidationMode

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".sandbox-cache"

SERVICES = ("dynamodb", "events", "sqs")
"""What the functions call; botocore describes 400 others."""

MODE = PycInvalidationMode.UNCHECKED_HASH
"""Compiled files that hold no time of their source's, for unpacking changes it."""


class PackagingFailed(Exception):
    """A layer could not be built; the message is what pip said."""


def package(source: Path) -> bytes:
    """The zip of a CodeUri or ContentUri: a layer's content below `python/`, as AWS wants it."""
    if (source / "requirements.txt").exists():
        return _with_dependencies(source).read_bytes()
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch, "tree")
        _copy(source, top / "python" if source.name == "python" else top)
        return _zipped(top, Path(scratch, "made.zip")).read_bytes()


def _with_dependencies(source: Path) -> Path:
    """The zip of *source* and what it requires, from the cache unless it or Python changed."""
    own = sorted(path for path in source.iterdir() if path.is_file())
    files = [*own, Path(__file__)]
    recipe = [sys.version.encode(), *(path.read_bytes() for path in files)]
    kept = CACHE / f"{source.name}-{hashlib.sha256(b''.join(recipe)).hexdigest()[:16]}.zip"
    if not kept.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            top = Path(scratch, "tree")
            content = top / "python" if source.parent.name == "layers" else top
            _install(source / "requirements.txt", content)
            _thin_out(content)
            _copy(source, content)
            _zipped(top, Path(scratch, "made.zip")).replace(kept)
    return kept


def _copy(source: Path, content: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, content, ignore=ignored, dirs_exist_ok=True)


def _install(requirements: Path, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    which = ["--require-hashes", "--requirement", str(requirements)]
    done = subprocess.run(  # noqa: S603  our own command line
        [*pip, *which, "--no-compile", "--target", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackagingFailed(f"pip could not install {requirements}:\n{done.stderr.strip()}")


def _thin_out(folder: Path) -> None:
    """Leave 800 of 5,200 files, for the emulator unpacks the layer anew for each worker.

    The time zones are found in our own environment, which the workers share.
    """
    for described in (folder / "botocore" / "data").glob("*/"):
        if described.name not in SERVICES:
            shutil.rmtree(described)
    shutil.rmtree(folder / "tzdata", ignore_errors=True)  # the subscriber has none
    compileall.compile_dir(folder, quiet=2, legacy=True, stripdir=folder, invalidation_mode=MODE)
    for source in folder.rglob("*.py"):
        source.unlink()


def _zipped(top: Path, target: Path) -> Path:
    """*top* with its modules compiled, and not compressed, both for the sake of cold starts."""
    compileall.compile_dir(top, quiet=2, stripdir=top, invalidation_mode=MODE)
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(top.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(top))
    return target
