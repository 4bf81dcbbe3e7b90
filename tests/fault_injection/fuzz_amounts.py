"""C9: amounts. A table by hand, and as many more out of dice, read by payresult and the oracle."""

from collections.abc import Callable
from decimal import Decimal
from random import Random

from payresult.domain.amount import parse_amount
from payresult.domain.payment import Registration
from payresult.domain.registration import amount_matches
from tests.fault_injection.fuzz_literals import MONEY, NONE
from tests.fault_injection.fuzz_oracle import Registered, agrees, cents
from tests.fault_injection.oracle import Verdict
from tests.fault_injection.results import Outcome, Tick

CURRENCIES = (None, "USD", "EUR", "GBP", "CNY", "JPY")
PIECES = (
    *("$", "€", "¥", "USD ", "EUR ", "usd ", "-", "+", " ", ",", ".", "..", "e", "_", "\n", "\0"),
    *("0", "00", "1", "9", "19", "99", "999", "000", "1,234", "234", ",567", ".5", ".50", ".99"),
    *("\u0661", "\uff19", "\u066b", "x", "%"),
)

Money = tuple[int, tuple[str, ...]]
Reader = Callable[[str], Money | None]


def ours(text: str) -> Money | None:
    """Read an amount as payresult does."""
    amount = parse_amount(text)
    if amount is None:
        return None
    hundredths = amount.value * 100
    assert hundredths == int(hundredths)
    assert isinstance(amount.value, Decimal)
    assert Decimal(amount.text) == amount.value
    return int(hundredths), amount.currencies


def floating(text: str) -> Money | None:
    """Read an amount as one does who knows no better: a control."""
    try:
        return int(float(text.strip().lstrip("$€£¥￥").replace(",", "")) * 100), ()
    except (ValueError, OverflowError):
        return None


def amounts(size: int, dice: Random, tick: Tick, reader: Reader = ours) -> Outcome:
    """Read the table, then *size* texts out of dice, half of them amounts, each both ways."""
    verdict = Verdict()
    by_hand: dict[str, Money | None] = dict.fromkeys(NONE)
    by_hand |= {text: (value, tuple(named.split())) for text, (value, named) in MONEY.items()}
    for text, money in by_hand.items():
        _compare(text, reader(text), money, verdict)
        _compare(f"oracle: {text}", cents(text), money, verdict)
    for number in range(size):
        text = _written(dice) if number % 2 else "".join(dice.choices(PIECES, k=dice.randint(1, 5)))
        _compare(text, reader(text), cents(text), verdict)
        tick(number / size)
    problems = [*_matching(by_hand), *(["fewer than 200"] if len(by_hand) < 200 else [])]
    return Outcome(len(by_hand) + size, len(NONE), verdict, tuple(problems))


def _compare(text: str, said: Money | None, true: Money | None, verdict: Verdict) -> None:
    """An amount that is none, or another, could make a false event; one not seen, lose one."""
    if said != true:
        (verdict.lost if said is None else verdict.false).append(ascii(text)[:60])


def _written(dice: Random) -> str:
    """Write an amount in one of the ways that count: digits, with or without commas."""
    value = dice.randrange(10 ** dice.randint(1, 14))
    whole = dice.choice((f"{value // 100}", f"{value // 100:,}"))
    fraction = dice.choice((f".{value % 100:02}", f".{value % 100 // 10}", ""))
    return dice.choice(("", "$", "€", "USD ", "JPY ", "￥")) + whole + fraction


def _matching(texts: dict[str, Money | None]) -> list[str]:
    """Each text against a registered amount in six currencies, and against none."""
    wrong = []
    for text in texts:
        for currency in CURRENCIES:
            for amount in (None, "19.99", "1234.5", "0.01"):
                said = amount_matches(text, Registration("A-17", amount, currency))
                if said is not agrees(text, Registered(amount, currency)):
                    wrong.append(f"{text!a} for {amount} {currency}: {said}")
    return wrong
