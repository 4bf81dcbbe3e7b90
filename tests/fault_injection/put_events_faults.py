"""C4: PutEvents refuses some, or all, or is not heard to accept; one event is poison."""

import json
from random import Random

from tests.fault_injection.crashes import arrive
from tests.fault_injection.fake_gateway import HOUR, MINUTE, Fate, books, scripted
from tests.fault_injection.results import Outcome, Tick
from tests.fault_injection.simulation import START, Stage, Wrap, ours

FAULTY = 6 * HOUR


def partial(share: float, wrap: Wrap = ours) -> "Puts":
    """A share of all entries is refused, each for itself."""
    return Puts(wrap, entries=share)


def failing(code: str, share: float, wrap: Wrap = ours) -> "Puts":
    """A share of all calls fails; "timeout" is one that was accepted and not answered."""
    return Puts(wrap, code=code, calls=share)


def poisoned() -> "Puts":
    """One event of ten fails each call that it is part of."""
    return Puts(ours, poison=10)


class Puts:
    """Most payments are paid at once; their events have a hard way for hours."""

    def __init__(
        self, wrap: Wrap, *, entries: float = 0, calls: float = 0, code: str = "", poison: int = 0
    ) -> None:
        self._wrap = wrap
        self._entries = entries
        self._calls = calls
        self._code = code
        self._poison = poison

    def __call__(self, size: int, dice: Random, tick: Tick) -> Outcome:
        """Send the events of *size* payments."""
        pay_ids = [f"pay-{number}" for number in range(size)]
        plan = {pay_id: Fate(START + dice.choice((0, 0, MINUTE))) for pay_id in pay_ids}
        poison = set(pay_ids[:: self._poison]) if self._poison else set()
        stage = Stage(scripted(plan, dice), dice, wrap=self._wrap)
        self._break(stage, poison, dice)
        arrive(stage, pay_ids, by_api=False, tick=tick)
        stage.run(FAULTY)
        problems = self._isolated(stage, poison)
        stage.bus.refuses, stage.bus.fails = lambda _: None, lambda: None
        stage.settle()
        return Outcome(size, stage.faults, stage.verdict(books(plan)), problems)

    def _break(self, stage: Stage, poison: set[str], dice: Random) -> None:
        def refuses(detail: str) -> str | None:
            pay_id = json.loads(detail)["data"]["payId"]
            if pay_id in poison:
                code = "poison"
            elif dice.random() < self._entries:
                code = "ThrottlingException"
            else:
                return None
            stage.faults += 1
            return code

        def fails() -> str | None:
            if dice.random() >= self._calls:
                return None
            stage.faults += 1
            return self._code

        stage.bus.refuses, stage.bus.fails = refuses, fails

    def _isolated(self, stage: Stage, poison: set[str]) -> tuple[str, ...]:
        """While the poison lasts, it holds up nobody but itself."""
        held_up = set(stage.verdict().lost) - poison
        return (f"{len(held_up)} held up by poison",) if poison and held_up else ()
