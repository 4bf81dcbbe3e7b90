"""`payresult follow`: sends payIds to the checks queue, of a file or of what is UNRESOLVED."""

from collections.abc import Container, Mapping, Sequence
from itertools import islice
from pathlib import Path

import click

from payresult_cli.context import Context
from payresult_cli.follow_requests import (
    SENT,
    Classified,
    FollowRequest,
    classify,
    follow_request,
    read_follow_requests,
)
from payresult_cli.formatting import format_count
from payresult_cli.options import confirm_options, stack_options
from payresult_cli.pace import DEFAULT_RATE
from payresult_cli.resume_file import ResumeFile
from payresult_cli.sending import Sending

PAY_IDS_PER_READ = 100
MAX_RATE = 1000
MAX_REASONS_SHOWN = 10

COUNTED = {
    "startAgain": "of them ended without a success: their checks start again",
    "oneCheck": "of them in REVIEW: the gateway is asked once",
    "followedAlready": "followed already",
    "paidAlready": "paid already",
    "sentBefore": "sent within the last hour",
    "refused": "refused",
}
"""The counts that are shown if they are not 0, in words."""


@click.command("follow")
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--attention",
    type=click.Choice(["UNRESOLVED"]),
    help="Instead of FILE: all that `list --attention UNRESOLVED` shows.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, MAX_RATE, min_open=True),
    default=DEFAULT_RATE,
    show_default=True,
    help="For how many payIds a second the checks begin.",
)
@confirm_options
@stack_options
def command(
    context: Context,
    file: Path | None,
    *,
    attention: str | None,
    rate: float,
    dry_run: bool,
    yes: bool,
) -> int:
    """Send payIds to the checks queue.

    FILE has one payId per line, or is CSV whose first line names payId and any of orderId,
    expectedAmount, currency. The whole file is read before anything is sent. A message starts the
    checks of a FAILED, EXPIRED or UNRESOLVED payment again, and has the gateway asked once about
    one in REVIEW. A payment that is followed or paid already is not sent.

    The messages are spread by their delay, so that live customers do not wait behind them. SQS
    delays by at most 15 minutes: a longer bulk is sent as time goes on. At the default rate, with
    the default MaximumConcurrency and CheckDelays, and a gateway that answers within a second, a
    new payment is checked within 10 s. With payIds that are paid already, 10 a second do no harm.

    Ctrl-C stops the command, and the same command continues: what was sent is kept in
    FILE.following for an hour. Exit code 1 if some could not be sent.
    """
    sending = Sending(context, rate, dry_run=dry_run, yes=yes)
    if file and not attention:
        return _follow_file(context, file, sending)
    if attention and not file:
        return _follow_waiting(context, attention, sending)
    raise click.UsageError("Give either FILE or --attention.")


def _follow_file(context: Context, file: Path, sending: Sending) -> int:
    requests = read_follow_requests(file)
    resume_file = ResumeFile(file, context.stack.queue_url)
    recent = resume_file.read(context.now())
    found = _classify(context, requests)
    unsent, before = _show(context, len(requests), found, recent)
    if not any(found.by_effect[effect] for effect in SENT):
        resume_file.delete()

    def keep(bodies: Sequence[str]) -> None:
        resume_file.add(bodies, context.now())

    def start() -> None:
        resume_file.start(recent)

    return sending.send(unsent, before, start, keep) or bool(found.rejected)


def _follow_waiting(context: Context, reason: str, sending: Sending) -> int:
    """Follow what the index lists. What is followed again is not listed any more."""
    waiting = context.stack.repository().indexes.waiting(reason)
    requests = [follow_request(pay_id) for pay_id, _ in waiting]
    found = _classify(context, requests)
    found.by_effect.pop("new", None)  # erased after the index was read
    unsent, _ = _show(context, len(requests), found, ())
    return sending.send(unsent, 0, lambda: None, lambda _: None) or bool(found.rejected)


def _classify(context: Context, requests: Sequence[FollowRequest]) -> Classified:
    repository = context.stack.repository()
    found = Classified()
    with context.progress(range(0, len(requests), PAY_IDS_PER_READ), "reading payments") as starts:
        for start in starts:
            classify(repository, requests[start : start + PAY_IDS_PER_READ], found)
    return found


def _show(
    context: Context, pay_ids: int, found: Classified, recent: Container[str]
) -> tuple[list[FollowRequest], int]:
    """Show how many messages do what.

    Return those that were not sent recently, and how many were and are not read yet.
    """
    by_effect = {
        effect: [request for request in found.by_effect[effect] if request.body not in recent]
        for effect in SENT
    }
    unsent = [request for requests in by_effect.values() for request in requests]
    sent_before = sum(len(found.by_effect[effect]) for effect in SENT) - len(unsent)
    counts = {effect: len(requests) for effect, requests in by_effect.items()} | {
        "followedAlready": len(found.by_effect["followed"]),
        "paidAlready": len(found.by_effect["paid"]),
        "sentBefore": sent_before,
        "refused": len(found.rejected),
    }
    texts = [f"{counts[name]} {text}" for name, text in COUNTED.items() if counts[name]]
    text = ", ".join([f"{len(unsent)} to send", *texts])
    context.output({"payIds": pay_ids} | counts, f"{format_count(pay_ids, 'payId')}: {text}")
    _show_rejected(context, found.rejected)
    return unsent, sent_before


def _show_rejected(context: Context, rejected: Mapping[str, str]) -> None:
    for pay_id, reason in islice(rejected.items(), MAX_REASONS_SHOWN):
        context.info(f"  {pay_id}: {reason}")
    if len(rejected) > MAX_REASONS_SHOWN:
        context.info(f"  and {len(rejected) - MAX_REASONS_SHOWN} more")
