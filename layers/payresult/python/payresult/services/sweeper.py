"""Sends overdue checks and unsent events; gives up payments. Runs every minute.

It works in pieces of at most 100 payments: what is claimed in a piece is sent in the same piece,
so a sweep that is killed has sent all that it claimed but one piece. Events and checks take turns.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from payresult.aws import updates
from payresult.aws.batches import batches
from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.indexes import DuePiece
from payresult.aws.sqs import CheckQueue, QueuedCheck
from payresult.domain.payment import Payment, Status
from payresult.domain.schedule import GIVE_UP_GRACE
from payresult.errors import ReadIncomplete, UnreadableItem
from payresult.services.outbox import Outbox

MINUTE_MS = 60_000

RESERVE_MS = 10_000
"""What is left when the last piece may begin: a piece takes a second at most, 9 s more if a call
to AWS needs its last retry."""

MAX_UNREADABLE = 20_000
"""The most unreadable items that a sweep reads. Each is a read unit, every minute anew: $0.0025 a
sweep, $3.60 a day."""

OVERDUE_AFTER_MS = 5 * MINUTE_MS
"""A check this late counts as missed: a sweep comes each minute, and a message may be received
three times (visibility time-out 120 s)."""

COUNT_INTERVAL_MS = 10 * MINUTE_MS
"""How often the followed payments are counted. A count reads the whole index: for 100,000
payments 700 read units, which is $4 a month each minute and $0.40 every ten minutes."""

NEW_ATTENTION_MS = 3 * MINUTE_MS
"""An entry of the index ``attention`` is new for three sweeps: two of them may fail."""


@dataclass(slots=True)
class SweepResult:
    """What a sweep did and found; lists are payIds.

    ``events_refused`` says by payId why its event is not on the bus, ``event_ages`` are as in
    PublishResult. ``others`` (a number) and ``unreadable`` are due, but of another partner code, or
    unreadable. ``errors`` are those that kept payments from being handled; they are due again.
    """

    events_sent: int = 0
    events_refused: dict[str, str] = field(default_factory=dict)
    event_ages: list[int] = field(default_factory=list)
    checks_sent: list[str] = field(default_factory=list)
    checks_refused: list[str] = field(default_factory=list)
    overdue: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    others: int = 0
    errors: list[BaseException] = field(default_factory=list)


Handle = Callable[[list[str], SweepResult], bool]
"""Handles the payIds of a piece; returns False if the next piece would fail as well."""


class Sweeper:
    """Finds what is due in the index ``work``, and handles it."""

    def __init__(
        self,
        payments: PaymentRepository,
        queue: CheckQueue,
        outbox: Outbox,
        *,
        pool: Executor,
        clock: Callable[[], float],
    ) -> None:
        self._payments = payments
        self._queue = queue
        self._outbox = outbox
        self._pool = pool
        self._clock = clock

    def sweep(self, remaining_ms: Callable[[], int]) -> SweepResult:
        """Publish due events, send due checks and give up payments, as long as time remains.

        *remaining_ms* returns the milliseconds until the invocation is ended. Errors are in the
        result, so that what was done before them is reported.
        """
        result, now = SweepResult(), self._now()
        events = (self._payments.indexes.due("EVENT", now), self._publish)
        checks = (self._payments.indexes.due("CHECK", now), self._follow)
        turns = deque([events, checks])
        while turns and remaining_ms() > RESERVE_MS and len(result.unreadable) < MAX_UNREADABLE:
            turn = turns.popleft()
            if _take_piece(*turn, result):
                turns.append(turn)
        return result

    def count(self) -> tuple[dict[str, int], list[Exception]]:
        """Return the gauges by metric name, and the errors of those that are missing."""
        now, indexes = self._now(), self._payments.indexes
        counts: dict[str, Callable[[], int]] = {
            "AttentionNew": lambda: indexes.count_attention(now - NEW_ATTENTION_MS),
            "AttentionTotal": indexes.count_attention,
        }
        if now % COUNT_INTERVAL_MS < MINUTE_MS:
            counts["PaymentsFollowed"] = indexes.count_followed
        gauges: dict[str, int] = {}
        errors: list[Exception] = []
        for name, count in counts.items():
            try:
                gauges[name] = count()
            except Exception as error:  # noqa: BLE001 - the other gauges do not depend on it
                errors.append(error)
        return gauges, errors

    def _publish(self, pay_ids: list[str], result: SweepResult) -> bool:
        """Publish the events of a piece. Nothing is claimed, so after an error the next is due."""
        published = self._outbox.publish(pay_ids, postpone=True)
        result.events_sent += published.sent
        result.event_ages += published.ages
        result.events_refused |= published.refused
        for pay_id, error in published.unread.items():
            if isinstance(error, UnreadableItem):
                result.unreadable.append(pay_id)
            else:
                result.events_refused[pay_id] = type(error).__name__
        return True

    def _follow(self, pay_ids: list[str], result: SweepResult) -> bool:
        """Claim and send the checks of a piece, and give up its expired payments."""
        now = self._now()
        due = [each for each in self._read(pay_ids, result) if _due(each, now)]
        result.overdue += [each.pay_id for each in due if _overdue(each, now)]
        open_now = [each for each in due if not _expired(each, now)]
        reachable = self._send(self._write_all(self._claim, open_now, result), result)
        expired = [each for each in due if _expired(each, now)]
        given_up = self._write_all(self._give_up, expired, result)
        result.given_up += [each.pay_id for each in given_up]
        return reachable

    def _read(self, pay_ids: list[str], result: SweepResult) -> list[Payment]:
        found = self._payments.get_many(pay_ids)
        result.unreadable += [key for key, it in found.items() if isinstance(it, UnreadableItem)]
        result.errors += [each for each in found.values() if isinstance(each, ReadIncomplete)]
        return [each for each in found.values() if isinstance(each, Payment)]

    def _send(self, claimed: Sequence[Payment], result: SweepResult) -> bool:
        """Send the next step of each payment, in tens at the same time.

        Returns False if SQS did not answer a call: it would not take the next piece either, which
        would then wait for its next claim.
        """
        tens = list(batches([QueuedCheck(each.pay_id, each.step + 1) for each in claimed]))
        running = [self._pool.submit(self._queue.send, ten) for ten in tens]
        for ten, sending in zip(tens, running, strict=True):
            accepted = [False] * len(ten) if sending.exception() else sending.result()
            for message, ok in zip(ten, accepted, strict=True):
                (result.checks_sent if ok else result.checks_refused).append(message.pay_id)
        errors = [error for sending in running if (error := sending.exception())]
        result.errors += errors
        return not errors

    def _claim(self, payment: Payment) -> bool:
        return self._payments.try_write(payment.pay_id, updates.claim_due(payment, self._now()))

    def _give_up(self, payment: Payment) -> bool:
        return self._payments.try_write(payment.pay_id, updates.give_up(payment, self._now()))

    def _write_all(
        self, write: Callable[[Payment], bool], payments: Sequence[Payment], result: SweepResult
    ) -> list[Payment]:
        """Return the payments that were written, as they were before.

        A payment that has changed is not: another check or sweep handles it.
        """
        futures = [self._pool.submit(write, payment) for payment in payments]
        result.errors += [error for future in futures if (error := future.exception())]
        pairs = zip(payments, futures, strict=True)
        return [payment for payment, future in pairs if not future.exception() and future.result()]

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _take_piece(pieces: Iterator[DuePiece], handle: Handle, result: SweepResult) -> bool:
    """Handle the next piece; return False if there is none, or none that would succeed."""
    try:
        piece = next(pieces, None)
    except Exception as error:  # noqa: BLE001 - reported when the sweep is at its end
        result.errors.append(error)
        return False
    if piece is None:
        return False
    result.others += piece.others
    try:
        return handle(piece.pay_ids, result)
    except Exception as error:  # noqa: BLE001 - the next piece does not depend on this one
        result.errors.append(error)
        return True


def _due(payment: Payment, now: int) -> bool:
    """Return True if the item itself says that a check is due; the index lags behind."""
    shard, work_at = payment.work_shard or "", payment.work_at
    return shard.startswith("CHECK#") and work_at is not None and work_at <= now


def _expired(payment: Payment, now: int) -> bool:
    """Return True if the payment is to be given up. FAILED and REVIEW end with a late check."""
    latest = now - GIVE_UP_GRACE * 1000
    return payment.status.rank < Status.FAILED.rank and payment.give_up_at <= latest


def _overdue(payment: Payment, now: int) -> bool:
    """Return True if the check is so late that its message must have been lost."""
    planned = payment.next_check_at or payment.created_at
    return now - planned > OVERDUE_AFTER_MS
