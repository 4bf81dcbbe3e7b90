"""The gateway: what becomes of each payment, what it answered, and its books."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

PARTNER = "P000818"
PRICE = "$19.99"

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json;charset=UTF-8"
    retry_after: str = ""


class Asked(NamedTuple):
    """A query and its answer, as the gateway saw them."""

    at: int
    pay_id: str
    answer: Answer


def told(pay_id: str, pay_rst: str, **fields: Any) -> Answer:
    """The documented answer, with *fields* changed."""
    document = {
        "orderPeriod": "1",
        "packageType": "2",
        "partnerCode": PARTNER,
        "payAmount": PRICE,
        "payId": pay_id,
        "payResultDate": "2020-09-17 18:11:10",
        "payRst": pay_rst,
        "servicePlanShowName": "Singapore 2G 30-Days",
    }
    return Answer(200, json.dumps(document | fields).encode())


BROKEN = Answer(200, b"<html>under maintenance</html>", "text/html")
CUT = Answer(200, b'{"payRst":"success","payId":')
BUSY = Answer(429, b"{}")
DOWN = Answer(503, b"")

Script = Callable[[str, int, int], Answer]
"""What the gateway answers: (payId, how often asked before, milliseconds since 1970)."""


@dataclass
class Gateway:
    """A gateway that answers by its *script*."""

    script: Script
    clock: Callable[[], int]
    log: list[Asked] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def query(self, pay_id: str) -> Answer:
        """Answer a query, and remember it."""
        asked_before = self.counts.get(pay_id, 0)
        self.counts[pay_id] = asked_before + 1
        answer = self.script(pay_id, asked_before, self.clock())
        self.log.append(Asked(self.clock(), pay_id, answer))
        return answer


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a payment: paid at a time or never, and what is said in between."""

    paid_at: int | None
    amount: str = PRICE
    noise: float = 0.0
    before: str = "waiting"


def fates(pay_ids: list[str], start: int, dice: Random, noise: float) -> dict[str, Fate]:
    """A fate for each payment: most are paid, at once or days later, some never or wrong."""
    moments = (0, 0, 20 * SECOND, 4 * MINUTE, 3 * HOUR, 2 * DAY)
    found = {}
    for pay_id in pay_ids:
        kind = dice.random()
        paid_at = start + dice.choice(moments) if kind < 0.85 else None
        amount = "$1.00" if 0.8 <= kind < 0.85 else PRICE
        found[pay_id] = Fate(paid_at, amount, noise, dice.choice(("waiting", "fail")))
    return found


def scripted(plan: dict[str, Fate], dice: Random) -> Script:
    """Answer by *plan*; a share of the answers is noise: stale, broken, or about somebody else."""

    def script(pay_id: str, _asked: int, now: int) -> Answer:
        fate = plan[pay_id]
        if dice.random() < fate.noise:
            noises = [BROKEN, CUT, DOWN, BUSY, told("other", "success")]
            # A stale answer to the last of a failed payment's late checks would be the last word.
            stale = [told(pay_id, "waiting")] if fate.before == "waiting" else []
            return dice.choice(noises + stale)
        if fate.paid_at is not None and fate.paid_at <= now:
            return told(pay_id, "success", payAmount=fate.amount)
        return told(pay_id, fate.before)

    return script


def books(plan: dict[str, Fate]) -> set[str]:
    """The payIds that must be found out: paid, with the right amount, and never called failed.

    A failed payment gets two late checks only (design, section 5). If it is paid later than that,
    nobody is told, so nobody can tell.
    """
    paid = {key for key, fate in plan.items() if fate.paid_at is not None}
    return {key for key in paid if plan[key].amount == PRICE and plan[key].before == "waiting"}
