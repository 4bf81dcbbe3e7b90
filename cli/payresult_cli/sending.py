"""Sends messages to the checks queue at a rate until it is done, or until Ctrl-C."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from payresult.aws.batches import batches
from payresult_cli.context import Context
from payresult_cli.errors import INTERRUPTED
from payresult_cli.follow_requests import FollowRequest
from payresult_cli.formatting import format_count, format_duration
from payresult_cli.pace import Pace

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

QUESTION = "Send them to the queue?"
REPORT_EVERY_MS = 60_000

Keep = Callable[[Sequence[str]], None]
"""Keeps the bodies of messages that the queue took."""


class Sending:
    """Asks, sends at *rate*, and tells how it goes."""

    def __init__(self, context: Context, rate: float, *, dry_run: bool, yes: bool) -> None:
        self._context = context
        self._rate = rate
        self._dry_run = dry_run
        self._yes = yes

    def send(
        self, unsent: Sequence[FollowRequest], before: int, start: Callable[[], None], keep: Keep
    ) -> int:
        """Send *unsent* if the user wants it, after *start*; return the exit code.

        *before* is the number of those that an earlier run sent, and that come first.
        """
        if not unsent:
            return 0
        takes = format_duration(round((before + len(unsent)) / self._rate * 1000))
        self._context.info(f"{self._rate:g} a second: the last one is checked in {takes}")
        if not self._context.confirm(QUESTION, dry_run=self._dry_run, yes=self._yes):
            return 0 if self._dry_run else 1
        start()
        with stop_requested() as stopped:
            pace = Pace(self._context, self._rate, stopped)
            sent = self._count(send_batches(self._context, unsent, keep, pace, before), len(unsent))
            self._context.output({"sent": sent}, f"{sent} sent to the queue")
            if stopped():
                self._context.info("stopped: run the same command to continue")
                return INTERRUPTED
        if sent < len(unsent):
            rejected = format_count(len(unsent) - sent, "message")
            self._context.info(f"SQS rejected {rejected}: run the same command to send again")
            return 1
        return 0

    def _count(self, batches: Iterator[int], total: int) -> int:
        """Return the sum of *batches*; a terminal shows it as it grows, a log each minute."""
        sent, reported = 0, self._context.now()
        with self._context.counting(total, "sending") as bar:
            for taken in batches:
                sent += taken
                bar.update(taken)
                if bar.hidden and self._context.now() - reported >= REPORT_EVERY_MS:
                    reported = self._context.now()
                    self._context.info(f"{sent} of {total} sent")
        return sent


def send_batches(
    context: Context,
    unsent: Sequence[FollowRequest],
    keep: Keep,
    pace: Pace,
    before: int = 0,
) -> Iterator[int]:
    """Send in batches of ten, and yield after each how many of its messages SQS took.

    *before* is the number of messages that an earlier run sent, and that are delayed still: these
    come after them. *keep* is called after each batch, before the next one is sent.
    """
    client: SQSClient = context.stack.client("sqs")
    number = before
    for batch in batches(unsent):
        if not pace.wait(number + len(batch) - 1):
            return
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(place),
                "MessageBody": request.body,
                "DelaySeconds": pace.delay(number + place),
            }
            for place, request in enumerate(batch)
        ]
        response = client.send_message_batch(QueueUrl=context.stack.queue_url, Entries=entries)
        bodies = [batch[int(entry["Id"])].body for entry in response.get("Successful", [])]
        keep(bodies)
        number += len(batch)
        yield len(bodies)


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether Ctrl-C or SIGTERM came.

    The signals do not interrupt: the batch in progress is finished first.
    """
    received: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM)
    previous = {
        number: signal.signal(number, lambda got, _: received.append(got)) for number in signals
    }
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
