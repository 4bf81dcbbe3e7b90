"""P2, never false: C9 amounts, from a table and random, read by payresult and by the oracle."""

from decimal import Decimal
from random import Random

from payresult.domain.amount import parse_amount
from payresult.domain.payment import Registration
from payresult.domain.registration import amount_matches
from tests.fault_injection.fuzz_literals import AMOUNTS, INVALID_AMOUNTS
from tests.fault_injection.fuzz_oracle import Registered, agrees, compare, units
from tests.fault_injection.results import Run

CURRENCIES = (None, "USD", "EUR", "GBP", "CNY", "JPY", "KWD", "CLF")
PIECES = (
    *("$", "€", "¥", "USD ", "EUR ", "usd ", "KWD", " USD", "US$", "HK$", "-", "+", " ", ",", "."),
    *("..", "e", "_", "\n", "\0"),
    *("0", "00", "1", "9", "19", "99", "999", "000", "1,234", "234", ",567", ".5", ".50", ".99"),
    *("\u0661", "\uff19", "\u066b", "x", "%"),
)

Money = tuple[int, tuple[str, ...]]


def read_with_payresult(text: str) -> Money | None:
    """Read an amount with payresult."""
    amount = parse_amount(text)
    if amount is None:
        return None
    ten_thousandths = amount.value * 10_000
    assert ten_thousandths == int(ten_thousandths)
    assert isinstance(amount.value, Decimal)
    assert Decimal(amount.text) == amount.value
    return int(ten_thousandths), amount.currencies


def read_bytes(data: bytes) -> None:
    """Compare the amounts of a text, for ``fuzz_coverage``."""
    text = data.decode("utf-8", "replace")
    assert read_with_payresult(text) == units(text)


def read_as_float(text: str) -> Money | None:
    """Read an amount as a float: a control."""
    try:
        return int(float(text.strip().lstrip("$€£¥￥").replace(",", "")) * 10_000), ()
    except (ValueError, OverflowError):
        return None


def amounts(run: Run) -> None:
    """Read the table and random texts, half of them amounts, by payresult and by the oracle."""
    reader = run.design or read_with_payresult
    table: dict[str, Money | None] = dict.fromkeys(INVALID_AMOUNTS)
    table |= {text: (value * 100, tuple(named.split())) for text, (value, named) in AMOUNTS.items()}
    for text, money in table.items():
        compare(text, reader(text), money, run.verdict)
        compare(f"oracle: {text}", units(text), money, run.verdict)
    for number in run.numbers():
        text = _random_amount(run.rng) if number % 2 else _pieces(run.rng)
        compare(text, reader(text), units(text), run.verdict)
    run.tries += len(table)
    run.faults = len(INVALID_AMOUNTS)
    run.problems += _matching(table)


def _pieces(rng: Random) -> str:
    return "".join(rng.choices(PIECES, k=rng.randint(1, 5)))


def _random_amount(rng: Random) -> str:
    """Return a valid amount: digits with or without commas, a fraction and a currency."""
    value = rng.randrange(10 ** rng.randint(1, 14))
    whole = rng.choice((f"{value // 100}", f"{value // 100:,}"))
    fraction = rng.choice(
        (f".{value % 100:02}", f".{value % 100 // 10}", "", f".{value % 1000:03}")
    )
    mark = rng.choice(("", "$", "€", "USD", "JPY", "￥", "KWD", "S$", "CLF"))
    space = rng.choice(("", " "))
    return rng.choice((mark + space + whole + fraction, whole + fraction + space + mark))


def _matching(texts: dict[str, Money | None]) -> list[str]:
    """Compare ``amount_matches`` with the oracle, for each text and several registrations."""
    wrong = []
    for text in texts:
        for currency in CURRENCIES:
            for amount in (None, "19.99", "1234.5", "0.01", "1234", "1.234"):
                found = amount_matches(text, Registration("A-17", amount, currency))
                if found is not agrees(text, Registered(amount, currency)):
                    wrong.append(f"{text!a} for {amount} {currency}: {found}")
    return wrong
