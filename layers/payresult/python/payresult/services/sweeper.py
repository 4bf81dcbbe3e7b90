"""Sends overdue checks and unsent events; gives up payments. Runs every minute."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.sqs import CheckQueue, FollowUp
from payresult.domain.payment import Payment, Status
from payresult.errors import PaymentChanged

if TYPE_CHECKING:
    from payresult.services.outbox import Outbox, PublishResult

MINUTE_MS = 60_000

MAX_ITEMS_PER_SHARD = 500
"""The most payments of a shard in one sweep: 4,000 checks and 4,000 events in all."""

OVERDUE_AFTER_MS = 5 * MINUTE_MS
"""A check this late counts as missed: a sweep comes each minute, and a message may be received
three times (visibility time-out 120 s)."""

COUNT_INTERVAL_MS = 10 * MINUTE_MS
"""How often the followed payments are counted. A count reads the whole index: for 100,000
payments 700 read units, which is $4 a month each minute and $0.40 every ten minutes."""


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep did and found; lists are payIds. ``followed`` None: it was not counted.

    ``errors`` are those that kept payments from being written; they are due again next minute.
    """

    published: "PublishResult"
    followed: int | None = None
    checks_sent: list[str] = field(default_factory=list)
    checks_refused: list[str] = field(default_factory=list)
    overdue: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)


class Sweeper:
    """Finds what is due in the index ``work``, and handles it."""

    def __init__(
        self,
        payments: PaymentRepository,
        queue: CheckQueue,
        outbox: "Outbox",
        *,
        pool: Executor,
        clock: Callable[[], float],
    ) -> None:
        self._payments = payments
        self._queue = queue
        self._outbox = outbox
        self._pool = pool
        self._clock = clock

    def sweep(self) -> SweepResult:
        """Publish due events, then send due checks, then give up expired payments.

        Giving up is last, so that an error before it cannot hide a payment that was given up.
        """
        now = self._now()
        followed = self._payments.count_followed() if now % COUNT_INTERVAL_MS < MINUTE_MS else None
        due_events = self._payments.due("EVENT", now, MAX_ITEMS_PER_SHARD)
        published = self._outbox.publish(due_events, postpone=True)
        found = self._payments.get_many(self._payments.due("CHECK", now, MAX_ITEMS_PER_SHARD))
        due = [each for each in found.values() if isinstance(each, Payment) and _due(each, now)]
        open_now = [each for each in due if not _expired(each, now)]
        claimed, unclaimed = self._write_all(self._claim, open_now)
        accepted = self._queue.send([FollowUp(each.pay_id, each.step + 1) for each in claimed])
        expired = [each for each in due if _expired(each, now)]
        given_up, not_given_up = self._write_all(self._give_up, expired)
        return SweepResult(
            published,
            followed,
            checks_sent=[p.pay_id for p, ok in zip(claimed, accepted, strict=True) if ok],
            checks_refused=[p.pay_id for p, ok in zip(claimed, accepted, strict=True) if not ok],
            overdue=[each.pay_id for each in due if _overdue(each, now)],
            given_up=[each.pay_id for each in given_up],
            unreadable=[key for key, each in found.items() if not isinstance(each, Payment)],
            errors=unclaimed + not_given_up,
        )

    def _claim(self, payment: Payment) -> Payment:
        return self._payments.write(payment.pay_id, updates.claim_due(payment, self._now()))

    def _give_up(self, payment: Payment) -> Payment:
        return self._payments.write(payment.pay_id, updates.give_up(payment, self._now()))

    def _write_all(
        self, write: Callable[[Payment], Payment], payments: Iterable[Payment]
    ) -> tuple[list[Payment], list[BaseException]]:
        """Return the payments that were written, and the errors of others.

        A payment that has changed is in neither: another check or sweep handles it.
        """
        futures = [self._pool.submit(write, payment) for payment in payments]
        errors = [error for future in futures if (error := future.exception())]
        written = [future.result() for future in futures if not future.exception()]
        return written, [error for error in errors if not isinstance(error, PaymentChanged)]

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _due(payment: Payment, now: int) -> bool:
    """Return True if the item itself says that a check is due; the index lags behind."""
    shard, work_at = payment.work_shard or "", payment.work_at
    return shard.startswith("CHECK#") and work_at is not None and work_at <= now


def _expired(payment: Payment, now: int) -> bool:
    """Return True if the payment is to be given up. FAILED and REVIEW end with a late check."""
    return payment.status.rank < Status.FAILED.rank and payment.give_up_at <= now


def _overdue(payment: Payment, now: int) -> bool:
    """Return True if the check is so late that its message must have been lost."""
    planned = payment.next_check_at or payment.created_at
    return now - planned > OVERDUE_AFTER_MS
