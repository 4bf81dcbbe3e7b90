"""When to ask again."""

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payresult.domain.schedule import Schedule, backoff, jitter, late_check
from tests.support.factories import DAY, DELAYS, HOUR, NOW, SECOND

CHANCES = st.floats(0, 1, exclude_max=True)


def test_the_default_schedule_asks_27_times_in_a_week() -> None:
    """The first check at once, then one after each of the 26 delays."""
    schedule = Schedule(DELAYS)
    assert schedule.checks == 27
    assert [schedule.after(attempt) for attempt in range(1, 27)] == list(DELAYS)
    assert 7 * DAY < sum(DELAYS) * SECOND < 8 * DAY


def test_nothing_follows_the_last_answer() -> None:
    """Also not when more answers came than were planned."""
    schedule = Schedule((5, 10))
    assert [schedule.after(attempt) for attempt in (2, 3, 4, 99)] == [10, None, None, None]


@settings(max_examples=100)
@given(st.sampled_from(sorted(set(DELAYS))), CHANCES)
def test_a_delay_is_spread_by_a_fifth_and_never_above_the_limit_of_sqs(
    delay: int, chance: float
) -> None:
    """What SQS can hold back stays so."""
    moved = jitter(delay, chance)
    assert 0.8 * delay <= moved <= 1.2 * delay
    assert moved <= 900 or delay > 900


@pytest.mark.parametrize(
    ("delay", "chance", "moved"),
    [(10, 0, 8), (10, 0.5, 10), (10, 0.999999, 12), (900, 0.9, 900), (3600, 0.999999, 4320)],
)
def test_chance_moves_a_delay_from_four_to_six_fifths(
    delay: int, chance: float, moved: float
) -> None:
    """The ends and the middle."""
    assert jitter(delay, chance) == pytest.approx(moved, abs=0.01)


def test_trouble_doubles_the_delay_from_5_to_900_seconds() -> None:
    """Without a spread, the delays of an outage."""
    delays = [backoff(tries, None, 0) for tries in range(1, 12)]
    assert delays == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]


@settings(max_examples=100)
@given(st.lists(CHANCES, min_size=20, max_size=20))
def test_an_outage_of_two_hours_sees_15_tries_at_most(chances: list[float]) -> None:
    """Whatever chance brings (P6)."""
    starts = [0, *accumulate(backoff(n, None, c) for n, c in enumerate(chances, 1))]
    assert sum(start <= 7200 for start in starts) <= 15


@settings(max_examples=100)
@given(st.integers(1, 10_000), CHANCES)
def test_trouble_never_waits_longer_than_sqs_can(tries: int, chance: float) -> None:
    """Nor shorter than the five seconds of the first time."""
    assert 5 <= backoff(tries, None, chance) <= 900


@pytest.mark.parametrize(
    ("asked", "waited"), [(60, 60), (900, 900), (901, 901), (7200, 7200), (1e10, 24 * 3600)]
)
def test_a_gateway_that_says_when_is_obeyed_up_to_a_day(asked: float, waited: float) -> None:
    """``Retry-After`` in seconds; a century is a day."""
    assert backoff(1, asked, 0.5) == waited


@pytest.mark.parametrize("asked", [0, 0.2, 1, 5, 30])
def test_a_gateway_that_asks_for_haste_gets_none(asked: float) -> None:
    """A short ``Retry-After`` is a least wait; 15 tries in two hours hold all the same (P6)."""
    starts = [0, *accumulate(backoff(n, asked, 0) for n in range(1, 20))]
    assert sum(start <= 7200 for start in starts) <= 15


def test_late_checks_come_an_hour_and_a_day_after_the_change() -> None:
    """Two, and none more."""
    assert late_check(NOW, NOW) == NOW + HOUR
    assert late_check(NOW, NOW + HOUR - 1) == NOW + HOUR
    assert late_check(NOW, NOW + HOUR) == NOW + DAY
    assert late_check(NOW, NOW + DAY - 1) == NOW + DAY
    assert late_check(NOW, NOW + DAY) is None
