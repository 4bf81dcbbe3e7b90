"""What `sam build` makes of functions and layers, for the interpreter that runs the emulator."""

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
    """The zip of a CodeUri or ContentUri: a layer's content below `python/`, as AWS wants it."""
    if (source / "requirements.txt").exists():
        return _with_dependencies(source).read_bytes()
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch, "tree")
        build(source, top / "python" if source.name == "python" else top)
        return _zipped(top, Path(scratch, "made.zip")).read_bytes()


def _with_dependencies(source: Path) -> Path:
    """The zip of *source* and what it requires, from the cache unless it or Python changed."""
    own = sorted(path for path in source.iterdir() if path.is_file())
    files = [*own, Path(__file__), ROOT / "layers" / "build.py"]
    recipe = [sys.version.encode(), *(path.read_bytes() for path in files)]
    kept = CACHE / f"{source.name}-{hashlib.sha256(b''.join(recipe)).hexdigest()[:16]}.zip"
    if not kept.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            top = Path(scratch, "tree")
            content = top / "python" if source.parent.name == "layers" else top
            build(source, content)
            if content != top:
                _thin_out(content)
            _zipped(top, Path(scratch, "made.zip")).replace(kept)
    return kept


def _thin_out(layer: Path) -> None:
    """Leave 700 of 2,000 files, for the emulator unpacks the layer anew for each worker.

    Modules need no source, and the time zones are found in our own environment, which the
    workers share.
    """
    shutil.rmtree(layer / "tzdata")
    for source in layer.rglob("*.py"):
        [compiled] = source.parent.glob(f"__pycache__/{source.stem}.*.pyc")
        compiled.replace(source.with_suffix(".pyc"))
        source.unlink()


def _zipped(top: Path, target: Path) -> Path:
    """*top*, not compressed, for the sake of cold starts."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(top.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(top))
    return target
