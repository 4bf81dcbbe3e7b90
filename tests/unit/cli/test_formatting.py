"""P8, contract of the CLI's texts: times, ages, amounts, and untrusted text for a terminal."""

import pytest

from payresult.domain.payment import Registration
from payresult_cli.formatting import (
    format_duration,
    format_registered_amount,
    format_time,
    format_time_and_age,
    parse_age,
    parse_time,
    printable,
)
from tests.support.factories import DAY, HOUR, MINUTE, NOW, SECOND


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        *((0, "0 s"), (119 * SECOND, "119 s"), (2 * MINUTE, "2 min"), (119 * MINUTE, "119 min")),
        *((2 * HOUR, "2 h"), (47 * HOUR, "47 h"), (9 * DAY, "9 d")),
    ],
)
def test_duration_has_the_largest_unit_of_which_there_are_two(duration: int, expected: str) -> None:
    """A larger unit would round too much away."""
    assert format_duration(duration) == expected


def test_time_is_shown_with_its_distance_from_now() -> None:
    """In the past and in the future."""
    assert format_time(NOW) == "2026-11-22 10:00:00Z"
    assert format_time_and_age(NOW - 3 * MINUTE, NOW) == "2026-11-22 09:57:00Z (3 min ago)"
    assert format_time_and_age(NOW + 45 * SECOND, NOW) == "2026-11-22 10:00:45Z (in 45 s)"


@pytest.mark.parametrize(
    ("registration", "expected"),
    [
        (Registration("A-17", "19.99", "USD"), "19.99 USD"),
        (Registration("A-17", "19.99"), "19.99"),
        (Registration(currency="USD"), "USD"),
        (Registration("A-17"), "no amount"),
    ],
)
def test_registered_amount_has_its_currency(registration: Registration, expected: str) -> None:
    """Where both are registered."""
    assert format_registered_amount(registration) == expected


@pytest.mark.parametrize(
    ("text", "age"),
    [
        *(("90s", 90 * SECOND), ("15m", 15 * MINUTE), ("2h", 2 * HOUR), ("7d", 7 * DAY)),
        *((text, None) for text in ("", "7", "d", "-7d", "1.5h", "7 d", "7w", "\u0667d")),
        ("1000000s", None),
    ],
)
def test_age_is_a_number_and_a_unit(text: str, age: int | None) -> None:
    """In milliseconds; the option rejects what is None."""
    assert parse_age(text) == age


@pytest.mark.parametrize(
    ("text", "at"),
    [
        *((f"2026-11-22T{time}", NOW) for time in ("10:00:00.123Z", "10:00:00.123")),
        ("2026-11-22T18:00:00.123+08:00", NOW),
        *((text, None) for text in ("", "yesterday", "2026-13-01", "22.11.2026")),
        ("0001-01-01T00:00+09:00", None),
    ],
)
def test_time_without_a_zone_is_utc(text: str, at: int | None) -> None:
    """As all times that the CLI writes. What is before 1970 is rejected too."""
    assert parse_time(text) == at


def test_control_characters_are_escaped() -> None:
    """Colours, bells and line ends; letters of any language stay."""
    assert printable("套餐 \x1b[31mred\x07\r\n") == "套餐 \\x1b[31mred\\x07\\r\\n"
