"""How the simulated gateway answers for a payment: chosen by the payId or by a script."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

ANSWERS = ("pending", "wrong", "failing", "busy", "refusing", "slow", "nonsense", "unclear")
"""`pending`: a valid reply, not paid. `wrong`: paid, another amount. `failing`: HTTP 500.
`busy`: HTTP 429 with Retry-After. `refusing`: the connection is reset without a response.
`slow`: a valid reply after 8 s. `nonsense`: HTTP 200 with an HTML page.
`unclear`: HTTP 200 with JSON that has no payment in it."""

_ALIASES = {"paid": "pending", "later": "pending", "never": "pending"}
_PREFIX = re.compile(r"([a-z]+)(\d{0,4})-")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One of ANSWERS until check number *paid_at*, which is answered as paid; None: never paid."""

    answer: str
    paid_at: int | None

    def at(self, check: int) -> str:
        """The answer to check number *check* (from 1): `paid` or one of ANSWERS."""
        return "paid" if self.paid_at is not None and check >= self.paid_at else self.answer


PAID_AT_FIRST_CHECK = Scenario("pending", 1)


def scenario_of_pay_id(pay_id: str) -> Scenario:
    """The scenario that the prefix of *pay_id* names; paid at the first check without one.

    `later3-x` is pending until its third check, which is answered as paid. `failing3-x`, `busy3-x`
    and the others fail until then. Without a number it is never paid; `later-x` means `later3-x`.
    """
    match = _PREFIX.match(pay_id)
    name, number = match.groups() if match else ("paid", "")
    if name == "paid" or (name not in ANSWERS and name not in _ALIASES):
        return PAID_AT_FIRST_CHECK
    paid_at = int(number) if number else 3 if name == "later" else None
    return Scenario(_ALIASES.get(name, name), paid_at)


def scenario_of_script(script: Mapping[str, object]) -> Scenario:
    """The scenario of a script `{"answer": …, "paidAtCheck"?: n}`; ValueError if it is invalid."""
    answer, paid_at = script.get("answer", "pending"), script.get("paidAtCheck")
    if answer not in ANSWERS:
        raise ValueError(f"answer: must be one of {', '.join(ANSWERS)}")
    if paid_at is not None and (type(paid_at) is not int or paid_at < 1):
        raise ValueError("paidAtCheck: must be a whole number from 1, or absent for never")
    return Scenario(str(answer), paid_at)
