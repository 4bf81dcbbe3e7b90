"""The cases in their order, and the table of what each showed."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from acceptance import faults, story
from acceptance.target import CaseFailed, NotHere, Target
from sandbox.client import SweepFailed

OK, FAILED, NOT_HERE = "ok", "FAILED", "not here"
_TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end of table -->)", re.DOTALL)

Run = Callable[[Target], str]

FIRST_CASE: tuple[str, Run] = ("doctor", story.doctor)
"""Before the others: one of them leaves a dead letter."""

CASES: tuple[tuple[str, Run], ...] = (
    ("a registered payment is paid", story.registered_and_paid),
    ("a payment is followed until it is paid", story.followed_until_paid),
    ("messages with one payId and with several", story.sent_by_message),
    ("never paid: followed beyond 16 checks (loop detection)", story.never_paid),
    ("another amount: REVIEW, then accepted", story.wrong_amount),
    ("the gateway is down for 40 s", faults.gateway_down),
    ("the gateway sends HTML or 429", faults.unintelligible_gateway),
    ("an unsigned call (IAM)", faults.unsigned_call),
    ("an event of somebody else (resource policy)", faults.foreign_event),
)
"""They mostly wait: at the same time."""

LATER_CASES: tuple[tuple[str, Run], ...] = (
    ("fifty payments: table to bus", story.fifty_payments),
    ("a deployment under load", faults.deployment_under_load),
    ("the stream is off", faults.stream_off),
)
"""One after the other: they would make the others slow."""

SLOW_CASES: tuple[tuple[str, Run], ...] = (
    ("a malformed message is kept", faults.malformed_message),
    ("the archive is replayed (bus policy)", faults.replayed_archive),
)
"""They wait for many minutes on AWS, also beside the later ones."""

NAMES = [name for name, _ in (FIRST_CASE, *CASES, *LATER_CASES, *SLOW_CASES)]


@dataclass(frozen=True, slots=True)
class Result:
    """What a case showed, and the seconds that it took."""

    name: str
    outcome: str
    note: str
    seconds: float


def run_cases(target: Target) -> Iterator[Result]:
    """Run all cases, most of them at the same time, and yield each result."""
    yield run_case(target, *FIRST_CASE)
    with ThreadPoolExecutor(len(CASES) + len(SLOW_CASES)) as pool:
        together, slow = (
            [pool.submit(run_case, target, *case) for case in cases]
            for cases in (CASES, SLOW_CASES)
        )
        try:
            for each in together:
                yield each.result()
            for case in LATER_CASES:
                yield run_case(target, *case)
            for each in slow:
                yield each.result()
        finally:
            target.stopping.set()


def run_case(target: Target, name: str, run: Run) -> Result:
    """Run one case. An error of AWS fails the case and no other."""
    started = time.monotonic()
    try:
        outcome, note = OK, run(target)
    except NotHere as reason:
        outcome, note = NOT_HERE, str(reason)
    except (CaseFailed, SweepFailed, BotoCoreError, ClientError) as error:
        outcome, note = FAILED, str(error)
    return Result(name, outcome, note, time.monotonic() - started)


def table(results: Sequence[Result], where: str) -> str:
    """Return the results as Markdown."""
    counts = ", ".join(
        f"{count} {outcome}"
        for outcome in (OK, FAILED, NOT_HERE)
        if (count := sum(each.outcome == outcome for each in results))
    )
    lines = [f"{where}: {counts}.", "", "| case | result | shown | s |", "|---|---|---|---|"]
    lines += [f"| {it.name} | {it.outcome} | {it.note} | {it.seconds:.0f} |" for it in results]
    return "\n".join(lines) + "\n"


def write(document: Path, text: str) -> None:
    """Put the table into the document, between its marks."""
    before = document.read_text(encoding="utf-8")
    document.write_text(_TABLE.sub(lambda _: text, before), encoding="utf-8")
