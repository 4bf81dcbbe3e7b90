"""Registers payments, looks them up, and waits for their result.

A success and its event are one write, so a function that queries the gateway sends no event; the
outbox does.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository, Stored, require_readable
from payresult.aws.sqs import CheckQueue, QueuedCheck
from payresult.domain.outcome import Outcome
from payresult.domain.payment import Payment, Registration, Status, Trigger
from payresult.domain.registration import can_restart, due_step, merge, new_payment
from payresult.errors import (
    GatewayError,
    NotRegistered,
    PaymentChanged,
    QueueSendError,
    WriteConflict,
)
from payresult.services.check import MAX_WRITE_ATTEMPTS, Checker

LIVE_CHECK_INTERVAL_MS = 2000
"""The least time between two live checks of a registered payment, for all callers together."""

WAIT_CHECK_INTERVAL_MS = 2800
"""The same for callers that wait: at most 8 checks in 20 s, at 0.0, 2.8, ... 19.6 s."""

WAIT_READ_INTERVAL_MS = 1000
"""How often a waiting caller reads the table: so soon it sees what anybody else has found."""


class PaymentService:
    """The use cases of the HTTP API."""

    def __init__(
        self,
        checker: Checker,
        payments: PaymentRepository,
        queue: CheckQueue,
        *,
        pool: Executor,
        sleep: Callable[[float], None],
        require_registration: bool = False,
    ) -> None:
        self._checker = checker
        self._payments = payments
        self._queue = queue
        self._pool = pool
        self._require_registration = require_registration
        self._sleep = sleep

    def register(self, pay_id: str, registration: Registration) -> Payment:
        """Store *registration*, queue the first check, and return the payment.

        Raises RegistrationConflict, and QueueSendError where SQS refuses the check: the payment
        is stored then, and the sweeper sends the check later.
        """
        stored = self._payments.get(pay_id)
        payment = self.ensure_registered(pay_id, stored, registration, "api")
        step = due_step(payment)
        # A payment in REVIEW gets one check: that of a message without step, sent now.
        asks = step is not None or payment.status is Status.REVIEW
        if asks and not all(self._queue.send([QueuedCheck(pay_id, step)])):
            raise QueueSendError(pay_id)
        return payment

    def look_up(
        self, pay_ids: Iterable[str], interval: int = LIVE_CHECK_INTERVAL_MS
    ) -> list[Outcome]:
        """Return what is known of each payId, without repetitions, in the order asked.

        A settled payment is read from the table. Otherwise the gateway is asked (for a registered
        payment at most once in *interval* milliseconds) and the answer is stored. ``error`` of an
        outcome is a GatewayError (nothing is stored, and the gateway did not say), NotRegistered,
        or whatever else failed.
        """
        wanted = list(dict.fromkeys(pay_ids))
        stored = self._payments.get_many(wanted)
        running = [
            self._pool.submit(self._look_up, each, stored.get(each), interval) for each in wanted
        ]
        return [
            Outcome(pay_id, error=error) if (error := future.exception()) else future.result()
            for pay_id, future in zip(wanted, running, strict=True)
        ]

    def wait(self, pay_id: str, seconds: int) -> list[Outcome]:
        """Look a payment up again and again while it is PENDING, for at most so many *seconds*.

        Returns the outcomes of the checks that were made; the last outcome is what is known in the
        end. It has the payment also where the table failed meanwhile, and then ``error`` as well.
        What nobody registered is not waited for. No check begins after *seconds*, or once the
        gateway has sent ``Retry-After``: from then on only the table is read.
        """
        end = asks_until = self._checker.now() + seconds * 1000
        outcomes = self.look_up([pay_id], WAIT_CHECK_INTERVAL_MS)
        while (payment := _awaited(outcomes[-1])) and (left := end - self._checker.now()) > 0:
            if _retry_after(outcomes[-1]):
                asks_until = 0
            self._sleep(min(left, self._until_next_look(payment)) / 1000)
            outcomes.append(self._look_again(payment, asks_until))
        return [each for each in outcomes[:-1] if each.result is not None] + outcomes[-1:]

    def ensure_registered(
        self,
        pay_id: str,
        payment: Payment | None,
        registration: Registration,
        trigger: Trigger,
        sent_at: int | None = None,
    ) -> Payment:
        """Return the registered payment; one that ended without a success is started again.

        *payment* is what was read, None if it is not stored. *sent_at*: see ``can_restart``.
        Writes only what is new.
        """
        for _ in range(MAX_WRITE_ATTEMPTS):
            try:
                if payment is None:
                    return self._create(pay_id, registration, trigger)
                return self._merge(payment, registration, trigger, sent_at)
            except PaymentChanged as changed:
                payment = changed.current
        raise WriteConflict(pay_id)

    def claim_live(
        self, payment: Payment, interval: int = LIVE_CHECK_INTERVAL_MS
    ) -> tuple[Payment, bool]:
        """Claim a live check; return the payment as it is now, and whether it is claimed.

        It is not where the gateway was asked less than *interval* milliseconds ago, or where
        another caller claims it at this moment.
        """
        now = self._checker.now()
        if now - (payment.last_checked_at or 0) < interval:
            return payment, False
        try:
            return self._payments.write(payment.pay_id, updates.claim_live(payment, now)), True
        except PaymentChanged as changed:
            return changed.current or payment, False

    def _create(self, pay_id: str, registration: Registration, trigger: Trigger) -> Payment:
        now = self._checker.now()
        payment = new_payment(self._payments.partner_code, pay_id, registration, now)
        return self._payments.write(pay_id, updates.create(payment, trigger))

    def _merge(
        self, payment: Payment, registration: Registration, trigger: Trigger, sent_at: int | None
    ) -> Payment:
        merged = merge(payment, registration)
        if can_restart(payment, sent_at):
            update = updates.restart(payment, merged, self._checker.now(), trigger)
            return self._payments.write(payment.pay_id, update)
        return payment if merged == payment.registration else self._amend(payment, merged)

    def _amend(self, payment: Payment, merged: Registration) -> Payment:
        """Store *merged*. An order that comes after the success is marked now.

        The event does not change any more, so that it is a duplicate only a person gets to know.
        """
        orders, late = self._payments.orders, payment.settled and not payment.registration.order_id
        holder = orders.claim(merged.order_id, payment.pay_id) if late else None
        update = updates.amend(payment, merged, self._checker.now() if holder else None)
        after = self._payments.write(payment.pay_id, update)
        if late:
            orders.expire(after)
        return after

    def _until_next_look(self, payment: Payment) -> int:
        """Return milliseconds: until the next check is due, but a second if it is not due soon."""
        due = (payment.last_checked_at or 0) + WAIT_CHECK_INTERVAL_MS - self._checker.now()
        return due if 0 < due < WAIT_READ_INTERVAL_MS else WAIT_READ_INTERVAL_MS

    def _look_again(self, known: Payment, asks_until: int) -> Outcome:
        """Return what is known now, or *known* with the error: a caller rather has that."""
        try:
            stored = self._payments.get(known.pay_id)
            if self._checker.now() < asks_until:
                return self._look_up(known.pay_id, stored, WAIT_CHECK_INTERVAL_MS)
            return Outcome(known.pay_id, stored or known)
        except Exception as error:  # noqa: BLE001 - the next look may succeed
            return Outcome(known.pay_id, known, error=error)

    def _look_up(self, pay_id: str, stored: Stored | None, interval: int) -> Outcome:
        payment = require_readable(stored)
        if payment is None and self._require_registration:
            return Outcome(pay_id, stored=False, error=NotRegistered(pay_id))
        if payment is None:
            return self._checker.check_unregistered(pay_id)
        if payment.settled:
            return Outcome(pay_id, payment)
        payment, claimed = self.claim_live(payment, interval)
        if not claimed:
            return Outcome(pay_id, payment)
        return self._checker.save_live_check(payment, self._checker.query(pay_id), "api")


def _awaited(outcome: Outcome) -> Payment | None:
    """Return the payment of *outcome* if it is worth waiting for: registered, and PENDING."""
    payment = outcome.payment if outcome.stored else None
    return payment if payment and payment.status is Status.PENDING else None


def _retry_after(outcome: Outcome) -> float | None:
    """Return the ``Retry-After`` of the gateway's answer, in seconds."""
    answer = outcome.result and outcome.result.answer
    return answer.retry_after if isinstance(answer, GatewayError) else None
