"""Sends messages to the checks queue until it is done, or until Ctrl-C."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from payresult.aws.batches import batches
from payresult_cli.context import Context
from payresult_cli.follow_requests import FollowRequest

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

Keep = Callable[[Sequence[str]], None]
"""Keeps the bodies of messages that the queue took."""


def send_batches(
    context: Context,
    unsent: Sequence[FollowRequest],
    keep: Keep,
    stopped: Callable[[], bool],
) -> int:
    """Send in batches of ten and return how many messages SQS took.

    *keep* is called after each batch, before the next one is sent.
    """
    client: SQSClient = context.stack.client("sqs")
    queue_url = context.stack.queue_url
    sent = 0
    with context.progress(list(batches(unsent)), "sending") as progress:
        for batch in progress:
            if stopped():
                break
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "MessageBody": request.body}
                for number, request in enumerate(batch)
            ]
            response = client.send_message_batch(QueueUrl=queue_url, Entries=entries)
            bodies = [batch[int(entry["Id"])].body for entry in response.get("Successful", [])]
            keep(bodies)
            sent += len(bodies)
    return sent


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
