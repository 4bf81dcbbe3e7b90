"""One check: ask the gateway, decide, write; decide again where the payment has changed."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.expressions import Update
from payresult.aws.items import reply_value
from payresult.domain.decision import (
    CheckPlan,
    GatewayResult,
    Rules,
    is_unknown_pay_rst,
    plan_after_live_check,
    plan_next_check,
)
from payresult.domain.outcome import Outcome, QueryResult
from payresult.domain.payment import Payment, Registration, Status, Trigger
from payresult.domain.registration import new_payment
from payresult.domain.reply import Reply
from payresult.errors import GatewayError, PaymentChanged, WriteConflict
from payresult.gateway.client import GatewayClient
from payresult.schemas import events

MAX_WRITE_ATTEMPTS = 5

UNPAID_AFTER_MS = 30 * 60_000
"""When a payment counts as unpaid. Who pays at once has paid by then, so a rush of new payments
does not look as if none were paid."""


class Checker:
    """Queries the gateway and stores what the answers mean."""

    def __init__(
        self,
        gateway: GatewayClient,
        payments: PaymentRepository,
        rules: Rules,
        *,
        clock: Callable[[], float],
        random_fraction: Callable[[], float],
    ) -> None:
        self._gateway = gateway
        self._payments = payments
        self._rules = rules
        self._clock = clock
        self._random_fraction = random_fraction

    def now(self) -> int:
        """Return the time, in milliseconds since 1970."""
        return int(self._clock() * 1000)

    def query(self, pay_id: str) -> QueryResult:
        """Query the gateway once. A GatewayError is a result, since the schedule depends on it."""
        start = self.now()
        answer: GatewayResult
        try:
            answer = self._gateway.query(pay_id)
        except GatewayError as error:
            answer = error
        at = self.now()
        return QueryResult(answer, at, at - start, self._random_fraction())

    def plan(self, payment: Payment, result: QueryResult) -> CheckPlan:
        """Return what follows *result* of a check from the queue."""
        return plan_next_check(
            payment, result.answer, self._rules, result.at, result.random_fraction
        )

    def save_queued_check(self, payment: Payment, result: QueryResult, step: int) -> Outcome:
        """Store *result* of the check that message *step* asked for."""
        plan_of = partial(self.plan, result=result)
        update_of = partial(self._queued_update, result=result, step=step)
        return self._store(payment, result, plan_of, update_of, step)

    def save_live_check(self, payment: Payment, result: QueryResult, trigger: Trigger) -> Outcome:
        """Store *result* of a check outside the chain; *payment* may be a new one."""
        reply, now = result.reply, result.at
        if reply is None:
            return self._note_unanswered(payment, result)
        plan_of = partial(plan_after_live_check, reply=reply, rules=self._rules, now=now)
        update_of = partial(self._live_update, reply=reply, now=now, trigger=trigger)
        return self._store(payment, result, plan_of, update_of)

    def check_unregistered(self, pay_id: str) -> Outcome:
        """Query the gateway about a payment that is not stored; store it only if it is paid."""
        result = self.query(pay_id)
        if not isinstance(result.answer, Reply):
            return Outcome(pay_id, result=result, stored=False, error=result.answer)
        payment = new_payment(self._payments.partner_code, pay_id, Registration(), result.at)
        status = plan_after_live_check(payment, result.answer, self._rules, result.at).status
        if status is Status.SUCCEEDED:
            return self.save_live_check(payment, result, "api")
        stored_form = reply_value(result.answer)  # truncated as in the table: it may have 64 KiB
        seen = replace(
            payment, status=status, reply=stored_form, checks=1, last_checked_at=result.at
        )
        return replace(self._outcome(seen, seen, result), stored=False)

    def _store(
        self,
        payment: Payment,
        result: QueryResult,
        plan_of: Callable[[Payment], CheckPlan],
        update_of: Callable[[Payment, CheckPlan], Update],
        step: int | None = None,
    ) -> Outcome:
        """Write what follows *result*; plan again where the payment has changed.

        An answer to a query that is older than the last start is dropped, and so is a *step*
        that is recorded already, unless it is a success.
        """
        start = payment.give_up_at
        for _ in range(MAX_WRITE_ATTEMPTS):
            plan = plan_of(payment)
            recorded = step is not None and payment.step >= step
            outdated = recorded or payment.give_up_at != start
            if payment.settled or (outdated and plan.status is not Status.SUCCEEDED):
                return self._outcome(payment, payment, result)
            try:
                after = self._payments.write(payment.pay_id, update_of(payment, plan))
            except PaymentChanged as changed:
                if changed.current is None:  # deleted; the message or the caller comes again
                    break
                payment = changed.current
            else:
                return self._outcome(payment, after, result)
        raise WriteConflict(payment.pay_id)

    def _note_unanswered(self, payment: Payment, result: QueryResult) -> Outcome:
        try:
            payment = self._payments.write(payment.pay_id, updates.note_unanswered(result.at))
        except PaymentChanged as changed:  # it is paid, or a later query has no answer either
            payment = changed.current or payment
        return self._outcome(payment, payment, result)

    def _queued_update(
        self, payment: Payment, plan: CheckPlan, result: QueryResult, step: int
    ) -> Update:
        if result.reply and plan.status is Status.SUCCEEDED:
            return self._success(payment, plan, result.reply, result.at, "queue")
        return updates.record_step(payment, plan, result.reply, now=result.at, step=step)

    def _live_update(
        self, payment: Payment, plan: CheckPlan, reply: Reply, now: int, trigger: Trigger
    ) -> Update:
        if plan.status is Status.SUCCEEDED:
            return self._success(payment, plan, reply, now, trigger)
        return updates.record_live(payment, plan, reply, now=now, trigger=trigger)

    def _success(
        self, payment: Payment, plan: CheckPlan, reply: Reply, now: int, trigger: Trigger
    ) -> Update:
        """Return the write of a success, after the mark of its order.

        The registration that the mark was made with is a condition of the write.
        """
        order_id = payment.registration.order_id
        plan = replace(plan, duplicate_of=self._payments.orders.claim(order_id, payment.pay_id))
        event = events.payment_succeeded(
            reply,
            payment.registration,
            environment=self._rules.environment,
            zone=self._rules.zone,
            observed_at=now,
            duplicate_of=plan.duplicate_of,
        )
        return updates.succeed(payment, plan, reply, event, now=now, trigger=trigger)

    def _outcome(self, before: Payment, after: Payment, result: QueryResult) -> Outcome:
        new_status = after.status if after.status is not before.status else None
        failed_values = self._rules.failed_pay_rst_values
        unknown = result.reply is not None and is_unknown_pay_rst(result.reply, failed_values)
        unpaid = _became_unpaid(before, after, result)
        return Outcome(after.pay_id, after, result, new_status, unpaid=unpaid, unknown=unknown)


def _became_unpaid(before: Payment, after: Payment, result: QueryResult) -> bool:
    """Return True for the first answer after half an hour that is no success: once a payment."""
    due = before.created_at + UNPAID_AFTER_MS
    answered = result.reply is not None and after.status.rank < Status.REVIEW.rank
    return answered and (before.last_answered_at or 0) < due <= result.at
