"""P2: C8, C9, C11 by coverage, atheris searches for inputs that reach new branches of payresult.

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
from pathlib import Path
from random import Random

from tests.fault_injection.fuzz_bodies import VALID, random_response
from tests.fault_injection.fuzz_literals import AMOUNTS, INVALID_AMOUNTS
from tests.fault_injection.results import Play, Run
from tests.support.template import ROOT

SEARCH_PATH = (".", "cli", "layers/payresult/python")


def coverage(target: str) -> Play:
    """Return the campaign that runs a target with random inputs."""

    def play(run: Run) -> None:
        if importlib.util.find_spec("atheris") is None:
            sys.stderr.write(f"\ncoverage-guided {target}: skipped, atheris is not installed\n")
            run.tries = 0
            return
        with tempfile.TemporaryDirectory() as folder:
            _write_corpus(target, Path(folder), run.rng)
            done = subprocess.run(  # noqa: S603 - a fixed command
                [
                    *_command(target, folder),
                    f"-runs={run.size}",
                    f"-seed={run.rng.randrange(1, 1 << 31)}",
                ],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(SEARCH_PATH)},
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            run.problems.append("\n".join(done.stderr.splitlines()[-12:]))

    return play


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


TARGETS = {
    "parser": "fuzz_replies.read_bytes",
    "amount": "fuzz_amounts.read_bytes",
    "date": "fuzz_values.read_bytes_as_date",
    "signer": "fuzz_values.sign_bytes",
}
"""By target, the function that compares payresult with the second implementation."""


def main(arguments: list[str]) -> None:
    """Run the search; an input for which a target fails ends the process with exit code 77."""
    atheris = importlib.import_module("atheris")
    module, _, function = TARGETS[arguments[1]].partition(".")
    with atheris.instrument_imports(include=["payresult"]):
        target = importlib.import_module(f"tests.fault_injection.{module}")
    atheris.Setup([arguments[0], *arguments[2:]], getattr(target, function))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
