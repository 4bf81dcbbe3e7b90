"""Makes what ships: a source, what it requires, and the byte-code of both.

    python3.13 build.py SOURCE TARGET

Lambda keeps its code read-only, so without byte-code it would compile every module again in each
cold start. It is of the kind that is valid whatever the time of its source, for zips change that,
and for the Python that runs this alone, so that is the one of the functions.
"""

import compileall
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from py_compile import PycInvalidationMode

LAMBDA = ("manylinux2014_aarch64", "manylinux2014_x86_64")
"""Compiled modules have the processor in their name, so one layer holds them for both."""

SERVICES = ("dynamodb", "events", "sqs")
"""What the functions call; botocore describes 400 others."""

AMAZON_ROOTS = (
    *(f"Amazon Root CA {number}" for number in range(1, 5)),
    "Starfield Services Root Certificate Authority - G2",
)
"""What Amazon Trust Services wants in the store of whoever keeps one (its page "Repository")."""

PIP = (
    *("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"),
    *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile"),
)
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "requirements.txt")


_LABELLED = re.compile(
    r'^# Label: "([^"\n]+)"$.+?(-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n)',
    re.MULTILINE | re.DOTALL,
)


class BuildFailed(Exception):
    """Something could not be built; the message is what pip or the compiler said."""


def build(source: Path, target: Path, platforms: Sequence[str] = ()) -> None:
    """Put into *target* what *source* holds and requires, compiled.

    What is required is fetched for each of *platforms* (pip's names), by default for this one.
    """
    requirements = source / "requirements.txt"
    if requirements.exists():
        for platform in platforms or (None,):
            _install(requirements, target, platform)
        if (target / "botocore").exists():
            trim(target / "botocore" / "data")
            add_amazon_roots(target / "botocore")
    shutil.copytree(source, target, ignore=NOT_SHIPPED, dirs_exist_ok=True)
    mode = PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(target, quiet=1, stripdir=target, invalidation_mode=mode):
        raise BuildFailed(f"{source} does not compile")


def trim(data: Path) -> None:
    """Leave of botocore's *data* what SERVICES need.

    The first client of a process looks through all services, and reads the endpoints of all.
    """
    for described in data.glob("*/"):
        if described.name not in SERVICES:
            shutil.rmtree(described)
    endpoints = data / "endpoints.json"
    document = json.loads(endpoints.read_text(encoding="utf-8"))
    for partition in document["partitions"]:
        known = partition["services"]
        partition["services"] = {name: known[name] for name in SERVICES if name in known}
    endpoints.write_text(json.dumps(document), encoding="utf-8")


def add_amazon_roots(botocore: Path) -> None:
    """Copy AMAZON_ROOTS out of the roots in *botocore* to a file beside them.

    A client reads its file of roots anew for each connection, and all of them take 15 ms.
    """
    bundle = (botocore / "cacert.pem").read_text(encoding="utf-8")
    labelled = dict(_LABELLED.findall(bundle))
    missing = [name for name in AMAZON_ROOTS if name not in labelled]
    if missing:
        raise BuildFailed(f"botocore's cacert.pem has no {', '.join(missing)}")
    chosen = "".join(labelled[name] for name in AMAZON_ROOTS)
    (botocore / "amazon-roots.pem").write_text(chosen, encoding="utf-8")


def _install(requirements: Path, target: Path, platform: str | None) -> None:
    """Add the pinned packages to *target*, without what tells where and when it was done."""
    chosen = ["--platform", platform] if platform else []
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(  # noqa: S603 - our own command line
            [
                sys.executable,
                *PIP,
                "--target",
                scratch,
                "--requirement",
                str(requirements),
                *chosen,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BuildFailed(f"pip could not install {requirements}:\n{done.stderr.strip()}")
        shutil.rmtree(Path(scratch, "bin"), ignore_errors=True)  # with the path of this Python
        for record in Path(scratch).glob("*.dist-info/RECORD"):
            record.unlink()
        shutil.copytree(scratch, target, dirs_exist_ok=True)


def size(target: Path) -> str:
    """Return what *target* comes to, in words, and its digest: the same for the same content."""
    files = sorted(path for path in target.rglob("*") if path.is_file())
    contents = [path.read_bytes() for path in files]
    named = zip(files, contents, strict=True)
    digests = (f"{path.relative_to(target)} {hashlib.sha256(it).hexdigest()}" for path, it in named)
    digest = hashlib.sha256("\n".join(digests).encode()).hexdigest()[:16]
    return f"{sum(map(len, contents)) / 2**20:.1f} MiB in {len(files)} files, {digest}"


def main(source: str, target: str) -> None:
    """Build for Lambda, and say what became of it."""
    try:
        build(Path(source), Path(target), LAMBDA)
    except BuildFailed as failed:
        raise SystemExit(str(failed)) from None
    print(f"{target}: {size(Path(target))}")  # noqa: T201 - for whoever builds


if __name__ == "__main__":
    main(*sys.argv[1:])
