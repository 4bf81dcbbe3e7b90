"""`payresult redrive`: from the dead-letter queue back onto the queue."""

from collections.abc import Sequence
from dataclasses import replace

import click

from payresult.domain.payment import to_iso8601
from payresult.domain.reply import truncate
from payresult.errors import InvalidInput
from payresult.schemas.requests import parse_message
from payresult_cli.context import Context
from payresult_cli.dead_letters import DeadLetter, DeadLetters, judge
from payresult_cli.errors import CommandError
from payresult_cli.formatting import format_time_and_age, printable
from payresult_cli.options import confirm_options, stack_options

SHOWN = 500
AT_ONCE = 100
Mends = Sequence[tuple[str, str]]


@click.command("redrive")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=AT_ONCE,
    show_default=True,
    help="Look at so many messages at most.",
)
@click.option(
    "--mend",
    "mends",
    nargs=2,
    multiple=True,
    metavar="MESSAGE_ID BODY",
    help="Send this message with another body; may be given several times.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Also those that would be refused again (after a deployment that mends it).",
)
@confirm_options
@stack_options
def command(
    desk: Context, *, limit: int, mends: Mends, everything: bool, dry_run: bool, yes: bool
) -> int:
    """Put messages of the dead-letter queue back onto the queue.

    Shows what is in it first, and of each whether payresult would take it now; those that it
    would not take stay, unless mended. A message is sent first and deleted then: a crash in
    between doubles it, which does no harm. Exit code 1 where some stay.
    """
    _refuse_bad_mends(mends)
    system = desk.system
    letters = DeadLetters(system.client("sqs"), system.dead_letter_url, system.queue_url)
    left = letters.receive(limit)
    try:
        judged = judge(system.store(), _mended(left, mends))
        chosen = _shown(desk, judged, everything=everything)
        if chosen and desk.may("Put them back onto the queue?", dry_run=dry_run, yes=yes):
            sent = {each.message_id for each in letters.redrive(chosen)}
            left = [each for each in left if each.message_id not in sent]
            desk.tell({"redriven": len(sent)}, f"{len(sent)} put back onto the queue")
    finally:
        letters.release(left)
    return 1 if left and not dry_run else 0


def _shown(desk: Context, judged: Sequence[DeadLetter], *, everything: bool) -> list[DeadLetter]:
    """Show all, and return those that are to go back."""
    for letter in judged:
        desk.tell(_record(letter), _lines(letter, desk.now()))
    chosen = [each for each in judged if everything or each.problem is None]
    refused = sum(each.problem is not None for each in judged)
    desk.note(f"{len(judged)} messages, {refused} would be refused again; {len(chosen)} to go back")
    return chosen


def _refuse_bad_mends(mends: Mends) -> None:
    for message_id, body in mends:
        try:
            parse_message(body)
        except InvalidInput as error:
            raise CommandError(f"--mend {message_id}: that is refused too: {error}") from None


def _mended(found: Sequence[DeadLetter], mends: Mends) -> list[DeadLetter]:
    bodies = dict(mends)
    unknown = bodies.keys() - {letter.message_id for letter in found}
    if unknown:
        raise CommandError(
            f"--mend {min(unknown)}: no such message among the {len(found)} looked at"
        )
    return [replace(each, body=bodies.get(each.message_id, each.body)) for each in found]


def _record(letter: DeadLetter) -> dict[str, str | None]:
    return {
        "messageId": letter.message_id,
        "sentAt": to_iso8601(letter.sent_at),
        "body": letter.body,
        "problem": letter.problem,
    }


def _lines(letter: DeadLetter, now: int) -> str:
    verdict = f"refused again: {letter.problem}" if letter.problem else "would be taken now"
    return (
        f"{letter.message_id}  sent {format_time_and_age(letter.sent_at, now)}\n"
        f"  {printable(truncate(letter.body, SHOWN))}\n"
        f"  {printable(verdict)}"
    )
