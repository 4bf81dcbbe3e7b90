"""P6: when the next check is due."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payresult.domain.schedule import (
    FOLLOW_FOR,
    LATE_CHECKS,
    LATE_FOLLOW_FOR,
    MAX_QUEUE_DELAY,
    MAX_RETRY_DELAY,
    Schedule,
    backoff,
    expiry,
    jitter,
    late_check,
)
from tests.support.factories import DAY, DELAYS, HOUR, NOW, SECOND

FRACTIONS = st.floats(0, 1, exclude_max=True)


def test_the_default_schedule_has_32_checks_in_a_week() -> None:
    """The first check at once, then one after each of the 31 delays."""
    schedule = Schedule(DELAYS)
    assert schedule.checks == 32
    assert [schedule.after(attempt) for attempt in range(1, 32)] == list(DELAYS)
    assert 7 * DAY < sum(DELAYS) * SECOND < 8 * DAY


def test_the_default_schedule_has_no_gap_over_15_seconds_in_the_first_minute() -> None:
    """Every pause that can begin in the first minute, with the shortest jitter before it.

    At its longest such a pause has 15 s.
    """
    begins = 0.0
    for delay in DELAYS:
        if begins < 60:
            assert jitter(delay, 1) <= 15
        begins += jitter(delay, 0)


def test_nothing_follows_the_last_answer() -> None:
    """Also where more answers came than were planned."""
    schedule = Schedule((5, 10))
    assert [schedule.after(attempt) for attempt in (2, 3, 4, 99)] == [10, None, None, None]


@pytest.mark.parametrize(
    ("delay", "fraction", "changed"),
    [(10, 0, 8), (10, 0.5, 10), (10, 0.999999, 12), (900, 0.9, 900), (3600, 0.999999, 4320)],
)
def test_jitter_is_from_four_to_six_fifths(delay: int, fraction: float, changed: float) -> None:
    """The ends and the middle; a delay that SQS accepts stays one."""
    assert jitter(delay, fraction) == pytest.approx(changed, abs=0.01)


def starts_of_tries(
    fractions: Iterable[float], first: float = 0, retry_after: float | None = None
) -> list[float]:
    """Return when the tries of unbroken trouble start, in seconds, each answered at once."""
    starts = [first]
    for tries, fraction in enumerate(fractions, 1):
        starts.append(starts[-1] + backoff(tries, starts[-1] - first, retry_after, fraction))
    return starts


def test_backoff_doubles_from_5_to_900_seconds() -> None:
    """Jitter lengthens a wait by up to a fifth: payments do not come back together."""
    delays = [backoff(tries, 0, None, 0) for tries in range(1, 12)]
    assert delays == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]
    assert backoff(1, 0, None, 0.5) == 5.5


@pytest.mark.parametrize(
    ("hours", "minutes"), [(2, 15), (2.4, 18), (8, 60), (47, 352.5), (48, 360), (200, 360)]
)
def test_long_trouble_waits_an_eighth_of_its_age(hours: float, minutes: float) -> None:
    """From two hours on, where that is 15 minutes, up to six hours; also at the second try."""
    for tries in (2, 16, 10_000):
        assert backoff(tries, hours * 3600, None, 0) == minutes * 60


@settings(max_examples=20)
@given(st.lists(FRACTIONS, min_size=80, max_size=80))
def test_nine_days_of_trouble_take_at_most_72_checks(fractions: list[float]) -> None:
    """Whatever the jitter (P6)."""
    assert sum(start <= FOLLOW_FOR for start in starts_of_tries(fractions)) <= 72


def test_the_least_jitter_takes_15_and_70_checks() -> None:
    """The arithmetic of ``backoff``: 15, then 27 and 28."""
    starts = starts_of_tries([0] * 80)
    limits = (2 * 3600, 48 * 3600, FOLLOW_FOR)
    assert [sum(start <= limit for start in starts) for limit in limits] == [15, 42, 70]


@settings(max_examples=50)
@given(st.floats(0, 7200), st.lists(FRACTIONS, min_size=16, max_size=16))
def test_all_are_tried_15_minutes_after_an_outage(first: float, fractions: list[float]) -> None:
    """Whenever the trouble began; two minutes more are left for the queue."""
    after = [start for start in starts_of_tries(fractions, first) if start > 7200]
    assert after[0] <= 7200 + MAX_QUEUE_DELAY


@pytest.mark.parametrize(
    ("retry_after", "waited"), [(60, 60), (900, 900), (901, 901), (7200, 7200), (1e10, 24 * 3600)]
)
def test_retry_after_is_obeyed_up_to_a_day(retry_after: float, waited: float) -> None:
    """In seconds."""
    assert backoff(1, 0, retry_after, 0.5) == waited


@pytest.mark.parametrize("retry_after", [0, 0.2, 1, 5, 30])
def test_a_short_retry_after_does_not_shorten_the_wait(retry_after: float) -> None:
    """So 15 checks in two hours stay the maximum (P6)."""
    starts = starts_of_tries([0] * 20, retry_after=retry_after)
    assert sum(start <= 7200 for start in starts) <= 15


def test_a_late_payment_is_followed_beyond_its_last_late_check_in_trouble() -> None:
    """After 48 h the longest distance between tries has passed several times."""
    assert LATE_CHECKS[-1] + 4 * MAX_RETRY_DELAY <= LATE_FOLLOW_FOR


def test_late_checks_come_an_hour_and_a_day_after_the_change() -> None:
    """Two, and no more."""
    assert late_check(NOW, NOW) == NOW + HOUR
    assert late_check(NOW, NOW + HOUR - 1) == NOW + HOUR
    assert late_check(NOW, NOW + HOUR) == NOW + DAY
    assert late_check(NOW, NOW + DAY - 1) == NOW + DAY
    assert late_check(NOW, NOW + DAY) is None


@pytest.mark.parametrize(("days", "at"), [(0, None), (400, (NOW + 400 * DAY) // 1000)])
def test_an_item_may_be_deleted_after_the_retention_days(days: int, at: int | None) -> None:
    """In whole seconds, as DynamoDB's TTL wants them; 0 keeps it for ever."""
    assert expiry(NOW, days) == at
