"""C1: a crash at each named point. C3: a stream or a sweeper that is dead."""

from random import Random

from tests.fault_injection.fake_aws import Call, Crash
from tests.fault_injection.fake_gateway import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Fate,
    books,
    fates,
    scripted,
)
from tests.fault_injection.results import Outcome, Tick
from tests.fault_injection.simulation import START, Stage, Wrap, ours

POINTS = {
    "registered, not asked": "checks: after register",
    "before the gateway": "checks: before query",
    "after the gateway": "checks: after query",
    "before the next message": "checks: before send_message_batch",
    "sent, not recorded": "checks: after send_message_batch",
    "between records": "checks: after record",
    "paid, written": "checks: after succeed",
    "before deletion": "checks: before delete_message_batch",
    "before PutEvents": "publisher: before put_events",
    "after PutEvents": "publisher: after put_events",
    "between marks": "publisher: after mark",
    "sweeper, claimed": "sweeper: after claim",
    "sweeper, before sending": "sweeper: before send_message_batch",
    "sweeper, sent": "sweeper: after send_message_batch",
    "sweeper, after PutEvents": "sweeper: after put_events",
    "sweeper, between marks": "sweeper: after mark",
    "api, registered": "api: after register",
    "api, before the first message": "api: before send_message_batch",
    "api, live check": "api: after query",
    "api, paid, written": "api: after succeed",
}
"""Where an invocation may end, by name."""

AMOUNT = "19.99"
TRIES = 25
FAULTY = 3 * DAY
CHANCE = 0.5


def crash_at(point: str, wrap: Wrap = ours) -> "Crashes":
    """The campaign of one point."""
    return Crashes(point, wrap)


class Crashes:
    """Half of the times that a run comes to *point*, it ends there; messages come twice."""

    def __init__(self, point: str, wrap: Wrap) -> None:
        self._point = POINTS[point]
        self._wrap = wrap

    def __call__(self, size: int, dice: Random, tick: Tick) -> Outcome:
        """Follow *size* payments through it."""
        pay_ids = [f"pay-{number}" for number in range(size)]
        plan = fates(pay_ids, START, dice, noise=0.1)
        stage = Stage(scripted(plan, dice), dice, wrap=self._wrap)
        stage.queue.echoes = lambda: [dice.choice((0, SECOND, 40 * SECOND))]
        stage.stream_alive = not self._point.startswith("sweeper")

        def crash(call: Call) -> None:
            if str(call) == self._point and dice.random() < CHANCE:
                stage.crash()

        stage.before = crash
        arrive(stage, pay_ids, by_api=self._point.startswith("api"), tick=tick)
        stage.run(FAULTY)
        stage.settle()
        problems = () if stage.faults else (f"never came to {self._point}",)
        return Outcome(size, stage.faults, stage.verdict(books(plan)), problems)


def arrive(stage: Stage, pay_ids: list[str], *, by_api: bool, tick: Tick) -> None:
    """Let payments arrive, three a second, from order services or by the HTTP API."""
    for number, pay_id in enumerate(pay_ids):
        if by_api:
            _insist(stage, pay_id)
        else:
            stage.order(pay_id, expectedAmount=AMOUNT)
        if number % 3 == 2:
            stage.run(SECOND)
        tick(number / len(pay_ids))


def _insist(stage: Stage, pay_id: str) -> None:
    """PUT and GET a payment as a caller does who asks again after each 5xx."""
    registered = False
    for _ in range(TRIES):
        try:
            if not registered:
                stage.put(pay_id, expectedAmount=AMOUNT)
                registered = True
            stage.get(pay_id)
        except Crash:
            stage.run(3 * SECOND)
        else:
            return


def stream_dead(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """The stream is switched off for good: the sweeper sends all events."""
    return _dead(size, dice, tick, wrap, stream=False, sweeper=True)


def sweeper_dead(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """The sweeper is dead: what the queue leads comes to its end without it, crashes or not."""
    return _dead(size, dice, tick, wrap, stream=True, sweeper=False)


def both_dead(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """Both are dead for hours, and come back."""
    return _dead(size, dice, tick, wrap, stream=False, sweeper=False)


def _dead(
    size: int, dice: Random, tick: Tick, wrap: Wrap, *, stream: bool, sweeper: bool
) -> Outcome:
    pay_ids = [f"pay-{number}" for number in range(size)]
    moments = (0, 20 * SECOND, 4 * MINUTE, 30 * MINUTE)
    plan = {pay_id: Fate(START + dice.choice(moments)) for pay_id in pay_ids}
    stage = Stage(scripted(plan, dice), dice, wrap=wrap)
    stage.stream_alive, stage.sweeper_alive = stream, sweeper

    def crash(call: Call) -> None:
        # The stream gives a batch up after its fourth try; only the sweeper would help then.
        if call.role == "checks" and dice.random() < 0.02:
            stage.crash()

    stage.before = crash
    arrive(stage, pay_ids, by_api=False, tick=tick)
    for _ in range(4):  # an operator looks into the dead-letter queue each three hours
        stage.run(3 * HOUR)
        stage.queue.redrive()
    stage.before = lambda _: None
    stage.run(3 * HOUR)
    problems = () if stream or sweeper else _drains(stage)
    return Outcome(size, stage.faults, stage.verdict(books(plan)), problems)


def _drains(stage: Stage) -> tuple[str, ...]:
    stage.stream.clear()  # 24 hours are over for it
    stage.stream_alive = stage.sweeper_alive = True
    stage.run(2 * MINUTE)
    unsent = stage.verdict().stuck
    return (f"{len(unsent)} unsent two sweeps after the return",) if unsent else ()
