"""`payresult follow`: sends the payIds of a file to the checks queue."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from payresult.aws.batches import batches
from payresult_cli.context import Context
from payresult_cli.errors import INTERRUPTED
from payresult_cli.follow_requests import (
    Classified,
    FollowRequest,
    classify,
    read_follow_requests,
)
from payresult_cli.formatting import format_count
from payresult_cli.options import confirm_options, stack_options
from payresult_cli.resume_file import ResumeFile

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

PAY_IDS_PER_READ = 100
MAX_REASONS_SHOWN = 10


@click.command("follow")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@confirm_options
@stack_options
def command(context: Context, file: Path, *, dry_run: bool, yes: bool) -> int:
    """Send the payIds of FILE to the checks queue.

    FILE has one payId per line, or is CSV whose first line names payId and any of orderId,
    expectedAmount, currency. The whole file is read before anything is sent; a payment that is
    followed already is not sent. Ctrl-C stops the command, and the same command continues: what was
    sent is kept in FILE.following for an hour. Exit code 1 if some could not be sent.
    """
    requests = read_follow_requests(file)
    resume_file = ResumeFile(file, context.stack.queue_url)
    recent = resume_file.read(context.now())
    found = _classify(context, requests)
    unsent = [request for request in found.new if request.body not in recent]
    _show(context, len(requests), found, len(unsent))
    rejected_code = 1 if found.rejected else 0
    if not found.new:
        resume_file.delete()
    if not unsent:
        return rejected_code
    if not context.confirm("Send them to the queue?", dry_run=dry_run, yes=yes):
        return 0 if dry_run else 1
    resume_file.start(recent)
    return _send(context, unsent, resume_file) or rejected_code


def _classify(context: Context, requests: Sequence[FollowRequest]) -> Classified:
    repository = context.stack.repository()
    total = Classified([], {}, 0)
    with context.progress(range(0, len(requests), PAY_IDS_PER_READ), "reading payments") as starts:
        for start in starts:
            part = classify(repository, requests[start : start + PAY_IDS_PER_READ])
            total = Classified(
                total.new + part.new,
                total.rejected | part.rejected,
                total.followed + part.followed,
            )
    return total


def _show(context: Context, in_file: int, found: Classified, unsent: int) -> None:
    sent, rejected = len(found.new) - unsent, len(found.rejected)
    counts = {"inFile": in_file, "new": unsent, "followedAlready": found.followed}
    context.output(
        counts | {"sentBefore": sent, "refused": rejected},
        f"{format_count(in_file, 'payId')}: {unsent} to send, {found.followed} followed already,"
        f" {sent} sent within the last hour, {rejected} rejected",
    )
    for number, (pay_id, reason) in enumerate(found.rejected.items()):
        if number == MAX_REASONS_SHOWN:
            context.info(f"  and {rejected - MAX_REASONS_SHOWN} more")
            break
        context.info(f"  {pay_id}: {reason}")


def _send(context: Context, unsent: Sequence[FollowRequest], resume_file: ResumeFile) -> int:
    """Send *unsent*, write how many were sent, and return the exit code."""
    with stop_requested() as stopped:
        sent = _send_batches(context, unsent, resume_file, stopped)
        context.output({"sent": sent}, f"{sent} sent to the queue")
        if stopped():
            context.info("stopped: run the same command to continue")
            return INTERRUPTED
    if sent < len(unsent):
        rejected = format_count(len(unsent) - sent, "message")
        context.info(f"SQS rejected {rejected}: run the same command to send again")
        return 1
    return 0


def _send_batches(
    context: Context,
    unsent: Sequence[FollowRequest],
    resume_file: ResumeFile,
    stopped: Callable[[], bool],
) -> int:
    """Send in batches of ten and return how many messages SQS took.

    Each batch is in the resume file before the next one is sent.
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
            resume_file.add(bodies, context.now())
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
