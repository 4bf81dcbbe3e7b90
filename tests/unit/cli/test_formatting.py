"""Times and foreign text, as operators read and write them."""

import pytest

from payresult_cli.formatting import (
    format_duration,
    format_time,
    format_time_and_age,
    parse_age,
    parse_point,
    printable,
)
from tests.support.factories import DAY, HOUR, MINUTE, NOW, SECOND


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "0 s"),
        (119 * SECOND, "119 s"),
        (2 * MINUTE, "2 min"),
        (119 * MINUTE, "119 min"),
        (2 * HOUR, "2 h"),
        (47 * HOUR, "47 h"),
        (9 * DAY, "9 d"),
    ],
)
def test_a_span_is_told_in_the_largest_unit_that_says_enough(length: int, words: str) -> None:
    """Nobody counts 540 seconds, and nobody wants "0 d"."""
    assert format_duration(length) == words


def test_a_point_is_told_with_its_distance() -> None:
    """Before now and after it."""
    assert format_time(NOW) == "2026-11-22 10:00:00Z"
    assert format_time_and_age(NOW - 3 * MINUTE, NOW) == "2026-11-22 09:57:00Z (3 min ago)"
    assert format_time_and_age(NOW + 45 * SECOND, NOW) == "2026-11-22 10:00:45Z (in 45 s)"


@pytest.mark.parametrize(
    ("text", "age"),
    [("90s", 90 * SECOND), ("15m", 15 * MINUTE), ("2h", 2 * HOUR), ("7d", 7 * DAY)],
)
def test_an_age_is_a_number_and_a_unit(text: str, age: int) -> None:
    """In milliseconds, as all times."""
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "1.5h", "7 d", "7w", "\u0667d", "1000000s"])
def test_what_is_no_age_is_none(text: str) -> None:
    """Nothing is guessed at."""
    assert parse_age(text) is None


@pytest.mark.parametrize(
    "text",
    ["2026-11-22T10:00:00.123Z", "2026-11-22T10:00:00.123", "2026-11-22T18:00:00.123+08:00"],
)
def test_a_point_without_a_zone_is_utc(text: str) -> None:
    """As all times that the tool prints."""
    assert parse_point(text) == NOW


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "22.11.2026", "0001-01-01T00:00+09:00"]
)
def test_what_is_no_point_is_none(text: str) -> None:
    """Nothing is guessed at, and nothing is older than 1970."""
    assert parse_point(text) is None


def test_what_a_terminal_would_obey_is_escaped() -> None:
    """Colours, bells and line ends; letters of any language stay."""
    assert printable("套餐 \x1b[31mred\x07\r\n") == "套餐 \\x1b[31mred\\x07\\r\\n"
