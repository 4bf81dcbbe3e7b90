"""Publishes unsent events: read again, send, mark. Publisher and sweeper both use it."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.eventbridge import EventPublisher
from payresult.domain.event import Event
from payresult.domain.payment import Payment
from payresult.domain.schedule import expiry
from payresult.errors import PaymentChanged, ReadIncomplete, UnreadableItem

MAX_RETRY_DELAY_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class PublishResult:
    """How many events the bus accepted, and which it refused.

    ``refused`` has EventBridge's code by payId, ``unread`` why a payment could not be read.
    ``ages`` are the milliseconds from the success (or from an operator's republish) until the event
    was marked as sent. An event that is sent twice is marked, and has an age, once.
    """

    sent: int
    refused: dict[str, str]
    unread: dict[str, UnreadableItem | ReadIncomplete]
    ages: list[int]


class Outbox:
    """Sends the events that the table says are unsent."""

    def __init__(
        self,
        payments: PaymentRepository,
        publisher: EventPublisher,
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
        unread = {pay_id: each for pay_id, each in found.items() if not isinstance(each, Payment)}
        events = [
            Event(each.pay_id, each.event_id, each.event)
            for each in payments.values()
            if each.event_state == "PENDING" and each.event_id and each.event
        ]
        refused = self._publisher.put(events)
        accepted = [event for event in events if event.pay_id not in refused]
        sent = [payments[event.pay_id] for event in accepted]
        ages = [age for age in self._pool.map(self._mark, accepted, sent) if age is not None]
        if postpone:
            late = [event for event in events if event.pay_id in refused]
            unsent = [payments[event.pay_id] for event in late]
            list(self._pool.map(self._postpone, late, unsent))
        return PublishResult(len(sent), refused, unread, ages)

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

    def _postpone(self, event: Event, payment: Payment) -> None:
        now = self._now()
        waited = now - payment.history[-1].at
        until = now + min(max(waited, updates.EVENT_GRACE_MS), MAX_RETRY_DELAY_MS)
        with suppress(PaymentChanged):
            self._payments.write(event.pay_id, updates.postpone_event(event, until))

    def _now(self) -> int:
        return int(self._clock() * 1000)
