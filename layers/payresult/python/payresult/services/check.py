"""One check: ask the gateway, decide, write, and decide again where the item changed meanwhile."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentStore
from payresult.aws.items import reply_value
from payresult.domain.decision import Next, Rules, after_live_check, is_unknown, next_of
from payresult.domain.outcome import Asked, Outcome
from payresult.domain.payment import Payment, Status, Way
from payresult.domain.reply import Reply
from payresult.domain.schedule import Schedule
from payresult.errors import BadReply, Contention, GatewayUnavailable, StaleWrite
from payresult.schemas import events

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from payresult.aws.expressions import Update
    from payresult.gateway.client import GatewayClient

ROUNDS = 5
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
        store: PaymentStore,
        policy: Policy,
        *,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._policy = policy
        self._clock = clock
        self._chance = chance

    def now(self) -> int:
        """Return the time, in milliseconds since 1970."""
        return int(self._clock() * 1000)

    def ask(self, pay_id: str) -> Asked:
        """Ask the gateway once. A failure is an answer here: it has a meaning for the schedule."""
        start = self.now()
        answer: Reply | GatewayUnavailable | BadReply
        try:
            answer = self._gateway.query(pay_id)
        except (GatewayUnavailable, BadReply) as error:
            answer = error
        at = self.now()
        return Asked(answer, at, at - start, self._chance())

    def then(self, payment: Payment, asked: Asked) -> Next:
        """Return what *asked* leads to as the next check of the payment's chain."""
        return next_of(payment, asked.answer, self._policy.rules, asked.at, asked.chance)

    def conclude_step(self, payment: Payment, asked: Asked, step: int) -> Outcome:
        """Keep what step *step* of the payment's chain brought."""
        for _ in range(ROUNDS):
            then = self.then(payment, asked)
            try:
                after = self._store.write(payment.pay_id, self._step(payment, then, asked, step))
            except StaleWrite as stale:
                payment = _current(stale, payment)
            else:
                return self._outcome(payment, after, asked, ended=then.lead is None)
            fenced = payment.step >= step and then.status is not Status.SUCCEEDED
            if payment.settled or fenced:
                return self._outcome(payment, payment, asked)
        raise Contention(payment.pay_id)

    def conclude_live(self, payment: Payment, reply: Reply, asked: Asked, way: Way) -> Outcome:
        """Keep what a check outside the chain brought; *payment* need not be stored yet."""
        for _ in range(ROUNDS):
            then = after_live_check(payment, reply, self._policy.rules, asked.at)
            update = self._live(payment, then, reply, asked.at, way)
            try:
                after = self._store.write(payment.pay_id, update)
            except StaleWrite as stale:
                payment = _current(stale, payment)
            else:
                return self._outcome(payment, after, asked)
            if payment.settled:
                return self._outcome(payment, payment, asked)
        raise Contention(payment.pay_id)

    def conclude_unregistered(self, payment: Payment, reply: Reply, asked: Asked) -> Outcome:
        """Return what *reply* says of a payment in no table; store it only if it is paid."""
        status = after_live_check(payment, reply, self._policy.rules, asked.at).status
        if status is Status.SUCCEEDED:
            return self.conclude_live(payment, reply, asked, "api")
        kept = reply_value(reply)  # cut like what is stored: it may be 64 KiB
        seen = replace(payment, status=status, reply=kept, checks=1, last_checked_at=asked.at)
        return replace(self._outcome(seen, seen, asked), stored=False)

    def _step(self, payment: Payment, then: Next, asked: Asked, step: int) -> "Update":
        reply = asked.answer if isinstance(asked.answer, Reply) else None
        if reply is not None and then.status is Status.SUCCEEDED:
            return self._success(payment, then, reply, asked.at, "queue")
        return updates.record_step(payment, then, reply, now=asked.at, step=step)

    def _live(self, payment: Payment, then: Next, reply: Reply, now: int, way: Way) -> "Update":
        if then.status is Status.SUCCEEDED:
            return self._success(payment, then, reply, now, way)
        return updates.record_live(payment, then, reply, now=now, way=way)

    def _success(self, payment: Payment, then: Next, reply: Reply, now: int, way: Way) -> "Update":
        event = events.succeeded(
            reply,
            payment.registration,
            environment=self._policy.environment,
            zone=self._policy.zone,
            observed_at=now,
        )
        return updates.succeed(payment, then, reply, event, now=now, way=way)

    def _outcome(
        self, before: Payment, after: Payment, asked: Asked, *, ended: bool = False
    ) -> Outcome:
        became = after.status if after.status is not before.status else None
        if ended and after.status is Status.UNRESOLVED:
            became = Status.UNRESOLVED  # given up again: worth the alarm again
        failed_values = self._policy.failed_pay_rst_values
        unknown = isinstance(asked.answer, Reply) and is_unknown(asked.answer, failed_values)
        return Outcome(after.pay_id, after, asked, became, unknown)


def _current(stale: StaleWrite, payment: Payment) -> Payment:
    if stale.current is None:  # deleted under us, by hand: the message or the caller comes again
        raise Contention(payment.pay_id)
    return stale.current
