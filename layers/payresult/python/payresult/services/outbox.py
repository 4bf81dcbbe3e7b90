"""Publishes unsent events: read again, send, mark. Publisher and sweeper both use it."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository
from payresult.domain.event import Event
from payresult.domain.payment import Payment
from payresult.domain.schedule import expiry
from payresult.errors import PaymentChanged

if TYPE_CHECKING:
    from payresult.aws.eventbridge import EventPublisher

MAX_RETRY_DELAY_MS = 15 * 60_000

Refusals = dict[str, str]
"""By payId, why its event is not on the bus: a code of EventBridge, or the name of an error."""


@dataclass(frozen=True, slots=True)
class PublishResult:
    """How many events the bus accepted, and which it refused.

    ``ages`` are the milliseconds from the success (or from an operator's republish) until the
    event was marked as sent. An event that is sent twice is marked, and has an age, once.
    """

    sent: int
    refused: Refusals
    ages: list[int]


class Outbox:
    """Sends the events that the table says are unsent."""

    def __init__(
        self,
        payments: PaymentRepository,
        publisher: "EventPublisher",
        *,
        pool: Executor,
        clock: Callable[[], float],
        retention_days: int = 0,
    ) -> None:
        self._payments = payments
        self._publisher = publisher
        self._pool = pool
        self._clock = clock
        self._retention_days = retention_days

    def publish(self, pay_ids: Iterable[str], *, postpone: bool = False) -> PublishResult:
        """Send the unsent events of *pay_ids* and mark them.

        With *postpone*, as the sweeper uses it, a refused event waits as long again as it has
        waited, so twice as long each time, at most 15 minutes more. The stream retries by itself.
        """
        found = self._payments.get_many(pay_ids)
        payments = {pay_id: each for pay_id, each in found.items() if isinstance(each, Payment)}
        unreadable = {
            pay_id: type(each).__name__
            for pay_id, each in found.items()
            if not isinstance(each, Payment)
        }
        unsent = [(event, since) for each in payments.values() for event, since in _unsent(each)]
        deliveries = self._publisher.put([event for event, _ in unsent])
        accepted = [delivery.event for delivery in deliveries if delivery.refused is None]
        sent = [payments[event.pay_id] for event in accepted]
        ages = [age for age in self._pool.map(self._mark, accepted, sent) if age is not None]
        refused = {each.event.pay_id: each.refused for each in deliveries if each.refused}
        if postpone:
            late = [pair for pair in unsent if pair[0].pay_id in refused]
            list(self._pool.map(self._postpone, late))
        return PublishResult(len(accepted), refused | unreadable, ages)

    def _mark(self, event: Event, payment: Payment) -> int | None:
        now = self._now()
        expires_at = expiry(now, self._retention_days)
        update = updates.mark_sent(event, now, expires_at, payment.attention)
        try:
            payment = self._payments.write(event.pay_id, update)
        except PaymentChanged:
            # Publisher and sweeper sent it at the same time; one marks it. Or whether it waits for
            # a person has changed since it was read: it is sent and marked once more.
            return None
        self._payments.orders.expire(payment)
        return now - payment.history[-1].at

    def _postpone(self, unsent: tuple[Event, int]) -> None:
        event, since = unsent
        now = self._now()
        until = now + min(max(now - since, updates.EVENT_GRACE_MS), MAX_RETRY_DELAY_MS)
        with suppress(PaymentChanged):
            self._payments.write(event.pay_id, updates.postpone_event(event, until))

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _unsent(payment: Payment) -> Iterator[tuple[Event, int]]:
    """Yield the payment's event, and since when it waits, if it is unsent."""
    if payment.event_state == "PENDING" and payment.event_id and payment.event:
        yield Event(payment.pay_id, payment.event_id, payment.event), payment.history[-1].at
