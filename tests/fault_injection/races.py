"""C5: twelve at a time on one payId, in every order that the dice find."""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.fault_injection.fake_aws import Call
from tests.fault_injection.fake_gateway import MINUTE, SECOND, Answer, told
from tests.fault_injection.interleaving import Turns
from tests.fault_injection.memory_table import Memory
from tests.fault_injection.oracle import Verdict
from tests.fault_injection.results import Outcome, Tick
from tests.fault_injection.simulation import Stage, Wrap, ours

SAID = ("waiting", "success", "success", "fail")


def races(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """Race for *size* payments, one after the other."""
    parts: list[Verdict] = []
    turns = 0
    for number in range(size):
        stage = race(f"pay-{number}", dice, wrap)
        parts.append(stage.verdict())
        turns += stage.faults
        tick(number / size)
    return Outcome(size, turns, merged(parts))


def merged(parts: list[Verdict]) -> Verdict:
    """One verdict of many."""

    def all_of(kind: str) -> Any:
        return [pay_id for part in parts for pay_id in getattr(part, kind)]

    kinds = ("lost", "false", "split", "stuck", "crooked")
    duplicates = sum(part.duplicates for part in parts)
    return Verdict(duplicates, **{kind: all_of(kind) for kind in kinds})


def race(
    pay_id: str, dice: Random, wrap: Wrap = ours, table: Callable[..., Memory] = Memory
) -> Stage:
    """Let twelve race for one payment; the stage when all is quiet again."""

    def script(pay_id: str, _asked: int, _now: int) -> Answer:
        return told(pay_id, dice.choice(SAID))

    stage = Stage(script, dice, wrap=wrap, table=table)
    stage.queue.batch = 1
    turns = Turns(dice)

    def before(_: Call) -> None:
        stage.faults += 1
        stage.now += dice.choice((0, 0, 0, 1, 2 * SECOND, MINUTE))
        turns.pass_on()

    stage.before = before
    for _ in range(4):
        stage.order(pay_id, expectedAmount="19.99")
    turns.play(
        [
            *[stage.deliver] * 5,
            *[lambda: stage.get(pay_id)] * 3,
            lambda: stage.put(pay_id, orderId="A-17"),
            stage.deliver_stream,
            *[stage.sweep] * 2,
        ]
    )
    stage.settle()
    return stage
