"""When to check again. Delays are in seconds, points in time in milliseconds. Pure.

The default schedule (template parameter CheckDelays) checks at once and then 31 times in a week:
every 12 s while a customer pays, once a day at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_QUEUE_DELAY = 900
"""The longest DelaySeconds that SQS accepts (AWS, SQS message timers)."""

FIRST_RETRY_DELAY = 5
MAX_RETRY_DELAY = 6 * 3600
MAX_RETRY_AFTER_DELAY = 24 * 3600
LATE_CHECKS = (3600, 24 * 3600)
FOLLOW_FOR = 9 * 24 * 3600
"""A payment is given up this long after its (re)start: the week of the default schedule,
8.8 days if jitter lengthens every delay by a fifth, and some hours of outages."""

GIVE_UP_GRACE = 3600
"""The time that the check at ``giveUpAt`` has for a reply, in seconds. Its reply tells EXPIRED from
UNRESOLVED, and the gateway may have a hiccup just then."""

MAX_GRACE_AGE = 4 * 3600
"""The most age of errors (see ``backoff``) that counts in the grace: an eighth of it is half the
grace, so the check is repeated at least once."""

LATE_FOLLOW_FOR = 48 * 3600
"""A FAILED or REVIEW payment is followed this long at least: its last late check comes after 24 h,
and where it brings no reply, it is tried again at most 6 h later, for another day."""

JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Schedule:
    """The delays between answered checks; the first check comes at once."""

    delays: Sequence[int]

    @property
    def checks(self) -> int:
        """The most answered checks of a payment (32 by default)."""
        return len(self.delays) + 1

    def after(self, attempt: int) -> int | None:
        """Return the delay after the answer number *attempt*, or None after the last."""
        return self.delays[attempt - 1] if attempt < self.checks else None


def jitter(delay: float, random_fraction: float) -> float:
    """Return *delay* changed by up to a fifth either way; *random_fraction* is in [0, 1).

    A delay that SQS accepts stays one.
    """
    changed = delay * (1 - JITTER + 2 * JITTER * random_fraction)
    return min(changed, MAX_QUEUE_DELAY) if delay <= MAX_QUEUE_DELAY else changed


def backoff(tries: int, age: float, retry_after: float | None, random_fraction: float) -> float:
    """Return the delay after *tries* checks in a row without a meaningful reply.

    *age* is the seconds since the first of them. The delay is 5 s, doubled each time up to 900 s;
    from an age of two hours on it is an eighth of the age, at most 6 h. ``Retry-After`` is obeyed
    up to a day. It and jitter only make a wait longer.

    Tries of which none brings a reply start at 0, 5, 15, 35, ... 6675 s at the earliest: 15 in two
    hours. Then each comes at 9/8 of the age of the one before, 27 times until two days, where an
    eighth is 6 h; the other seven days are 28 times 6 h. That is at most 70 in nine days.

    Jitter never makes a delay longer than 900 s, which is the most that SQS accepts: when an
    outage of two hours ends, every payment without a reply is checked within 15 minutes and the
    time in the queue.
    """
    doubled = (FIRST_RETRY_DELAY << min(tries - 1, 8)) * (1 + JITTER * random_fraction)
    return max(
        min(doubled, MAX_QUEUE_DELAY),
        min(age / 8, MAX_RETRY_DELAY),  # 900 s at two hours
        min(retry_after or 0, MAX_RETRY_AFTER_DELAY),
    )


def expiry(now: int, retention_days: int) -> int | None:
    """Return when an item that is at rest may be deleted, in seconds since 1970; 0 days: never."""
    return now // 1000 + retention_days * 86_400 if retention_days else None


def late_check(changed_at: int, now: int) -> int | None:
    """Return when a FAILED or REVIEW payment is checked next: 1 h, then 24 h after the change."""
    points = (changed_at + delay * 1000 for delay in LATE_CHECKS)
    return next((point for point in points if point > now), None)
