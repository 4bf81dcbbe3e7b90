"""What handles the messages of a bulk on a virtual clock, as many at a time as on AWS."""

from collections.abc import Callable
from heapq import heappop, heappush, heapreplace
from itertools import count
from random import Random
from typing import Any, Protocol

from payresult.domain.schedule import MAX_QUEUE_DELAY, Schedule, jitter
from tests.support.fake_aws import NEVER
from tests.support.fake_gateway import MINUTE, SECOND, GatewayResponse, json_response
from tests.support.simulation import START, Simulation
from tests.support.template import TEMPLATE

CONCURRENCY: int = TEMPLATE["Parameters"]["MaximumConcurrency"]["Default"]
DELAYS = tuple(map(int, TEMPLATE["Parameters"]["CheckDelays"]["Default"].split(",")))
BATCH_MS = 1300
"""A gateway that answers within a second, and 0.3 s for the table, as in payresult_cli.pace."""

OnAsked = Callable[[str, int], None]
"""Called with payId and time of each question."""


class System(Protocol):
    """What handles the messages, on a virtual clock."""

    now: int

    def send_order(self, pay_id: str) -> None:
        """Send the message of a customer's payment."""

    def send(self, entries: list[Any]) -> None:
        """Send the entries of a SendMessageBatch."""

    def run(self, duration: int) -> None:
        """Let *duration* milliseconds pass."""


class RealFunctions(Simulation):
    """The functions, with a mapping that has CONCURRENCY batches at a time, BATCH_MS each."""

    def __init__(self, rng: Random, on_asked: OnAsked) -> None:
        def script(pay_id: str, _earlier: int, now: int) -> GatewayResponse:
            on_asked(pay_id, now)
            return json_response(pay_id, "success" if of_customer(pay_id) else "waiting")

        super().__init__(script, rng, delays=DELAYS)
        self._free_at = [self.now] * CONCURRENCY

    def send(self, entries: list[Any]) -> None:
        """Send the entries of a SendMessageBatch."""
        self.queue.send_message_batch(Entries=entries)

    def deliver_messages(self) -> None:
        """Handle a batch, which keeps one of the places busy."""
        heapreplace(self._free_at, self.now + BATCH_MS)
        super().deliver_messages()

    def _next_message(self) -> int:
        visible = super()._next_message()
        return visible if visible == NEVER else max(visible, self._free_at[0])


class PlayedFunctions:
    """The same, of which only the times are played."""

    def __init__(self, rng: Random, on_asked: OnAsked) -> None:
        self.now = START
        self._rng = rng
        self._on_asked = on_asked
        self._numbers = count()
        self._waiting: list[tuple[int, int, str, int]] = []
        self._free_at = [START] * CONCURRENCY
        self._schedule = Schedule(DELAYS)

    def send_order(self, pay_id: str) -> None:
        """Send the message of a customer's payment."""
        self._put(self.now, pay_id, 1)

    def send(self, entries: list[Any]) -> None:
        """Send the entries of a SendMessageBatch."""
        for entry in entries:
            body = entry["MessageBody"]
            self._put(self.now + entry["DelaySeconds"] * SECOND, body, 1)

    def run(self, duration: int) -> None:
        """Handle batches until the time is over."""
        end = self.now + duration
        while self._waiting:
            at = max(self._waiting[0][0], self._free_at[0])
            if at > end:
                break
            heapreplace(self._free_at, at + BATCH_MS)
            for _ in range(10):
                if not self._waiting or self._waiting[0][0] > at:
                    break
                self._check(at, *heappop(self._waiting)[2:])
        self.now = end

    def _check(self, at: int, pay_id: str, attempt: int) -> None:
        self._on_asked(pay_id, at)
        delay = self._schedule.after(attempt)
        if of_customer(pay_id) or delay is None:
            return
        due = at + int(jitter(delay, self._rng.random()) * 1000)
        swept = delay > MAX_QUEUE_DELAY
        self._put(-(-due // MINUTE) * MINUTE if swept else due, pay_id, attempt + 1)

    def _put(self, visible_at: int, pay_id: str, attempt: int) -> None:
        heappush(self._waiting, (visible_at, next(self._numbers), pay_id, attempt))


def of_customer(pay_id: str) -> bool:
    """Return True for the payment of a customer, False for one of the bulk."""
    return pay_id.startswith("customer-")
