"""Packages functions and layers as `sam build` does, for the Python that runs the emulator."""

import hashlib
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from layers.build import build

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".sandbox-cache"


def package(source: Path) -> bytes:
    """The zip of a CodeUri or ContentUri; a layer's content is below `python/`, as in AWS."""
    if (source / "requirements.txt").exists():
        return _with_dependencies(source).read_bytes()
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch, "tree")
        build(source, top / "python" if source.name == "python" else top)
        return _zip(top, Path(scratch, "package.zip")).read_bytes()


def _with_dependencies(source: Path) -> Path:
    """The zip of *source* and its requirements; cached until one of them or Python changes."""
    own = sorted(path for path in source.iterdir() if path.is_file())
    files = [*own, Path(__file__), ROOT / "layers" / "build.py"]
    inputs = [sys.version.encode(), *(path.read_bytes() for path in files)]
    cached = CACHE / f"{source.name}-{hashlib.sha256(b''.join(inputs)).hexdigest()[:16]}.zip"
    if not cached.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            top = Path(scratch, "tree")
            content = top / "python" if source.parent.name == "layers" else top
            build(source, content)
            if content != top:
                _strip(content)
            _zip(top, Path(scratch, "package.zip")).replace(cached)
    return cached


def _strip(layer: Path) -> None:
    """Remove two of three files, because the emulator unpacks the layer again for each worker.

    Byte-code needs no source, and the workers find the time zones in the environment of this
    process, which they share.
    """
    shutil.rmtree(layer / "tzdata")
    for source in layer.rglob("*.py"):
        [compiled] = source.parent.glob(f"__pycache__/{source.stem}.*.pyc")
        compiled.replace(source.with_suffix(".pyc"))
        source.unlink()


def _zip(top: Path, target: Path) -> Path:
    """*target*, with the files of *top*; not compressed, so that cold starts are fast."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(top.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(top))
    return target
