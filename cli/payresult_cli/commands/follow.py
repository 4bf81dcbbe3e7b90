"""`payresult follow`: thousands of payIds onto the queue."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from payresult.aws.batches import batches
from payresult_cli import follow_requests
from payresult_cli.context import Context
from payresult_cli.follow_requests import Classified, FollowRequest
from payresult_cli.options import confirm_options, stack_options
from payresult_cli.resume_file import ResumeFile

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

LOOK_UP = 100
SHOWN = 10
STOPPED = 130


@click.command("follow")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@confirm_options
@stack_options
def command(desk: Context, file: Path, *, dry_run: bool, yes: bool) -> int:
    """Put the payIds of FILE onto the queue.

    FILE has a payId on each line; or it is CSV whose first line names payId and any of orderId,
    expectedAmount, currency. All of it is read before anything is sent, and what is followed
    already is not sent again. Ctrl-C stops it; the same command goes on where it stopped: for an
    hour FILE.following keeps what was sent. Exit code 1 where some could not be sent.
    """
    wanted = follow_requests.read(file)
    journal = ResumeFile(file, desk.system.queue_url)
    sent = journal.sent(desk.now())
    found = _look_up(desk, wanted)
    new = [order for order in found.new if order.body not in sent]
    _say(desk, len(wanted), found, len(new))
    if not found.new:
        journal.end()
    if not new:
        return 1 if found.refused else 0
    if not desk.may("Put them onto the queue?", dry_run=dry_run, yes=yes):
        return 0 if dry_run else 1
    journal.begin(sent)
    code = _put(desk, new, journal)
    return code or (1 if found.refused else 0)


def _put(desk: Context, new: Sequence[FollowRequest], journal: ResumeFile) -> int:
    """Send what is new, and say how far it came; the exit code."""
    with stopping() as stopped:
        taken = _send(desk, new, journal, stopped)
        desk.tell({"sent": taken}, f"{taken} put onto the queue")
        if stopped():
            desk.note("stopped: the same command goes on from here")
            return STOPPED
    if taken < len(new):
        desk.note(f"SQS refused {len(new) - taken}: the same command sends them again")
        return 1
    return 0


def _look_up(desk: Context, wanted: Sequence[FollowRequest]) -> Classified:
    store = desk.system.store()
    found = Classified([], {}, 0)
    with desk.progress(range(0, len(wanted), LOOK_UP), "looking them up") as bar:
        for start in bar:
            part = follow_requests.classify(store, wanted[start : start + LOOK_UP])
            found = Classified(
                found.new + part.new,
                found.refused | part.refused,
                found.followed + part.followed,
            )
    return found


def _say(desk: Context, wanted: int, found: Classified, new: int) -> None:
    sent, refused = len(found.new) - new, len(found.refused)
    counts = {"inFile": wanted, "new": new, "followedAlready": found.followed}
    desk.tell(
        counts | {"sentBefore": sent, "refused": refused},
        f"{wanted} payIds: {new} to send, {found.followed} followed already,"
        f" {sent} sent within the hour, {refused} cannot be followed so",
    )
    for number, (pay_id, reason) in enumerate(found.refused.items()):
        if number == SHOWN:
            desk.note(f"  and {len(found.refused) - SHOWN} more")
            break
        desk.note(f"  {pay_id}: {reason}")


def _send(
    desk: Context, new: Sequence[FollowRequest], journal: ResumeFile, stopped: Callable[[], bool]
) -> int:
    """Send in tens, keeping what SQS took before the next ten; how many it took."""
    client: SQSClient = desk.system.client("sqs")
    taken = 0
    with desk.progress(list(batches(new)), "sending") as bar:
        for group in bar:
            if stopped():
                break
            entries: list[SendMessageBatchRequestEntryTypeDef]
            entries = [{"Id": str(n), "MessageBody": order.body} for n, order in enumerate(group)]
            answer = client.send_message_batch(QueueUrl=desk.system.queue_url, Entries=entries)
            bodies = [group[int(entry["Id"])].body for entry in answer.get("Successful", [])]
            journal.keep(bodies, desk.now())
            taken += len(bodies)
    return taken


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Yield what says whether Ctrl-C or SIGTERM came: the ten at hand are finished first."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda got, _: came.append(got)) for number in numbers}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
