"""How fast `follow` sends a bulk, so that live customers do not wait behind it."""

from collections.abc import Callable

from payresult_cli.context import Context

DEFAULT_RATE = 0.5
"""payIds a second. At this rate a payment that comes in meanwhile is checked within 10 s.

The queue handles 5 batches of 10 at a time (MaximumConcurrency). A batch takes 1.3 s if the gateway
answers within one: 5 x 10 / 1.3 = 38 checks a second. A payment that is not paid has 16 checks in
its first 15 minutes and 17 to come by the queue in all, so a bulk takes 17 x 0.5 = 9 of them. Its
later checks, 10 within 28 hours, are sent by the sweeper, all of a minute at once: 60 s x 0.5 x 10
= 300 messages, which the queue has handled 300 / (38 - 9) = 10 s later. (Default CheckDelays.)

On a virtual clock with 100,000 payIds, none of them paid, a customer waits 8.0 s at most; at one
payId a second 13.7 s (campaign C29).
"""

MAX_DELAY = 900
"""The longest DelaySeconds that SQS accepts (AWS, SQS message timers)."""

_SLICE_SECONDS = 1.0
"""Ctrl-C ends a pause after at most so long."""


class Pace:
    """When each message of a bulk is to be seen: number n after n / *rate* seconds.

    What is late, as after Ctrl-Z or on a laptop that slept, is not caught up with: all after it is
    as much later.
    """

    def __init__(self, context: Context, rate: float, stopped: Callable[[], bool]) -> None:
        self._context = context
        self._rate = rate
        self._stopped = stopped
        self._start = context.now()

    def wait(self, number: int) -> bool:
        """Wait until message *number* is at most MAX_DELAY ahead; return False after Ctrl-C."""
        while not self._stopped():
            too_far = self._ahead(number) - MAX_DELAY
            if too_far <= 0:
                self._start += max(0, int(-self._ahead(number) * 1000))
                return True
            self._context.dependencies.sleep(min(too_far, _SLICE_SECONDS))
        return False

    def delay(self, number: int) -> int:
        """Return the DelaySeconds of message *number*."""
        return max(0, min(MAX_DELAY, int(self._ahead(number))))

    def _ahead(self, number: int) -> float:
        return number / self._rate - (self._context.now() - self._start) / 1000
