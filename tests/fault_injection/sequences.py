"""C7: every sequence of up to five replies."""

from itertools import islice, product
from random import Random

from tests.fault_injection.fake_gateway import BROKEN, DAY, PARTNER, Answer, told
from tests.fault_injection.results import Outcome, Tick
from tests.fault_injection.simulation import Stage, Wrap, ours

REPLIES = ("waiting", "success", "fail", "closed", "garbage", "other")
AT_ONCE = 200

Sequence = tuple[str, ...]


def reply(kind: str, pay_id: str) -> Answer:
    """The reply of a kind; the deployment knows "fail" as a value, and does not know "closed"."""
    if kind == "garbage":
        return BROKEN
    if kind == "other":
        return told("other", "success")
    return told(pay_id, kind)


def every_sequence(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """Take the first *size* sequences, the short ones first; 9,330 are all of up to five.

    Whoever is done with its sequence hears `waiting`. In each sequence the payment is asked at
    once for the next reply, by GET, so that none of them is too late for a FAILED payment.
    """
    lengths = (product(REPLIES, repeat=length) for length in range(1, 6))
    todo = list(islice((sequence for group in lengths for sequence in group), size))
    scripts = {f"seq-{number}": sequence for number, sequence in enumerate(todo)}

    def script(pay_id: str, asked: int, _now: int) -> Answer:
        sequence = scripts[pay_id]
        return reply(sequence[asked] if asked < len(sequence) else "waiting", pay_id)

    stage = Stage(script, dice, wrap=wrap)
    pay_ids = list(scripts)
    for start in range(0, len(pay_ids), AT_ONCE):
        group = pay_ids[start : start + AT_ONCE]
        for pay_id in group:
            stage.order(pay_id)
        for _ in range(5):
            stage.run(4000)
            for pay_id in group:
                stage.get(pay_id)
        tick(start / len(pay_ids))
    stage.run(12 * DAY)
    return Outcome(size, 0, stage.verdict(), tuple(_wrong(stage, scripts)))


def _wrong(stage: Stage, scripts: dict[str, Sequence]) -> list[str]:
    problems = []
    for pay_id, sequence in scripts.items():
        found = stage.table.items[f"{PARTNER}#{pay_id}"]["status"]["S"]
        if found != _status(sequence):
            problems.append(f"{'-'.join(sequence)} became {found}")
    return problems


def _status(sequence: Sequence) -> str:
    if "success" in sequence:
        return "SUCCEEDED"
    return "FAILED" if "fail" in sequence else "UNRESOLVED"
