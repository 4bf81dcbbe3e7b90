"""One check: ask the gateway, decide, write, and decide again where the item changed meanwhile."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.items import reply_value
from payresult.domain.decision import (
    CheckPlan,
    Rules,
    is_unknown_pay_rst,
    plan_after_live_check,
    plan_next_check,
)
from payresult.domain.outcome import Outcome, QueryResult
from payresult.domain.payment import Payment, Status, Trigger
from payresult.domain.reply import Reply
from payresult.domain.schedule import Schedule
from payresult.errors import GatewayUnavailable, InvalidReply, PaymentChanged, WriteConflict
from payresult.schemas import events

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from payresult.aws.expressions import Update
    from payresult.gateway.client import GatewayClient

MAX_WRITE_ATTEMPTS = 5
"""How often a decision is made again because the item changed under it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the deployment decides about checks and events."""

    schedule: Schedule
    environment: str
    failed_pay_rst_values: Collection[str] = ()
    zone: "ZoneInfo | None" = None

    @property
    def rules(self) -> Rules:
        """What ``decide`` needs to know of it."""
        return Rules(self.schedule, self.failed_pay_rst_values)


class Checker:
    """Asks about payments, and keeps what the answers mean."""

    def __init__(
        self,
        gateway: "GatewayClient",
        payments: PaymentRepository,
        policy: Policy,
        *,
        clock: Callable[[], float],
        random_fraction: Callable[[], float],
    ) -> None:
        self._gateway = gateway
        self._payments = payments
        self._policy = policy
        self._clock = clock
        self._chance = random_fraction

    def now(self) -> int:
        """Return the time, in milliseconds since 1970."""
        return int(self._clock() * 1000)

    def query(self, pay_id: str) -> QueryResult:
        """Ask the gateway once. A failure is an answer here: it has a meaning for the schedule."""
        start = self.now()
        answer: Reply | GatewayUnavailable | InvalidReply
        try:
            answer = self._gateway.query(pay_id)
        except (GatewayUnavailable, InvalidReply) as error:
            answer = error
        at = self.now()
        return QueryResult(answer, at, at - start, self._chance())

    def plan(self, payment: Payment, result: QueryResult) -> CheckPlan:
        """Return what *asked* leads to as the next check of the payment's chain."""
        return plan_next_check(
            payment, result.answer, self._policy.rules, result.at, result.random_fraction
        )

    def save_queued_check(self, payment: Payment, result: QueryResult, step: int) -> Outcome:
        """Keep what step *step* of the payment's chain brought."""
        for _ in range(MAX_WRITE_ATTEMPTS):
            plan = self.plan(payment, result)
            try:
                after = self._payments.write(
                    payment.pay_id, self._step(payment, plan, result, step)
                )
            except PaymentChanged as stale:
                payment = _current(stale, payment)
            else:
                return self._outcome(payment, after, result, ended=plan.via is None)
            fenced = payment.step >= step and plan.status is not Status.SUCCEEDED
            if payment.settled or fenced:
                return self._outcome(payment, payment, result)
        raise WriteConflict(payment.pay_id)

    def save_live_check(
        self, payment: Payment, reply: Reply, result: QueryResult, trigger: Trigger
    ) -> Outcome:
        """Keep what a check outside the chain brought; *payment* need not be stored yet."""
        for _ in range(MAX_WRITE_ATTEMPTS):
            plan = plan_after_live_check(payment, reply, self._policy.rules, result.at)
            update = self._live(payment, plan, reply, result.at, trigger)
            try:
                after = self._payments.write(payment.pay_id, update)
            except PaymentChanged as stale:
                payment = _current(stale, payment)
            else:
                return self._outcome(payment, after, result)
            if payment.settled:
                return self._outcome(payment, payment, result)
        raise WriteConflict(payment.pay_id)

    def evaluate_unregistered(self, payment: Payment, reply: Reply, result: QueryResult) -> Outcome:
        """Return what *reply* says of a payment in no table; store it only if it is paid."""
        status = plan_after_live_check(payment, reply, self._policy.rules, result.at).status
        if status is Status.SUCCEEDED:
            return self.save_live_check(payment, reply, result, "api")
        kept = reply_value(reply)  # cut like what is stored: it may be 64 KiB
        seen = replace(payment, status=status, reply=kept, checks=1, last_checked_at=result.at)
        return replace(self._outcome(seen, seen, result), stored=False)

    def _step(self, payment: Payment, plan: CheckPlan, result: QueryResult, step: int) -> "Update":
        reply = result.answer if isinstance(result.answer, Reply) else None
        if reply is not None and plan.status is Status.SUCCEEDED:
            return self._success(payment, plan, reply, result.at, "queue")
        return updates.record_step(payment, plan, reply, now=result.at, step=step)

    def _live(
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
            environment=self._policy.environment,
            zone=self._policy.zone,
            observed_at=now,
        )
        return updates.succeed(payment, plan, reply, event, now=now, trigger=trigger)

    def _outcome(
        self, before: Payment, after: Payment, result: QueryResult, *, ended: bool = False
    ) -> Outcome:
        new_status = after.status if after.status is not before.status else None
        if ended and after.status is Status.UNRESOLVED:
            new_status = Status.UNRESOLVED  # given up again: worth the alarm again
        failed_values = self._policy.failed_pay_rst_values
        unknown = isinstance(result.answer, Reply) and is_unknown_pay_rst(
            result.answer, failed_values
        )
        return Outcome(after.pay_id, after, result, new_status, unknown)


def _current(stale: PaymentChanged, payment: Payment) -> Payment:
    if stale.current is None:  # deleted under us, by hand: the message or the caller comes again
        raise WriteConflict(payment.pay_id)
    return stale.current
