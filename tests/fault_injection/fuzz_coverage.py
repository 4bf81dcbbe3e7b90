"""C8, C9, C11 by coverage: atheris looks for inputs that reach new branches of payresult.

It has to be there before what it watches is imported, so it runs in a process of its own:
``python -m tests.fault_injection.fuzz_coverage parser -runs=1000``. Where there is no atheris
for this machine or this Python, the campaigns are skipped, and say so.
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

from tests.fault_injection.fuzz_bodies import GOOD, Fuzzed, fuzzed
from tests.fault_injection.fuzz_literals import MONEY, NONE
from tests.fault_injection.fuzz_oracle import Registered, opinion
from tests.fault_injection.oracle import Verdict
from tests.fault_injection.results import Outcome, Tick
from tests.support.template import ROOT

TYPE = {"content-type": "application/json"}
REGISTERED = (Registered(), Registered("19.99", "USD"))
SEARCHED = (".", "cli", "layers/payresult/python")

Target = Callable[[bytes], None]


def coverage(target: str) -> Callable[[int, Random, Tick], Outcome]:
    """Return the campaign that tries *size* inputs on a target."""

    def run(size: int, dice: Random, _tick: Tick) -> Outcome:
        if importlib.util.find_spec("atheris") is None:
            sys.stderr.write(f"\ncoverage-guided {target}: skipped, no atheris here\n")
            return Outcome(0, 0, Verdict())
        with tempfile.TemporaryDirectory() as folder:
            _sow(target, Path(folder), dice)
            done = subprocess.run(  # noqa: S603 - our own command line
                [*_command(target, folder), f"-runs={size}", f"-seed={dice.randrange(1, 1 << 31)}"],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(SEARCHED)},
                capture_output=True,
                text=True,
                check=False,
            )
        told = "\n".join(done.stderr.splitlines()[-12:])
        return Outcome(size, 0, Verdict(), () if done.returncode == 0 else (told,))

    return run


def _command(target: str, folder: str) -> list[str]:
    limits = ["-max_len=4096", "-timeout=10", f"-artifact_prefix={folder}/", "-verbosity=0"]
    return [sys.executable, "-m", "tests.fault_injection.fuzz_coverage", target, folder, *limits]


def _sow(target: str, folder: Path, dice: Random) -> None:
    """Give the search something to begin with."""
    seeds = [str(GOOD).encode(), b"2020-09-17 18:11:10", b"partnerCode\0P000818"]
    if target == "parser":
        seeds += [fuzzed(dice).body[:4096] for _ in range(200)]
    seeds += [text.encode(errors="replace") for text in [*MONEY, *NONE]] * (target == "amount")
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)


def parser() -> Target:
    """Answers: what they mean, by both readers."""
    replies = importlib.import_module("tests.fault_injection.fuzz_replies")

    def one(data: bytes) -> None:
        for registered in REGISTERED:
            said, _ = replies.ours(Fuzzed(200, TYPE, data, registered))
            assert said in opinion(200, TYPE, data, registered), said

    return one


def amount() -> Target:
    """Amounts: what they come to, by both readers."""
    amounts = importlib.import_module("tests.fault_injection.fuzz_amounts")

    def one(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        assert amounts.ours(text) == amounts.cents(text)

    return one


def date() -> Target:
    """Dates: what they are, by both calendars."""
    dates = importlib.import_module("tests.fault_injection.fuzz_dates")

    def one(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        assert dates.paid_at(text, dates.FIXED) == dates.read(text)

    return one


def signer() -> Target:
    """Requests: names and values between zero bytes."""
    signatures = importlib.import_module("tests.fault_injection.fuzz_signer")

    def one(data: bytes) -> None:
        parts = data.decode("utf-8", "replace").split("\0")
        params = dict(zip(parts[::2], parts[1::2], strict=False))
        assert signatures.sign(params) == signatures.digest(params)

    return one


TARGETS = {"parser": parser, "amount": amount, "date": date, "signer": signer}


def main(arguments: list[str]) -> None:
    """Search until the runs are over; an input that breaks a target ends the process with 77."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["payresult"]):
        target = TARGETS[arguments[1]]()
    atheris.Setup([arguments[0], *arguments[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
