"""What the simulated gateway does with a payment: chosen by the payId, or by a script."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

ANSWERS = ("pending", "wrong", "failing", "busy", "refusing", "slow", "nonsense")
"""`pending`: a good answer, not paid. `wrong`: paid, another amount. `failing`: HTTP 500.
`busy`: 429 with Retry-After. `refusing`: the connection is cut without an answer.
`slow`: answers after 8 s. `nonsense`: HTTP 200 with a page of HTML."""

_SHORT = {"paid": "pending", "later": "pending", "never": "pending"}
_PREFIX = re.compile(r"([a-z]+)(\d{0,4})-")


@dataclass(frozen=True, slots=True)
class Fate:
    """One of ANSWERS until the check numbered *paid_at*, which says paid; None means for ever."""

    answer: str
    paid_at: int | None

    def at(self, check: int) -> str:
        """What the check numbered *check* (from 1) gets: `paid` or one of ANSWERS."""
        return "paid" if self.paid_at is not None and check >= self.paid_at else self.answer


PAID_AT_ONCE = Fate("pending", 1)


def fate_of(pay_id: str) -> Fate:
    """The fate that the prefix of *pay_id* names; paid at once if it names none.

    `later3-x` is pending until its third check, which says paid; so are `failing3-x`, `busy3-x`
    and the others in trouble until then. Without a number it lasts for ever, but for `later-x` (3).
    """
    match = _PREFIX.match(pay_id)
    name, number = match.groups() if match else ("paid", "")
    if name == "paid" or (name not in ANSWERS and name not in _SHORT):
        return PAID_AT_ONCE
    paid_at = int(number) if number else 3 if name == "later" else None
    return Fate(_SHORT.get(name, name), paid_at)


def fate_from(script: Mapping[str, object]) -> Fate:
    """The fate that a script `{"answer": …, "paidAtCheck"?: n}` asks for; ValueError if odd."""
    answer, paid_at = script.get("answer", "pending"), script.get("paidAtCheck")
    if answer not in ANSWERS:
        raise ValueError(f"answer: must be one of {', '.join(ANSWERS)}")
    if paid_at is not None and (type(paid_at) is not int or paid_at < 1):
        raise ValueError("paidAtCheck: must be a whole number from 1, or absent for never")
    return Fate(str(answer), paid_at)
