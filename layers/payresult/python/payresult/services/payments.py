"""The story: a payId comes in, the gateway is asked, the answer is kept, and what follows.

* ``PaymentService.register``  an order service says what a payment is for; from then on it
  is followed
* ``PaymentService.look_up``   an app wants the answer now: from the table or by a live check
* ``following.Follower``       messages of the checks queue: each is one step of a chain
* ``sweeping.Sweeper``         each minute: what is due and what was lost
* ``outbox.Outbox``            the event of a payment goes to the bus

One check is in ``checker``, what a reply means in ``decide``, what is written in ``writes``.
No event is sent where the gateway is asked: a success and its event are one write, and the
outbox carries the event further.
"""

from collections.abc import Iterable
from concurrent.futures import Executor

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentStore, Stored, readable
from payresult.aws.sqs import CheckQueue, FollowUp
from payresult.domain.outcome import Outcome
from payresult.domain.payment import Payment, Registration, Way
from payresult.domain.registration import merge, needs_following, new_payment
from payresult.domain.reply import Reply
from payresult.errors import Contention, NotQueued, NotRegistered, StaleWrite
from payresult.services.check import ROUNDS, Checker

LIVE_CHECK_EVERY = 2000
"""Milliseconds between two live checks of a registered payment, whoever wants them."""


class PaymentService:
    """What callers can have done with a payId."""

    def __init__(
        self,
        checker: Checker,
        store: PaymentStore,
        queue: CheckQueue,
        *,
        pool: Executor,
        require_registration: bool = False,
    ) -> None:
        self._checker = checker
        self._store = store
        self._queue = queue
        self._pool = pool
        self._require_registration = require_registration

    def register(self, pay_id: str, registration: Registration) -> Payment:
        """Store what *registration* says, see that the payment is followed, and return it.

        RegistrationConflict where something else is registered already; NotQueued where SQS
        refuses the first check: the payment is stored then, and the sweeper sends it later.
        """
        stored = self._store.get_many([pay_id]).get(pay_id)
        payment, step = self.enrol(pay_id, readable(stored), registration, "api")
        due = payment.step < step and not payment.settled
        if due and not all(self._queue.send([FollowUp(pay_id, step)])):
            raise NotQueued(pay_id)
        return payment

    def look_up(self, pay_ids: Iterable[str]) -> list[Outcome]:
        """Return what is known of each payId, once each, asking the gateway where that helps.

        ``error`` of an outcome is a GatewayError (nothing is known, and the gateway did not
        tell), NotRegistered, or whatever else went wrong with this one.
        """
        wanted = list(dict.fromkeys(pay_ids))
        stored = self._store.get_many(wanted)
        running = [self._pool.submit(self._look_up, each, stored.get(each)) for each in wanted]
        return [
            Outcome(pay_id, error=error) if (error := future.exception()) else future.result()
            for pay_id, future in zip(wanted, running, strict=True)
        ]

    def enrol(
        self, pay_id: str, payment: Payment | None, registration: Registration, way: Way
    ) -> tuple[Payment, int]:
        """Return the registered payment, and the step that a bare message about it stands for.

        *payment* is what was read, None if it is not stored. A payment that was given up is
        followed anew. Writes only where something is new.
        """
        for _ in range(ROUNDS):
            try:
                if payment is None:
                    return self._store_new(pay_id, registration, way), 1
                return self._amend(payment, registration)
            except StaleWrite as stale:
                payment = stale.current
        raise Contention(pay_id)

    def _store_new(self, pay_id: str, registration: Registration, way: Way) -> Payment:
        now = self._checker.now()
        payment = new_payment(self._store.partner_code, pay_id, registration, now)
        return self._store.write(pay_id, updates.create(payment, way))

    def _amend(self, payment: Payment, registration: Registration) -> tuple[Payment, int]:
        merged = merge(payment, registration)
        if needs_following(payment):
            restart = updates.restart(payment, merged, self._checker.now())
            return self._store.write(payment.pay_id, restart), payment.step + 1
        if merged != payment.registration:
            return self._store.write(payment.pay_id, updates.amend(payment, merged)), 1
        return payment, 1

    def _look_up(self, pay_id: str, stored: Stored | None) -> Outcome:
        payment = readable(stored)
        if payment is None:
            return self._look_up_unknown(pay_id)
        now = self._checker.now()
        if payment.settled or now - (payment.last_checked_at or 0) < LIVE_CHECK_EVERY:
            return Outcome(pay_id, payment)
        try:
            claimed = self._store.write(pay_id, updates.claim_live(payment, now))
        except StaleWrite as stale:  # another caller asks at this moment
            return Outcome(pay_id, stale.current or payment)
        asked = self._checker.ask(pay_id)
        if isinstance(asked.answer, Reply):
            return self._checker.conclude_live(claimed, asked.answer, asked, "api")
        return Outcome(pay_id, claimed, asked, stale=True)

    def _look_up_unknown(self, pay_id: str) -> Outcome:
        """Ask about a payId that nobody registered; keep the answer only if it is paid."""
        if self._require_registration:
            return Outcome(pay_id, stored=False, error=NotRegistered(pay_id))
        asked = self._checker.ask(pay_id)
        if not isinstance(asked.answer, Reply):
            return Outcome(pay_id, asked=asked, stored=False, error=asked.answer)
        nobody = Registration()
        payment = new_payment(self._store.partner_code, pay_id, nobody, asked.at)
        return self._checker.conclude_unregistered(payment, asked.answer, asked)
