"""P2: an amount is read in one way only, or not at all."""
# ruff: noqa: RUF001 - digits that only look like ASCII are tested here

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payresult.domain.amount import (
    currency_of,
    decimals,
    fits_currency,
    parse_amount,
    parse_plain_amount,
    same_amount,
)

YUAN_OR_YEN = ("CNY", "JPY")
AMOUNTS = [
    # some twenty currencies use the dollar sign
    *(("$19.99", "19.99", ()), ("1,234.50", "1234.50", ()), ("19.9", "19.9", ()), ("0", "0", ())),
    *(("$1,234", "1234", ()), ("1,234,567", "1234567", ()), ("$0.123", "0.123", ())),
    *(("1,234,567,890.12", "1234567890.12", ()), ("999999999999.99", "999999999999.99", ())),
    *(("€5", "5", ("EUR",)), ("£0.50", "0.50", ("GBP",)), ("¥100", "100", YUAN_OR_YEN)),
    ("￥1,400", "1400", YUAN_OR_YEN),
    # before or after, with or without one space
    *((text, "19.99", ("USD",)) for text in ("USD 19.99", "USD19.99", "19.99 USD", "19.99USD")),
    *((text, "19.99", ()) for text in ("$ 19.99", "19.99$", "19.99 $")),
    *((text, "19.99", ("EUR",)) for text in ("€ 19.99", "19.99€", "19.99 €", "19.99 EUR")),
    *((text, "1234.5", ("GBP",)) for text in ("1,234.5 £", "GBP1,234.5", "£ 1234.5")),
    # a dollar with its country
    *((text, "19.99", ("USD",)) for text in ("US$19.99", "US$ 19.99", "19.99 US$", "19.99US$")),
    *(("HK$140", "140", ("HKD",)), ("S$1,234.50", "1234.50", ("SGD",)), ("A$5", "5", ("AUD",))),
    *(("5 C$", "5", ("CAD",)), ("NT$600", "600", ("TWD",))),
    # currencies with other decimals than two
    *(("JPY 1,000", "1000", ("JPY",)), ("JPY 1000.00", "1000.00", ("JPY",))),
    *(("KWD 1.234", "1.234", ("KWD",)), ("1.234 KWD", "1.234", ("KWD",))),
    *(("KWD 12,345.678", "12345.678", ("KWD",)), ("KWD 1,234,567", "1234567", ("KWD",))),
    *(("KWD 1234.5", "1234.5", ("KWD",)), ("CLF 1.2345", "1.2345", ("CLF",))),
    # three or four decimals that can be nothing else
    *(("1,234.567", "1234.567", ()), ("1,234.5678", "1234.5678", ())),
    *(("1234.567", "1234.567", ()), ("0.0001", "0.0001", ())),
]


@pytest.mark.parametrize(("text", "value", "currencies"), AMOUNTS)
def test_reads_an_amount(text: str, value: str, currencies: tuple[str, ...]) -> None:
    """To the digit, with the currencies that the text allows."""
    amount = parse_amount(text)
    assert amount is not None
    assert (amount.value, amount.text, amount.currencies) == (Decimal(value), value, currencies)


NO_AMOUNTS = [
    *(None, "", " ", "$", "USD", "US$", "free", "19,99 €", "19,99", "1,23", "12,34.5", "1234,567"),
    *("1,234,56", "01.00", "00", "007", ".50", "5.", "$19.99999", "0.00001", "1,234.56789"),
    *("-5", "+5", "$-5", "-$5", "--5", "(5)", "1e3", "1E3", "1_9.99", "0x10", "5%", "5,-", "$5;"),
    *("١٩.٩٩", "１９.９９", "19.99\n", "\n19.99", " 19.99", "19.99 ", "19.99\u00a0", "\x0019.99"),
    *("NaN", "sNaN", "Infinity", "1.234,50", "1 234.50", "1'234.50", "19.99.99", "19\u066b99", "٣"),
    *("1,,234", "1,234,", ",234", "0,123", "5,0000", "1,234,567,890,123.00", "9" * 13, "9" * 5000),
    # more than one space, other spaces, none where it breaks a number or a mark
    *("USD  5", "5  USD", "$\t5", "19.99\u00a0€", "€\u202f5", "5\u3000CNY", "US $19.99", "1 9.99"),
    *(" $5", "$5 ", "USD 5 ", "U SD 5"),
    # more than one mark, and marks that are none
    *("$5 USD", "USD $5", "$$5", "$5$", "USD 5 USD", "€5 EUR", "US$5 USD", "$USD5", "¥5￥"),
    *("usd 5", "Usd 5", "USDT 5", "5 USDT", "US 5", "R$5", "AU$5", "X$5", "$US5", "$A 5", "USD: 5"),
    *("＄5", "₹5", "kr 5", "5 kr", "5 zł", "5元", "\u0412SD 5", "ＵＳＤ5", "USD.5", "5.USD"),
]


