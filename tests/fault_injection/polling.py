"""C13: following on a clock of its own, through outages and storms."""

from collections import Counter
from random import Random

from tests.fault_injection.crashes import arrive
from tests.fault_injection.fake_gateway import DAY, DOWN, HOUR, MINUTE, SECOND, Answer, told
from tests.fault_injection.results import Outcome, Tick
from tests.fault_injection.simulation import DELAYS, START, Stage, Wrap, ours

MOST_CHECKS = 27
MOST_TRIES = 15
OUTAGE = START + 10 * MINUTE, START + 2 * HOUR + 10 * MINUTE
RETRY_AFTER = 1200
SPREAD = 1.2
LONG_ENOUGH = 10 * DAY


class Overrun(BaseException):
    """The gateway was asked so often that there is no end to it."""


def never_moves(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """Nobody ever pays, and each message is delivered twice: 27 checks, then UNRESOLVED."""

    def script(pay_id: str, asked: int, _now: int) -> Answer:
        if asked > 4 * MOST_CHECKS:
            raise Overrun
        return told(pay_id, "waiting")

    stage = Stage(script, dice, wrap=wrap)
    stage.queue.echoes = lambda: [dice.choice((0, SECOND, 40 * SECOND))]
    try:
        arrive(stage, [f"pay-{number}" for number in range(size)], by_api=False, tick=tick)
        stage.run(LONG_ENOUGH)
    except Overrun:
        return Outcome(size, 0, stage.verdict(), ("chains fork without end",))
    return Outcome(size, size, stage.verdict(), tuple(_too_often(stage, MOST_CHECKS)))


def settles(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """Each payment is paid in one of the 26 pauses, and told with the very next check."""
    pay_ids = [f"pay-{number}" for number in range(size)]
    pause = {pay_id: number % len(DELAYS) for number, pay_id in enumerate(pay_ids)}
    paid_at: dict[str, int] = {}

    def script(pay_id: str, asked: int, now: int) -> Answer:
        if asked == pause[pay_id]:
            paid_at[pay_id] = now + 1
        return told(pay_id, "success" if asked > pause[pay_id] else "waiting")

    stage = Stage(script, dice, wrap=wrap)
    arrive(stage, pay_ids, by_api=False, tick=tick)
    stage.run(LONG_ENOUGH)
    problems = []
    events = {_pay_id(detail): at for at, detail in stage.bus.log}
    for pay_id, at in paid_at.items():
        longest = DELAYS[pause[pay_id]] * SPREAD * SECOND + 2 * MINUTE  # and two sweeps
        if not at <= events.get(pay_id, 0) <= at + longest:
            problems.append(f"{pay_id} was told late")
    return Outcome(size, 0, stage.verdict(set(pay_ids)), tuple(problems))


def outage(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """The gateway is down for two hours: few tries, no dead letter, no fork, then all is paid."""

    def script(pay_id: str, _asked: int, now: int) -> Answer:
        if OUTAGE[0] <= now < OUTAGE[1]:
            return DOWN
        return told(pay_id, "success" if now >= OUTAGE[1] + HOUR else "waiting")

    stage = Stage(script, dice, wrap=wrap)
    pay_ids = [f"pay-{number}" for number in range(size)]
    arrive(stage, pay_ids, by_api=False, tick=tick)
    stage.run(LONG_ENOUGH)
    tries = Counter(asked.pay_id for asked in stage.gateway.log if asked.answer is DOWN)
    problems = [f"{key}: {tries[key]} tries" for key in pay_ids if tries[key] > MOST_TRIES]
    problems += _too_often(stage, MOST_CHECKS + MOST_TRIES)
    return Outcome(size, sum(tries.values()), stage.verdict(set(pay_ids)), tuple(problems))


def storm(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """Half of the answers are 429 with a Retry-After of 20 minutes: nobody asks before."""

    def script(pay_id: str, _asked: int, now: int) -> Answer:
        if dice.random() < 0.5 and now < START + DAY:
            return Answer(429, b"{}", retry_after=str(RETRY_AFTER))
        return told(pay_id, "success" if now >= START + DAY else "waiting")

    stage = Stage(script, dice, wrap=wrap)
    pay_ids = [f"pay-{number}" for number in range(size)]
    arrive(stage, pay_ids, by_api=False, tick=tick)
    stage.run(LONG_ENOUGH)
    busy_until: dict[str, int] = {}
    problems = _too_often(stage, 5 * MOST_CHECKS)
    for asked in stage.gateway.log:
        if asked.at < busy_until.get(asked.pay_id, 0):
            problems.append(f"{asked.pay_id} was asked before its Retry-After")
        if asked.answer.status == 429:
            busy_until[asked.pay_id] = asked.at + RETRY_AFTER * SECOND
    return Outcome(size, len(busy_until), stage.verdict(set(pay_ids)), tuple(problems))


def _too_often(stage: Stage, most: int) -> list[str]:
    asked = stage.gateway.counts.items()
    problems = [f"{pay_id}: asked {count} times" for pay_id, count in asked if count > most]
    return problems + [f"{len(stage.queue.dead)} dead letters"] * bool(stage.queue.dead)


def _pay_id(detail: str) -> str:
    return detail.partition('"payId":"')[2].partition('"')[0]
