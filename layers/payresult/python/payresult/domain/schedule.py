"""When to ask again: pure arithmetic, delays in seconds, points in time in milliseconds.

The default schedule (template parameter CheckDelays) asks at once and then 26 times more in a
week: every few seconds while a customer waits, once a day at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_QUEUE_DELAY = 900
"""The longest DelaySeconds that SQS takes (AWS, SQS message timers)."""

FIRST_RETRY_DELAY = 5
MAX_RETRY_AFTER = 24 * 3600
LATE_CHECKS = (3600, 24 * 3600)
FOLLOW_FOR = 9 * 24 * 3600
"""A payment is given up this long after its (re)start: the seven days of the default schedule,
a fifth more if every delay is stretched (8.4 days), and some hours of outages."""

JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Schedule:
    """The delays between answered checks; the first check comes at once."""

    delays: Sequence[int]

    @property
    def checks(self) -> int:
        """How many answered checks a payment gets at most (27 by default)."""
        return len(self.delays) + 1

    def after(self, attempt: int) -> int | None:
        """Return the delay that follows the *attempt*-th answer, or None after the last."""
        return self.delays[attempt - 1] if attempt < self.checks else None


def jitter(delay: float, random_fraction: float) -> float:
    """Return *delay* moved by up to a fifth either way; *chance* is in [0, 1).

    What fits SQS still fits it afterwards.
    """
    moved = delay * (1 - JITTER + 2 * JITTER * random_fraction)
    return min(moved, MAX_QUEUE_DELAY) if delay <= MAX_QUEUE_DELAY else moved


def backoff(tries: int, retry_after: float | None, random_fraction: float) -> float:
    """Return the delay after the *tries*-th unanswered check in a row.

    5 s, doubling to 900 s. The spread here only lengthens: the tries of a two-hour outage
    start at 0, 5, 15, 35, ... 6675 s at the earliest, which are 15. A gateway that says when
    to come back is not asked before, up to a day; one that asks for haste gets none.
    """
    doubled = (FIRST_RETRY_DELAY << min(tries - 1, 8)) * (1 + JITTER * random_fraction)
    return max(min(doubled, MAX_QUEUE_DELAY), min(retry_after or 0, MAX_RETRY_AFTER))


def late_check(changed_at: int, now: int) -> int | None:
    """Return when a FAILED or REVIEW payment is looked at next: 1 h, then 24 h after the change."""
    points = (changed_at + delay * 1000 for delay in LATE_CHECKS)
    return next((point for point in points if point > now), None)