@pytest.mark.parametrize("text", NO_AMOUNTS)
@pytest.mark.parametrize("registered", [None, "USD", "JPY", "KWD"])
def test_other_texts_are_no_amounts(text: str | None, registered: str | None) -> None:
    """A text that could be read in two ways is no amount; a decimal comma is never guessed at."""
    assert parse_amount(text, registered) is None


THREE_DIGITS = [
    # text, registered, value
    *(("USD 1,234", None, "1234"), ("KWD 1,234", None, None), ("CLF 1,234", None, None)),
    *(("EUR 1.234", None, None), ("JPY 1.234", None, None), ("CLF 1.234", None, None)),
    *(("¥1,234", None, "1234"), ("¥1.234", None, None)),
    # a dollar or a peso has at most two decimals, whichever it is
    *(("$1,234", None, "1234"), ("$1,234", "USD", "1234"), ("$1,234", "KWD", None)),
    *(("$1.234", None, None), ("$1.234", "KWD", None)),
    # nothing is named: the registered currency decides
    *((text, None, None) for text in ("1,234", "1.234", "10,234", "100.234")),
    *(("1,234", "USD", "1234"), ("1,234", "JPY", "1234"), ("1,234", "KWD", None)),
    *(("1.234", "USD", None), ("1.234", "JPY", None), ("1.234", "KWD", "1.234")),
    *(("1.234", "CLF", None), ("999.000", "KWD", "999.000")),
    # what is named comes before what is registered
    *(("KWD 1,234", "USD", None), ("KWD 1.234", "USD", "1.234")),
    *(("USD 1.234", "KWD", None), ("USD 1,234", "KWD", "1234")),
]


@pytest.mark.parametrize(("text", "registered", "value"), THREE_DIGITS)
def test_three_digits_by_currency(text: str, registered: str | None, value: str | None) -> None:
    """1,234 dollars are 1234, 1.234 dinars are 1.234; all other readings may be another sum."""
    amount = parse_amount(text, registered)
    assert (amount and amount.text) == value


@settings(max_examples=100)
@given(st.text(alphabet="0123456789.,$€£¥￥ USDKWeE+-_\n٣５", max_size=12))
def test_an_amount_has_exactly_the_digits_of_the_text(text: str) -> None:
    """ASCII digits only, in their order."""
    amount = parse_amount(text)
    if amount is not None:
        assert amount.value == Decimal(amount.text)
        assert amount.text.replace(".", "") == "".join(c for c in text if c in "0123456789")
        assert amount.text.isascii()


@settings(max_examples=100)
@given(
    st.integers(0, 10**16 - 100),
    st.sampled_from(["{}", "${}", "EUR {}", "€{}", "{} USD", "{}$", "US$ {}", "{}¥"]),
)
def test_every_amount_written_in_full_is_read_back(small: int, form: str) -> None:
    """To the fourth decimal, with or without grouped thousands, up to 10^12."""
    value = Decimal(small) / 10_000
    for text in (f"{value:.4f}", f"{value:,.4f}", f"{value:,.2f}"):
        amount = parse_amount(form.format(text))
        assert amount is not None
        assert amount.value == Decimal(text.replace(",", ""))


@pytest.mark.parametrize(
    "text",
    [
        *("$5", "1,234.50", "USD 5", "5.99999", "-5", "5 ", "5\n", "1e3", "٥", "５", ""),
        *("05", ".5", "1000000000000", "5 USD", "5.", "+5"),
    ],
)
def test_other_texts_are_no_plain_amounts(text: str) -> None:
    """``expectedAmount`` has digits and at most one point."""
    assert parse_plain_amount(text) is None


