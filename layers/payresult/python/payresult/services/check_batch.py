"""Batches of messages from the checks queue, handled in phases, so that waits overlap.

Read and register all, query all, send the follow-ups in tens, and only then write. A crash in
between leaves one message too many, which the condition on ``step`` stops, never one too few.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from math import ceil
from typing import Any, TypeVar

from payresult.aws.dynamodb import PaymentRepository, Stored, require_readable
from payresult.aws.sqs import CheckQueue, QueuedCheck
from payresult.domain.outcome import Outcome, QueryResult
from payresult.domain.payment import CheckMessage, Payment, Status
from payresult.domain.registration import due_step
from payresult.domain.schedule import MAX_QUEUE_DELAY
from payresult.errors import InvalidInput, QueueSendError, RegistrationConflict
from payresult.services.check import Checker
from payresult.services.payments import PaymentService

MAX_STEP_LEAD = 100
"""How far a message may be ahead of its payment: each write that fails puts it one ahead."""


@dataclass(frozen=True, slots=True)
class CheckTask:
    """A check that is due: *step* of the payment, or None: one outside the chain."""

    payment: Payment
    step: int | None


@dataclass(frozen=True, slots=True)
class AnsweredTask(CheckTask):
    """A check whose answer is there, but not stored."""

    result: QueryResult


Outcomes = dict[int, Outcome]
"""The outcomes that there are so far, by the position of their message in the batch."""

Task = TypeVar("Task", bound=CheckTask)
Result = TypeVar("Result")


class CheckBatchProcessor:
    """Makes the checks that messages ask for."""

    def __init__(
        self,
        service: PaymentService,
        checker: Checker,
        payments: PaymentRepository,
        queue: CheckQueue,
        *,
        pool: Executor,
    ) -> None:
        self._service = service
        self._checker = checker
        self._payments = payments
        self._queue = queue
        self._pool = pool

    def fan_out(self, pay_ids: Sequence[str]) -> bool:
        """Send each of *pay_ids* as a message of its own; return whether SQS accepted them all."""
        return all(self._queue.send([QueuedCheck(pay_id) for pay_id in pay_ids]))

    def process(self, messages: Sequence[CheckMessage]) -> list[Outcome]:
        """Return the outcome of each message; one with an ``error`` must be delivered again.

        A phase is given the tasks by the position of their message, and returns those that go on;
        it adds the outcomes of the others.
        """
        outcomes: Outcomes = {}
        due = self._find_due(messages, outcomes)
        answered = self._for_each(due, self._query, outcomes)
        queued = self._send_follow_ups(answered, outcomes)
        outcomes |= self._for_each(queued, self._save, outcomes)
        return [outcomes[index] for index in range(len(messages))]

    def _for_each(
        self, tasks: Mapping[int, Task], act: Callable[[Task], Result], outcomes: Outcomes
    ) -> dict[int, Result]:
        """Return the result of *act* for each of *tasks*; its error is an outcome."""

        def result_or_error(task: Task) -> Result | Exception:
            try:
                return act(task)
            except Exception as error:  # noqa: BLE001 - the other messages do not depend on it
                return error

        results: dict[int, Result] = {}
        for index, result in zip(tasks, self._map(result_or_error, tasks.values()), strict=True):
            if isinstance(result, Exception):
                outcomes[index] = Outcome(tasks[index].payment.pay_id, error=result)
            else:
                results[index] = result
        return results

    def _map(self, act: Callable[..., Result], *values: Collection[Any]) -> Iterable[Result]:
        """As ``map``, with all calls at the same time. One call needs no other thread."""
        return map(act, *values) if len(values[0]) == 1 else self._pool.map(act, *values)

    def _find_due(
        self, messages: Sequence[CheckMessage], outcomes: Outcomes
    ) -> dict[int, CheckTask]:
        """Register what is new, and return the checks that are still due."""
        stored = self._payments.get_many(message.pay_id for message in messages)
        groups: dict[str, dict[int, CheckMessage]] = {}
        for index, message in enumerate(messages):
            groups.setdefault(message.pay_id, {})[index] = message
        payments = [stored.get(pay_id) for pay_id in groups]
        found: dict[int, CheckTask | Outcome] = {}
        for of_payment in self._map(self._find_due_of_payment, groups.values(), payments):
            found |= of_payment
        outcomes |= {index: each for index, each in found.items() if isinstance(each, Outcome)}
        return {index: each for index, each in found.items() if isinstance(each, CheckTask)}

    def _find_due_of_payment(
        self, messages: Mapping[int, CheckMessage], stored: Stored | None
    ) -> dict[int, CheckTask | Outcome]:
        """Do so for the messages of one payment, one after the other."""
        found: dict[int, CheckTask | Outcome] = {}
        try:
            payment = require_readable(stored)
            for index, message in messages.items():
                payment, each = self._find_due_of_message(message, payment)
                steps = {it.step for it in found.values() if isinstance(it, CheckTask)}
                repeated = isinstance(each, CheckTask) and each.step in steps
                found[index] = Outcome(message.pay_id, payment) if repeated else each
        except Exception as error:  # noqa: BLE001 - SQS delivers all these messages again
            return {index: Outcome(it.pay_id, error=error) for index, it in messages.items()}
        return found

    def _find_due_of_message(
        self, message: CheckMessage, payment: Payment | None
    ) -> tuple[Payment | None, CheckTask | Outcome]:
        """Return the registered payment, and the check that *message* asks for, if it is due.

        A follow-up registers nothing: a late or repeated one must not start the checks again, nor
        store a payment anew that was erased.
        """
        if message.step is not None:
            return payment, _due_follow_up(message.pay_id, message.step, payment)
        try:
            payment = self._service.ensure_registered(
                message.pay_id, payment, message.registration, "queue", message.sent_at
            )
        except RegistrationConflict as conflict:
            return payment, Outcome(message.pay_id, error=conflict)
        step = due_step(payment)
        if step is not None:
            return payment, CheckTask(payment, step)
        if payment.status is not Status.REVIEW or message.sent_at <= payment.changed_at:
            return payment, Outcome(message.pay_id, payment)
        payment, claimed = self._service.claim_live(payment)
        return payment, CheckTask(payment, None) if claimed else Outcome(message.pay_id, payment)

    def _query(self, task: CheckTask) -> AnsweredTask:
        return AnsweredTask(task.payment, task.step, self._checker.query(task.payment.pay_id))

    def _save(self, task: AnsweredTask) -> Outcome:
        if task.step is None:
            return self._checker.save_live_check(task.payment, task.result, "queue")
        return self._checker.save_queued_check(task.payment, task.result, task.step)

    def _send_follow_ups(
        self, tasks: Mapping[int, AnsweredTask], outcomes: Outcomes
    ) -> dict[int, AnsweredTask]:
        """Send the message of each next step; where SQS refuses it, nothing is written."""
        follow_ups = {
            index: follow_up
            for index, task in tasks.items()
            if (follow_up := self._follow_up(task))
        }
        error: Exception = QueueSendError("SQS refused the follow-up")
        try:
            accepted = self._queue.send(list(follow_ups.values()))
        except Exception as failure:  # noqa: BLE001 - SQS delivers all these messages again
            accepted, error = [False] * len(follow_ups), failure
        pairs = zip(follow_ups, accepted, strict=True)
        refused = {index for index, ok in pairs if not ok}
        outcomes |= {index: Outcome(tasks[index].payment.pay_id, error=error) for index in refused}
        return {index: task for index, task in tasks.items() if index not in refused}

    def _follow_up(self, task: AnsweredTask) -> QueuedCheck | None:
        if task.step is None:
            return None
        plan = self._checker.plan(task.payment, task.result)
        if plan.via != "queue" or plan.check_at is None:
            return None
        delay = ceil((plan.check_at - task.result.at) / 1000)
        return QueuedCheck(task.payment.pay_id, task.step + 1, min(max(delay, 0), MAX_QUEUE_DELAY))


def _due_follow_up(pay_id: str, step: int, payment: Payment | None) -> CheckTask | Outcome:
    if payment is None:
        return Outcome(pay_id, stored=False, dropped=True)
    if step > payment.step + MAX_STEP_LEAD:  # not ours: its follow-ups would be refused for ever
        return Outcome(pay_id, error=InvalidInput("step", "is far ahead of the payment's"))
    if payment.settled or payment.step >= step:
        return Outcome(pay_id, payment)
    return CheckTask(payment, step)
