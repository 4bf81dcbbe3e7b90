"""P2: an amount is read in one way only, or not at all."""
# ruff: noqa: RUF001 - digits that only look like ASCII are tested here

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payresult.domain.amount import parse_amount, parse_plain_amount


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("$19.99", "19.99", None),  # some twenty currencies use this sign
        ("1,234.50", "1234.50", None),
        ("USD 19.99", "19.99", "USD"),
        ("€5", "5", "EUR"),
        ("£0.50", "0.50", "GBP"),
        ("¥100", "100", None),  # yuan or yen
        ("￥100", "100", None),
        ("19.9", "19.9", None),
        ("0", "0", None),
        ("$1,234", "1234", None),
        ("1,234,567,890.12", "1234567890.12", None),
        ("999999999999.99", "999999999999.99", None),
    ],
)
def test_reads_an_amount(text: str, value: str, currency: str | None) -> None:
    """To the digit, with the currency where the text names exactly one."""
    amount = parse_amount(text)
    assert amount is not None
    assert (amount.value, amount.text, amount.currency) == (Decimal(value), value, currency)


@pytest.mark.parametrize("text", ["¥100", "￥100"])
def test_a_yen_or_yuan_sign_says_which_currencies_are_possible(text: str) -> None:
    """The sign is used for both, so it contradicts neither."""
    amount = parse_amount(text)
    assert amount is not None
    assert set(amount.currencies) == {"CNY", "JPY"}


NO_AMOUNTS = [
    *(None, "", " ", "$", "USD", "free", "19,99 €", "19,99", "1,23", "12,34.5", "1234,567"),
    *("1,234,56", "01.00", "00", ".50", "5.", "$19.999", "-5", "+5", "$-5", "--5", "1e3", "1E3"),
    *("١٩.٩٩", "１９.９９", "19.99\n", "\n19.99", " 19.99", "19.99 ", "19.99\u00a0", "1_9.99"),
    *("NaN", "sNaN", "Infinity", "0x10", "usd 5", "USD5", "USD  5", "US$5", "USDT 5", "$ 5"),
    *("$5 USD", "5 USD", "$$5", "1.234,50", "1 234.50", "19.99.99", "19\u066b99", "1,,234"),
    *("9" * 13, "9" * 5000, "1,234,567,890,123.00", "\x0019.99", "５", "$19.99;", "٣"),
]


@pytest.mark.parametrize("text", NO_AMOUNTS)
def test_other_texts_are_no_amounts(text: str | None) -> None:
    """A text that could be read in two ways is no amount."""
    assert parse_amount(text) is None


@settings(max_examples=100)
@given(st.text(alphabet="0123456789.,$€£¥￥ USDeE+-_\n٣５", max_size=12))
def test_an_amount_has_exactly_the_digits_of_the_text(text: str) -> None:
    """ASCII digits only, in their order."""
    amount = parse_amount(text)
    if amount is not None:
        assert amount.value == Decimal(amount.text)
        assert amount.text.replace(".", "") == "".join(c for c in text if c in "0123456789")
        assert amount.text.isascii()


@settings(max_examples=100)
@given(st.integers(0, 10**14 - 1), st.sampled_from(["", "$", "EUR ", "€"]))
def test_every_amount_written_in_full_is_read_back(cents: int, before: str) -> None:
    """To the cent, with or without grouped thousands, up to 10^12."""
    value = Decimal(cents) / 100
    for text in (f"{value:.2f}", f"{value:,.2f}"):
        amount = parse_amount(before + text)
        assert amount is not None
        assert amount.value == value


@pytest.mark.parametrize(
    "text",
    [
        *("$5", "1,234.50", "USD 5", "5.999", "-5", "5 ", "5\n", "1e3", "٥", "５", "", "05", ".5"),
        "1000000000000",
    ],
)
def test_other_texts_are_no_plain_amounts(text: str) -> None:
    """``expectedAmount`` has digits and at most one point."""
    assert parse_plain_amount(text) is None


@pytest.mark.parametrize("text", ["19.99", "5", "0.5", "0", "999999999999.99"])
def test_reads_a_plain_amount(text: str) -> None:
    """As a Decimal, to the digit."""
    assert parse_plain_amount(text) == Decimal(text)