@pytest.mark.parametrize("text", ["19.99", "5", "0.5", "0", "999999999999.99", "1.2345"])
def test_reads_a_plain_amount(text: str) -> None:
    """As a Decimal, to the digit."""
    assert parse_plain_amount(text) == Decimal(text)


@pytest.mark.parametrize(
    ("amount", "currency", "fits"),
    [
        *(("19.99", "USD", True), ("19.990", "USD", True), ("19.999", "USD", False)),
        *(("1000", "JPY", True), ("1000.00", "JPY", True), ("1000.5", "JPY", False)),
        *(("1.234", "KWD", True), ("1.2340", "KWD", True), ("1.2345", "KWD", False)),
        *(("1.2345", "CLF", True), ("1.2345", "UYW", True), ("1", "XAF", True)),
        *(("19.99", None, True), ("19.9900", None, True), ("1.234", None, False)),
        *((None, "JPY", True), (None, None, True)),
    ],
)
def test_an_amount_has_its_decimals(
    amount: str | None, currency: str | None, *, fits: bool
) -> None:
    """As many as ISO 4217 says, two where none is named; zeros at the end do not count."""
    assert fits_currency(amount, currency) is fits


@pytest.mark.parametrize(
    ("pay_amount", "registered", "shown"),
    [
        *((None, None, None), (None, "USD", "USD"), ("19.99", None, None), ("19.99", "USD", "USD")),
        *(("$19.99", None, None), ("$19.99", "SGD", "SGD"), ("5 HK$", "USD", "HKD")),
        *(("EUR 5", None, "EUR"), ("EUR 5", "USD", "EUR"), ("¥140", None, None)),
        *(("￥140.00", "CNY", "CNY"), ("¥140", "JPY", "JPY")),
        ("￥140.00", "USD", None),  # yuan or yen: not dollars, and more is not known
        # a number that does not parse names its currency all the same
        *(("19,99 €", None, "EUR"), ("19,99 €", "USD", "EUR"), ("19,99", "EUR", "EUR")),
        *(("KWD 1,234", "USD", "KWD"), ("$19.99 USD", "EUR", "USD"), ("¥5 JPY", "CNY", "JPY")),
        *(("€5 USD", "EUR", None), ("5 zł", "USD", None), ("₹5", "USD", None)),
        *(
            ("usd 5", "EUR", None),
            ("five", "USD", None),
            ("\x00", "USD", "USD"),
            ("", "USD", "USD"),
        ),
    ],
)
def test_the_currency_shown(
    pay_amount: str | None, registered: str | None, shown: str | None
) -> None:
    """What the amount names, else the registered one, else none."""
    assert currency_of(pay_amount, registered) == shown


@pytest.mark.parametrize(
    ("pay_amount", "expected", "currency", "same"),
    [
        *(("US$19.99", "19.99", "USD", True), ("19.99 USD", "19.99", "USD", True)),
        *(("HK$19.99", "19.99", "USD", False), ("$19.99", "19.99", "USD", True)),
        *(("KWD 1.234", "1.234", "KWD", True), ("1.234", "1.234", "KWD", True)),
        *(("KWD 1,234", "1.234", "KWD", False), ("KWD 1,234", "1234", "KWD", False)),
        *(("1,234", "1234", "USD", True), ("1,234", "1234", None, False)),
        *(("1.234", "1234", "EUR", False), ("1.234", "1.234", None, False)),
        *(("1.234,00 €", "1234", "EUR", False), ("19,99 €", "19.99", "EUR", False)),
        *(("JPY 1,000", "1000.00", "JPY", True), ("¥1,000", "1000", "CNY", True)),
        *(("19.990", "19.99", "USD", False), ("19.9900", "19.99", "USD", True)),
        *(("19,99 €", None, "USD", False), ("19,99 €", None, "EUR", True)),
        *(("free", None, "USD", True), ("free", None, None, True), (None, "5", None, False)),
    ],
)
def test_same_amount(
    pay_amount: str | None, expected: str | None, currency: str | None, *, same: bool
) -> None:
    """The same sum, in a currency that may be the registered one; anything else is REVIEW."""
    assert same_amount(pay_amount, expected, currency) is same


@pytest.mark.parametrize(
    ("currency", "places"), [(None, 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)]
)
def test_a_currency_has_the_decimals_of_iso_4217(currency: str | None, places: int) -> None:
    """Two where none is known."""
    assert decimals(currency) == places
