"""Batches of messages, by phases, so that all waiting is done together.

Read and register all, ask all, send the follow-ups in tens, and only then write. A crash in
between leaves a message too many, which the fence (``step``) stops, and never one too few.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from payresult.aws.dynamodb import PaymentRepository, Stored, require_readable
from payresult.aws.sqs import CheckQueue, FollowUp
from payresult.domain.outcome import Outcome, QueryResult
from payresult.domain.payment import CheckMessage, Payment
from payresult.domain.schedule import MAX_QUEUE_DELAY
from payresult.errors import QueueSendError, RegistrationConflict
from payresult.services.check import Checker
from payresult.services.payments import PaymentService


@dataclass(frozen=True, slots=True)
class CheckTask:
    """A check to be done: step *number* of the payment's chain."""

    payment: Payment
    number: int


@dataclass(frozen=True, slots=True)
class AnsweredTask(CheckTask):
    """A check of which the answer is there, but not kept yet."""

    result: QueryResult


TaskState = CheckTask | Outcome | BaseException
"""How far a message has come: to a check, to its end, or to trouble."""

Before = TypeVar("Before", bound=CheckTask)
Thing = TypeVar("Thing")
Result = TypeVar("Result")


class CheckBatchProcessor:
    """Carries the chains of checks on, message by message."""

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
        """Send each of *pay_ids* as a message of its own, and say whether SQS took them all."""
        return all(self._queue.send([FollowUp(pay_id) for pay_id in pay_ids]))

    def follow(self, messages: Sequence[CheckMessage]) -> list[Outcome]:
        """Do the check that each message asks for; an ``error`` means: deliver it again."""
        if not messages:
            return []
        found = self._admit(messages)
        found = self._each(CheckTask, self._query, found)
        found = self._send_follow_ups(found)
        found = self._each(AnsweredTask, self._save, found)
        return [_outcome(*pair) for pair in zip(messages, found, strict=True)]

    def _each(
        self, kind: type[Before], act: Callable[[Before], TaskState], found: Sequence[TaskState]
    ) -> list[TaskState]:
        """Let *act* carry on those that are a *kind*, at the same time; the rest stays."""
        done = iter(self._together(act, [each for each in found if isinstance(each, kind)]))
        return [next(done) if isinstance(each, kind) else each for each in found]

    def _together(
        self, act: Callable[[Thing], Result], things: Collection[Thing]
    ) -> list[Result | BaseException]:
        """Return what *act* makes of each of *things*, at the same time; its error if it fails."""
        if len(things) == 1:  # no thread but this one has to wake up for it
            return [_tried(act, *things)]
        running = [self._pool.submit(act, thing) for thing in things]
        return [each.exception() or each.result() for each in running]

    def _admit(self, messages: Sequence[CheckMessage]) -> list[TaskState]:
        """Register what is new, and find which messages ask for a check that is still due."""
        stored = self._payments.get_many(message.pay_id for message in messages)
        groups: dict[str, list[int]] = {}
        for index, message in enumerate(messages):
            groups.setdefault(message.pay_id, []).append(index)

        def admit(pay_id: str) -> list[TaskState]:
            same = [messages[index] for index in groups[pay_id]]
            return self._admit_group(same, stored.get(pay_id))

        found: dict[int, TaskState] = {}
        for group, results in zip(groups.values(), self._together(admit, groups), strict=True):
            if isinstance(results, BaseException):
                found |= dict.fromkeys(group, results)
            else:
                found |= zip(group, results, strict=True)
        return [found[index] for index in range(len(messages))]

    def _admit_group(
        self, messages: Sequence[CheckMessage], stored: Stored | None
    ) -> list[TaskState]:
        """Do so for the messages of one payId, one after the other."""
        payment = require_readable(stored)
        found: list[TaskState] = []
        due: set[int] = set()
        for message in messages:
            try:
                payment, number = self._enrol(message, payment)
            except RegistrationConflict as conflict:
                found.append(conflict)
                continue
            if payment.settled or payment.step >= number or number in due:
                found.append(Outcome(message.pay_id, payment))
            else:
                due.add(number)
                found.append(CheckTask(payment, number))
        return found

    def _enrol(self, message: CheckMessage, payment: Payment | None) -> tuple[Payment, int]:
        """Return the registered payment, and which step of its chain *message* asks for.

        Our own follow-ups register nothing: one that comes late, or again, must not follow
        anew what was given up meanwhile.
        """
        if payment is not None and message.step is not None:
            return payment, message.step
        payment, bare = self._service.ensure_registered(
            message.pay_id, payment, message.registration, "queue"
        )
        return payment, message.step or bare

    def _query(self, task: CheckTask) -> AnsweredTask:
        return AnsweredTask(task.payment, task.number, self._checker.query(task.payment.pay_id))

    def _save(self, task: AnsweredTask) -> Outcome:
        return self._checker.save_queued_check(task.payment, task.result, task.number)

    def _send_follow_ups(self, found: Sequence[TaskState]) -> list[TaskState]:
        """Send the message of each next step; where SQS does not take it, nothing is written."""
        messages = {
            index: message
            for index, task in enumerate(found)
            if isinstance(task, AnsweredTask) and (message := self._follow_up(task))
        }
        failure: Exception = QueueSendError("SQS refused the follow-up")
        try:
            taken = self._queue.send(list(messages.values()))
        except Exception as error:  # noqa: BLE001 - the next try is SQS's, by all of these messages
            taken, failure = [False] * len(messages), error
        refused = {index for index, ok in zip(messages, taken, strict=True) if not ok}
        return [failure if index in refused else each for index, each in enumerate(found)]

    def _follow_up(self, task: AnsweredTask) -> FollowUp | None:
        plan = self._checker.plan(task.payment, task.result)
        if plan.via != "queue" or plan.check_at is None:
            return None
        delay = ceil((plan.check_at - task.result.at) / 1000)
        return FollowUp(task.payment.pay_id, task.number + 1, min(max(delay, 0), MAX_QUEUE_DELAY))


def _tried(act: Callable[[Thing], Result], thing: Thing) -> Result | BaseException:
    try:
        return act(thing)
    except Exception as error:  # noqa: BLE001 - as in the pool: the caller looks at it
        return error


def _outcome(message: CheckMessage, found: TaskState) -> Outcome:
    if isinstance(found, Outcome):
        return found
    if isinstance(found, BaseException):
        return Outcome(message.pay_id, error=found)
    raise TypeError(f"{message.pay_id}: stopped at {type(found).__name__}")
