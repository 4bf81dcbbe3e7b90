"""C23: everything at once, for days. Whatever happens, the judge only looks at three logs."""

from random import Random

from botocore.exceptions import ClientError

from tests.fault_injection.crashes import AMOUNT
from tests.fault_injection.fake_aws import Call, Crash
from tests.fault_injection.fake_gateway import DAY, MINUTE, SECOND, books, fates, scripted
from tests.fault_injection.results import Outcome, Tick
from tests.fault_injection.simulation import START, Stage, Wrap, ours

CRASH = 0.01
THROTTLE = 0.02
REFUSED = 0.05
FAULTY = DAY
AWS = {"register", "record", "succeed", "mark", "claim", "live", "postpone", "batch_get_item"}


def mayhem(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """Follow *size* payments through crashes, throttling, refusals, duplicates and dead parts."""
    pay_ids = [f"pay-{number}" for number in range(size)]
    plan = fates(pay_ids, START, dice, noise=0.1)
    stage = Stage(scripted(plan, dice), dice, wrap=wrap)
    _break(stage, dice)
    for number, pay_id in enumerate(pay_ids):
        _arrive(stage, pay_id, dice)
        stage.run(dice.choice((0, SECOND)))
        if number % 50 == 0:
            stage.stream_alive = dice.random() < 0.7
            stage.sweeper_alive = dice.random() < 0.7
        tick(number / size / 2)
    for hour in range(FAULTY // (60 * MINUTE)):
        stage.stream_alive, stage.sweeper_alive = dice.random() < 0.7, dice.random() < 0.7
        stage.run(60 * MINUTE)
        stage.queue.redrive()
        tick(0.5 + hour / 48)
    stage.queue.refuses = lambda _: False
    stage.bus.refuses, stage.bus.fails = lambda _: None, lambda: None
    stage.settle()
    return Outcome(size, stage.faults, stage.verdict(books(plan)))


def _break(stage: Stage, dice: Random) -> None:
    def before(call: Call) -> None:
        random_fraction = dice.random()
        if random_fraction < CRASH:
            stage.crash()
        elif random_fraction < CRASH + THROTTLE and call.when == "before" and call.kind in AWS:
            stage.faults += 1
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, call.kind)

    def fault(*codes: str) -> str | None:
        """One of *codes*, now and then."""
        if dice.random() >= REFUSED:
            return None
        stage.faults += 1
        return dice.choice(codes)

    stage.before = before
    stage.queue.echoes = lambda: [dice.choice((0, SECOND, MINUTE))] * (dice.random() < 0.2)
    stage.queue.refuses = lambda _: fault("") is not None
    stage.bus.refuses = lambda _: fault("InternalFailure", "ThrottlingException")
    stage.bus.fails = lambda: fault("timeout", "InternalFailure")


def _arrive(stage: Stage, pay_id: str, dice: Random) -> None:
    """By message, or by the API; nobody there gives up before it is registered."""
    if dice.random() < 0.7:
        stage.order(pay_id, expectedAmount=AMOUNT)
        return
    for _ in range(25):
        try:
            if stage.put(pay_id, expectedAmount=AMOUNT) == 202:
                return
        except Crash:
            pass
