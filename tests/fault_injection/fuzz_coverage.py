"""C8, C9, C11 by coverage: atheris searches for inputs that reach new branches of payresult.

atheris instruments modules when they are imported, so it runs in its own process:
``python -m tests.fault_injection.fuzz_coverage parser -runs=1000``. Where atheris is not available
for the machine or the Python, the campaigns write a message and are skipped.
"""

import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.fault_injection.fuzz_bodies import VALID, FuzzedResponse, random_response
from tests.fault_injection.fuzz_literals import AMOUNTS, INVALID_AMOUNTS
from tests.fault_injection.fuzz_oracle import Registered, interpretations
from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.oracle import Verdict
from tests.support.template import ROOT

HEADERS = {"content-type": "application/json"}
REGISTERED = (Registered(), Registered("19.99", "USD"))
SEARCH_PATH = (".", "cli", "layers/payresult/python")

Target = Callable[[bytes], None]


def coverage(target: str) -> Callable[[int, Random, OnProgress], CampaignRun]:
    """Return the campaign that runs a target with *size* inputs."""

    def run(size: int, rng: Random, _tick: OnProgress) -> CampaignRun:
        if importlib.util.find_spec("atheris") is None:
            sys.stderr.write(f"\ncoverage-guided {target}: skipped, atheris is not installed\n")
            return CampaignRun(0, 0, Verdict())
        with tempfile.TemporaryDirectory() as folder:
            _write_corpus(target, Path(folder), rng)
            done = subprocess.run(  # noqa: S603 - a fixed command
                [*_command(target, folder), f"-runs={size}", f"-seed={rng.randrange(1, 1 << 31)}"],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(SEARCH_PATH)},
                capture_output=True,
                text=True,
                check=False,
            )
        message = "\n".join(done.stderr.splitlines()[-12:])
        return CampaignRun(size, 0, Verdict(), () if done.returncode == 0 else (message,))

    return run


def _command(target: str, folder: str) -> list[str]:
    limits = ["-max_len=4096", "-timeout=10", f"-artifact_prefix={folder}/", "-verbosity=0"]
    return [sys.executable, "-m", "tests.fault_injection.fuzz_coverage", target, folder, *limits]


def _write_corpus(target: str, folder: Path, rng: Random) -> None:
    """Write the inputs that the search starts from."""
    seeds = [str(VALID).encode(), b"2020-09-17 18:11:10", b"partnerCode\0P000818"]
    if target == "parser":
        seeds += [random_response(rng).body[:4096] for _ in range(200)]
    seeds += [text.encode(errors="replace") for text in [*AMOUNTS, *INVALID_AMOUNTS]] * (
        target == "amount"
    )
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)


def parser() -> Target:
    """Return a function that compares the interpretations of a response body."""
    replies = importlib.import_module("tests.fault_injection.fuzz_replies")

    def one(data: bytes) -> None:
        for registered in REGISTERED:
            response = FuzzedResponse(200, HEADERS, data, registered)
            found, _ = replies.read_with_payresult(response)
            assert found in interpretations(200, HEADERS, data, registered), found

    return one


def amount() -> Target:
    """Return a function that compares the values of an amount."""
    amounts = importlib.import_module("tests.fault_injection.fuzz_amounts")

    def one(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        assert amounts.read_with_payresult(text) == amounts.units(text)

    return one


def date() -> Target:
    """Return a function that compares the values of a date."""
    dates = importlib.import_module("tests.fault_injection.fuzz_dates")

    def one(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        assert dates.paid_at(text, dates.FIXED) == dates.read(text)

    return one


def signer() -> Target:
    """Return a function that compares the signatures of parameters, separated by zero bytes."""
    signatures = importlib.import_module("tests.fault_injection.fuzz_signer")

    def one(data: bytes) -> None:
        parts = data.decode("utf-8", "replace").split("\0")
        params = dict(zip(parts[::2], parts[1::2], strict=False))
        assert signatures.sign(params) == signatures.digest(params)

    return one


TARGETS = {"parser": parser, "amount": amount, "date": date, "signer": signer}


def main(arguments: list[str]) -> None:
    """Run the search; an input for which a target fails ends the process with exit code 77."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["payresult"]):
        target = TARGETS[arguments[1]]()
    atheris.Setup([arguments[0], *arguments[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
