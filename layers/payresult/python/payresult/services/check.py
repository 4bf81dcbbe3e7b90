"""One check: ask the gateway, decide, write; decide again where the payment has changed."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository
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
from payresult.domain.payment import Payment, Status, Trigger
from payresult.domain.reply import Reply
from payresult.errors import GatewayUnavailable, InvalidReply, PaymentChanged, WriteConflict
from payresult.schemas import events

if TYPE_CHECKING:
    from payresult.aws.expressions import Update
    from payresult.gateway.client import GatewayClient

MAX_WRITE_ATTEMPTS = 5


class Checker:
    """Queries the gateway and stores what the answers mean."""

    def __init__(
        self,
        gateway: "GatewayClient",
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
        except (GatewayUnavailable, InvalidReply) as error:
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
        for _ in range(MAX_WRITE_ATTEMPTS):
            plan = self.plan(payment, result)
            try:
                update = self._queued_update(payment, plan, result, step)
                after = self._payments.write(payment.pay_id, update)
            except PaymentChanged as changed:
                payment = _current(changed, payment)
            else:
                return self._outcome(payment, after, result, ended=plan.via is None)
            recorded = payment.step >= step and plan.status is not Status.SUCCEEDED
            if payment.settled or recorded:
                return self._outcome(payment, payment, result)
        raise WriteConflict(payment.pay_id)

    def save_live_check(
        self, payment: Payment, reply: Reply, result: QueryResult, trigger: Trigger
    ) -> Outcome:
        """Store the *reply* of a check that no message asked for; *payment* may be a new one."""
        for _ in range(MAX_WRITE_ATTEMPTS):
            plan = plan_after_live_check(payment, reply, self._rules, result.at)
            try:
                update = self._live_update(payment, plan, reply, result.at, trigger)
                after = self._payments.write(payment.pay_id, update)
            except PaymentChanged as changed:
                payment = _current(changed, payment)
            else:
                return self._outcome(payment, after, result)
            if payment.settled:
                return self._outcome(payment, payment, result)
        raise WriteConflict(payment.pay_id)

    def evaluate_unregistered(self, payment: Payment, reply: Reply, result: QueryResult) -> Outcome:
        """Return what *reply* says of a payment that is not stored; store it only if it is paid."""
        status = plan_after_live_check(payment, reply, self._rules, result.at).status
        if status is Status.SUCCEEDED:
            return self.save_live_check(payment, reply, result, "api")
        stored_form = reply_value(reply)  # truncated as in the table: a reply may have 64 KiB
        seen = replace(
            payment, status=status, reply=stored_form, checks=1, last_checked_at=result.at
        )
        return replace(self._outcome(seen, seen, result), stored=False)

    def _queued_update(
        self, payment: Payment, plan: CheckPlan, result: QueryResult, step: int
    ) -> "Update":
        reply = result.answer if isinstance(result.answer, Reply) else None
        if reply is not None and plan.status is Status.SUCCEEDED:
            return self._success(payment, plan, reply, result.at, "queue")
        return updates.record_step(payment, plan, reply, now=result.at, step=step)

    def _live_update(
        self, payment: Payment, plan: CheckPlan, reply: Reply, now: int, trigger: Trigger
    ) -> "Update":
        if plan.status is Status.SUCCEEDED:
            return self._success(payment, plan, reply, now, trigger)
        return updates.record_live(payment, plan, reply, now=now, trigger=trigger)

    def _success(
        self, payment: Payment, plan: CheckPlan, reply: Reply, now: int, trigger: Trigger
    ) -> "Update":
        event = events.payment_succeeded(
            reply,
            payment.registration,
            environment=self._rules.environment,
            zone=self._rules.zone,
            observed_at=now,
        )
        return updates.succeed(payment, plan, reply, event, now=now, trigger=trigger)

    def _outcome(
        self, before: Payment, after: Payment, result: QueryResult, *, ended: bool = False
    ) -> Outcome:
        new_status = after.status if after.status is not before.status else None
        if ended and after.status is Status.UNRESOLVED:
            new_status = Status.UNRESOLVED  # given up once more: the alarm rings once more
        failed_values = self._rules.failed_pay_rst_values
        unknown = isinstance(result.answer, Reply) and is_unknown_pay_rst(
            result.answer, failed_values
        )
        return Outcome(after.pay_id, after, result, new_status, unknown)


def _current(changed: PaymentChanged, payment: Payment) -> Payment:
    if changed.current is None:  # somebody deleted it; the message or the caller comes again
        raise WriteConflict(payment.pay_id)
    return changed.current
