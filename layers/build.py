"""Builds a package: a source, its requirements, and the byte-code of both.

    python3.13 build.py SOURCE TARGET

The code folder of Lambda is read-only, so without byte-code every cold start compiles each module
again. The byte-code is of the kind that ignores the time stamp of its source, because zips change
it. It is valid for one version of Python, so build with the Python of the functions.
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
"""Compiled modules have the processor in their name, so one layer serves both."""

SERVICES = ("dynamodb", "events", "sqs")
"""The services that the functions call; botocore describes 400 others."""

AMAZON_ROOTS = (
    *(f"Amazon Root CA {number}" for number in range(1, 5)),
    "Starfield Services Root Certificate Authority - G2",
)
"""The roots that Amazon Trust Services wants in every trust store (its page "Repository")."""

PIP = (
    *("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"),
    *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile"),
)
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "requirements.txt")


_LABELLED = re.compile(
    r'^# Label: "([^"\n]+)"$.+?(-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n)',
    re.MULTILINE | re.DOTALL,
)


_PIN = re.compile(r"^[a-z].*?(?=^[a-z]|\Z)", re.MULTILINE | re.DOTALL)
"""A package of a lock file, with its hashes."""


class BuildFailed(Exception):
    """The build failed; the message is that of pip or the compiler."""


def build(source: Path, target: Path, platforms: Sequence[str] = ()) -> None:
    """Put *source* and its requirements into *target*, compiled.

    Requirements are installed for each of *platforms* (pip's names), by default for this one; those
    without compiled modules only once, for they are the same.
    """
    requirements = source / "requirements.txt"
    if requirements.exists():
        pins = requirements.read_text(encoding="utf-8")
        for platform in platforms or (None,):
            if pins:
                _install(pins, target, platform)
            pins = _compiled_only(pins, target)
        if (target / "botocore").exists():
            trim(target / "botocore" / "data")
            add_amazon_roots(target / "botocore")
    shutil.copytree(source, target, ignore=NOT_SHIPPED, dirs_exist_ok=True)
    mode = PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(target, quiet=1, stripdir=target, invalidation_mode=mode):
        raise BuildFailed(f"{source} does not compile")


def trim(data: Path) -> None:
    """Remove from botocore's *data* what SERVICES do not need.

    The first client of a process lists all services and reads the endpoints of all.
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
    """Copy AMAZON_ROOTS from the root certificates in *botocore* to a file beside them.

    A client reads its file of roots for each new connection; all of them take 15 ms.
    """
    bundle = (botocore / "cacert.pem").read_text(encoding="utf-8")
    labelled = dict(_LABELLED.findall(bundle))
    missing = [name for name in AMAZON_ROOTS if name not in labelled]
    if missing:
        raise BuildFailed(f"botocore's cacert.pem has no {', '.join(missing)}")
    chosen = "".join(labelled[name] for name in AMAZON_ROOTS)
    (botocore / "amazon-roots.pem").write_text(chosen, encoding="utf-8")


def _install(pins: str, target: Path, platform: str | None) -> None:
    """Install the pinned packages into *target*, without files that differ from build to build."""
    chosen = ["--platform", platform] if platform else []
    with tempfile.TemporaryDirectory() as scratch:
        packages, requirements = Path(scratch, "packages"), Path(scratch, "requirements.txt")
        requirements.write_text(pins, encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, *PIP, "--target", packages, "--requirement", requirements, *chosen],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BuildFailed(f"pip could not install into {target}:\n{done.stderr.strip()}")
        shutil.rmtree(packages / "bin", ignore_errors=True)  # it holds a path of this machine
        for record in packages.glob("*.dist-info/RECORD"):
            record.unlink()
        shutil.copytree(packages, target, dirs_exist_ok=True)


def _compiled_only(pins: str, target: Path) -> str:
    """Return the *pins* of packages with compiled modules; the others suit each platform."""
    wheels = [
        wheel.parent.name.partition("-")[0].replace("_", "-").lower()
        for wheel in target.glob("*.dist-info/WHEEL")
        if "Root-Is-Purelib: false" in wheel.read_text(encoding="utf-8")
    ]
    return "".join(pin for pin in _PIN.findall(pins) if pin.partition("==")[0] in wheels)


def size(target: Path) -> str:
    """Return the size of *target* and its digest, which is the same for the same content."""
    files = sorted(path for path in target.rglob("*") if path.is_file())
    contents = [path.read_bytes() for path in files]
    named = zip(files, contents, strict=True)
    digests = (f"{path.relative_to(target)} {hashlib.sha256(it).hexdigest()}" for path, it in named)
    digest = hashlib.sha256("\n".join(digests).encode()).hexdigest()[:16]
    return f"{sum(map(len, contents)) / 2**20:.1f} MiB in {len(files)} files, {digest}"


def main(source: str, target: str) -> None:
    """Build for Lambda, and print size and digest."""
    try:
        build(Path(source), Path(target), LAMBDA)
    except BuildFailed as failed:
        raise SystemExit(str(failed)) from None
    print(f"{target}: {size(Path(target))}")  # noqa: T201 - the output of the build


if __name__ == "__main__":
    main(*sys.argv[1:])
