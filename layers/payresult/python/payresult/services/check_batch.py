"""Batches of messages from the checks queue, handled in phases, so that waits overlap.

Read and register all, query all, send the follow-ups in tens, and only then write. A crash in
between leaves one message too many, which the condition on ``step`` stops, never one too few.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from payresult.aws.dynamodb import PaymentRepository, Stored, require_readable
from payresult.aws.sqs import CheckQueue, FollowUp
from payresult.domain.outcome import Outcome, QueryResult
from payresult.domain.payment import CheckMessage, Payment, Status
from payresult.domain.registration import due_step
from payresult.domain.schedule import MAX_QUEUE_DELAY
from payresult.errors import (
    InvalidInput,
    PaymentChanged,
    QueueSendError,
    RegistrationConflict,
)
from payresult.services.check import Checker
from payresult.services.payments import PaymentService


@dataclass(frozen=True, slots=True)
class CheckTask:
    """A check that is due: *step* of the payment, or None: one outside the chain."""

    payment: Payment
    step: int | None


@dataclass(frozen=True, slots=True)
class AnsweredTask(CheckTask):
    """A check whose answer is there, but not stored."""

    result: QueryResult


MAX_STEP_LEAD = 100
"""How far a message may be ahead of its payment: each write that fails puts it one ahead."""

TaskState = CheckTask | Outcome | BaseException
"""A pending check, a final outcome, or an error."""

Task = TypeVar("Task", bound=CheckTask)
Item = TypeVar("Item")
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
        return all(self._queue.send([FollowUp(pay_id) for pay_id in pay_ids]))

    def process(self, messages: Sequence[CheckMessage]) -> list[Outcome]:
        """Return the outcome of each message; one with an ``error`` must be delivered again."""
        if not messages:
            return []
        states = self._find_due(messages)
        states = self._advance(CheckTask, self._query, states)
        states = self._send_follow_ups(states)
        states = self._advance(AnsweredTask, self._save, states)
        return [_outcome(*pair) for pair in zip(messages, states, strict=True)]

    def _advance(
        self, kind: type[Task], act: Callable[[Task], TaskState], states: Sequence[TaskState]
    ) -> list[TaskState]:
        """Let *act* advance the states that are a *kind*, at the same time; others stay."""
        done = iter(self._concurrently(act, [each for each in states if isinstance(each, kind)]))
        return [next(done) if isinstance(each, kind) else each for each in states]

    def _concurrently(
        self, act: Callable[[Item], Result], items: Collection[Item]
    ) -> list[Result | BaseException]:
        """Return the result of *act* for each of *items*, or its exception."""
        if len(items) == 1:  # a batch of one needs no other thread
            return [_result_or_error(act, *items)]
        running = [self._pool.submit(act, item) for item in items]
        return [each.exception() or each.result() for each in running]

    def _find_due(self, messages: Sequence[CheckMessage]) -> list[TaskState]:
        """Register what is new, and find the messages whose check is still due."""
        stored = self._payments.get_many(message.pay_id for message in messages)
        groups: dict[str, list[int]] = {}
        for index, message in enumerate(messages):
            groups.setdefault(message.pay_id, []).append(index)

        def find(pay_id: str) -> list[TaskState]:
            same = [messages[index] for index in groups[pay_id]]
            return self._find_due_of_one(same, stored.get(pay_id))

        states: dict[int, TaskState] = {}
        for group, results in zip(groups.values(), self._concurrently(find, groups), strict=True):
            if isinstance(results, BaseException):
                states |= dict.fromkeys(group, results)
            else:
                states |= zip(group, results, strict=True)
        return [states[index] for index in range(len(messages))]

    def _find_due_of_one(
        self, messages: Sequence[CheckMessage], stored: Stored | None
    ) -> list[TaskState]:
        """Do so for the messages of one payId, one after the other."""
        payment = require_readable(stored)
        states: list[TaskState] = []
        for message in messages:
            try:
                payment, state = self._find_due_of(message, payment)
            except RegistrationConflict as conflict:
                state = conflict
            repeated = isinstance(state, CheckTask) and state.step in _steps(states)
            states.append(Outcome(message.pay_id, payment) if repeated else state)
        return states

    def _find_due_of(
        self, message: CheckMessage, payment: Payment | None
    ) -> tuple[Payment | None, TaskState]:
        """Return the registered payment, and what *message* asks for.

        A follow-up registers nothing: a late or repeated one must not start the checks again, nor
        store a payment anew that was erased.
        """
        if message.step is not None:
            return payment, _follow_up_state(message.pay_id, message.step, payment)
        payment = self._service.ensure_registered(
            message.pay_id, payment, message.registration, "queue", message.sent_at
        )
        step = due_step(payment)
        if step is not None:
            return payment, CheckTask(payment, step)
        if payment.status is not Status.REVIEW or message.sent_at <= payment.changed_at:
            return payment, Outcome(message.pay_id, payment)
        return payment, self._claim_live(payment)

    def _claim_live(self, payment: Payment) -> TaskState:
        try:
            claimed = self._service.claim_live(payment)
        except PaymentChanged:  # somebody else asks at this moment
            claimed = None
        return CheckTask(claimed, None) if claimed else Outcome(payment.pay_id, payment)

    def _query(self, task: CheckTask) -> AnsweredTask:
        return AnsweredTask(task.payment, task.step, self._checker.query(task.payment.pay_id))

    def _save(self, task: AnsweredTask) -> Outcome:
        if task.step is None:
            return self._checker.save_live_check(task.payment, task.result, "queue")
        return self._checker.save_queued_check(task.payment, task.result, task.step)

    def _send_follow_ups(self, states: Sequence[TaskState]) -> list[TaskState]:
        """Send the message of each next step; where SQS refuses it, nothing is written."""
        follow_ups = {
            index: follow_up
            for index, state in enumerate(states)
            if isinstance(state, AnsweredTask) and (follow_up := self._follow_up(state))
        }
        failure: Exception = QueueSendError("SQS refused the follow-up")
        try:
            accepted = self._queue.send(list(follow_ups.values()))
        except Exception as error:  # noqa: BLE001 - SQS delivers all these messages again
            accepted, failure = [False] * len(follow_ups), error
        refused = {index for index, ok in zip(follow_ups, accepted, strict=True) if not ok}
        return [failure if index in refused else state for index, state in enumerate(states)]

    def _follow_up(self, task: AnsweredTask) -> FollowUp | None:
        if task.step is None:
            return None
        plan = self._checker.plan(task.payment, task.result)
        if plan.via != "queue" or plan.check_at is None:
            return None
        delay = ceil((plan.check_at - task.result.at) / 1000)
        return FollowUp(task.payment.pay_id, task.step + 1, min(max(delay, 0), MAX_QUEUE_DELAY))


def _follow_up_state(pay_id: str, step: int, payment: Payment | None) -> TaskState:
    if payment is None:
        return Outcome(pay_id, stored=False, dropped=True)
    if step > payment.step + MAX_STEP_LEAD:  # not ours: its follow-ups would be refused for ever
        return InvalidInput("step", "is far ahead of the payment's")
    if payment.settled or payment.step >= step:
        return Outcome(pay_id, payment)
    return CheckTask(payment, step)


def _steps(states: Sequence[TaskState]) -> set[int | None]:
    return {state.step for state in states if isinstance(state, CheckTask)}


def _result_or_error(act: Callable[[Item], Result], item: Item) -> Result | BaseException:
    try:
        return act(item)
    except Exception as error:  # noqa: BLE001 - as the pool does: the caller looks at it
        return error


def _outcome(message: CheckMessage, state: TaskState) -> Outcome:
    if isinstance(state, Outcome):
        return state
    if isinstance(state, BaseException):
        return Outcome(message.pay_id, error=state)
    raise TypeError(f"{message.pay_id}: stopped at {type(state).__name__}")
