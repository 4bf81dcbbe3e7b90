"""The gateway's raw fields in a useful form: amounts, dates, units."""
# ruff: noqa: RUF001 - digits that only look like ASCII are what is tested here

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payresult.domain.reply import package_unit, paid_at, parse_amount, parse_plain_amount

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("$19.99", "19.99", None),  # a score of currencies are written so
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
    """What looks like an amount is one, to the digit, with the currency if it names just one."""
    amount = parse_amount(text)
    assert amount is not None
    assert (amount.value, amount.text, amount.currency) == (Decimal(value), value, currency)


@pytest.mark.parametrize("text", ["¥100", "￥100"])
def test_a_yen_or_yuan_sign_says_which_currencies_are_possible(text: str) -> None:
    """The sign stands for both, so neither is contradicted."""
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
def test_takes_nothing_else_for_an_amount(text: str | None) -> None:
    """What could be read in two ways, or only by kindness, is no amount."""
    assert parse_amount(text) is None


@settings(max_examples=100)
@given(st.text(alphabet="0123456789.,$€£¥￥ USDeE+-_\n٣５", max_size=12))
def test_an_amount_is_never_more_than_its_digits(text: str) -> None:
    """Whatever is read has the ASCII digits of the text, in their order, and no others."""
    amount = parse_amount(text)
    if amount is not None:
        assert amount.value == Decimal(amount.text)
        assert amount.text.replace(".", "") == "".join(c for c in text if c in "0123456789")
        assert amount.text.isascii()


@settings(max_examples=100)
@given(st.integers(0, 10**14 - 1), st.sampled_from(["", "$", "EUR ", "€"]))
def test_reads_back_every_amount_that_is_written_in_full(cents: int, before: str) -> None:
    """No cent is lost, with grouped thousands or without, up to a million million."""
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
def test_our_own_callers_write_plain_amounts_only(text: str) -> None:
    """An expectedAmount has digits and a point, nothing around them."""
    assert parse_plain_amount(text) is None


@pytest.mark.parametrize("text", ["19.99", "5", "0.5", "0", "999999999999.99"])
def test_reads_a_plain_amount(text: str) -> None:
    """As a Decimal, to the digit."""
    assert parse_plain_amount(text) == Decimal(text)


def test_a_date_gets_the_offset_of_its_zone() -> None:
    """The gateway's own example, in the zone that a deployment names."""
    assert paid_at("2020-09-17 18:11:10", SHANGHAI) == "2020-09-17T18:11:10+08:00"


@pytest.mark.parametrize("hour", range(24))
def test_a_day_has_24_hours(hour: int) -> None:
    """From 00 to 23."""
    assert paid_at(f"2020-09-17 {hour:02}:11:10", SHANGHAI) == f"2020-09-17T{hour:02}:11:10+08:00"


def test_the_offset_may_be_behind() -> None:
    """West of Greenwich."""
    new_york = ZoneInfo("America/New_York")
    assert paid_at("2020-09-17 18:11:10", new_york) == "2020-09-17T18:11:10-04:00"


def test_a_date_before_there_were_zones_says_nothing() -> None:
    """Local mean time of Shanghai was +08:05:43, which RFC 3339 cannot write."""
    assert paid_at("1900-12-31 12:00:00", SHANGHAI) is None


def test_the_offset_is_that_of_the_day() -> None:
    """Summer time counts where the zone has it."""
    berlin = ZoneInfo("Europe/Berlin")
    assert paid_at("2026-01-15 12:00:00", berlin) == "2026-01-15T12:00:00+01:00"
    assert paid_at("2026-07-15 12:00:00", berlin) == "2026-07-15T12:00:00+02:00"


def test_without_a_zone_a_date_says_nothing() -> None:
    """The documents give ``payResultDate`` no zone."""
    assert paid_at("2020-09-17 18:11:10", None) is None


@pytest.mark.parametrize(
    "text",
    [
        *(
            None,
            "",
            "2026-01-01 24:00:00",
            "2026-02-31 10:00:00",
            "2025-02-29 10:00:00",
            "2026-13-01 10:00:00",
        ),
        *("2026-00-10 10:00:00", "2026-01-01 25:00:00", "2026-01-01 10:61:00"),
        *("2026-01-01 10:00:60", "0000-01-01 10:00:00", "2020-9-7 1:1:1", "2020-09-17"),
        *("2020-09-17T18:11:10", "2020-09-17 18:11:10Z", "2020-09-17 18:11:10+08:00"),
        *("2020-09-17 18:11:10\n", " 2020-09-17 18:11:10", "2020-09-17  18:11:10"),
        *("２０２０-09-17 18:11:10", "٢٠٢٠-09-17 18:11:10", "20200917181110", "1600337470"),
        *("17/09/2020 18:11:10", "2020-09-17 18:11", "2020-09-17 18:11:10.5", "20181031256548"),
    ],
)
def test_an_odd_date_says_nothing(text: str | None) -> None:
    """Impossible days and every other form stay raw."""
    assert paid_at(text, SHANGHAI) is None


@settings(max_examples=100)
@given(st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", fullmatch=True))
def test_no_date_raises(text: str) -> None:
    """An odd one never costs a customer the event, not even in the year 1 or 9999."""
    said = paid_at(text, SHANGHAI)
    assert said is None or said.startswith(text.replace(" ", "T"))


@pytest.mark.parametrize(
    ("package_type", "unit"),
    [
        *(("0", "day"), ("1", "day"), ("2", "month"), ("3", "quarter"), ("4", "half-year")),
        *(("5", "year"), ("6", None), ("", None), (None, None), ("00", None), (" 2", None)),
        *(("２", None), ("2\n", None), ("-1", None)),
    ],
)
def test_the_package_type_names_the_unit(package_type: str | None, unit: str | None) -> None:
    """The provider's six codes; any other has no unit."""
    assert package_unit(package_type) == unit
