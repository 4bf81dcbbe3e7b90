"""`payresult redrive`: sends messages of the dead-letter queue back to the checks queue."""

from collections.abc import Sequence
from dataclasses import replace

import click

from payresult.domain.payment import to_iso8601
from payresult.domain.reply import truncate
from payresult.errors import InvalidInput
from payresult.schemas.requests import parse_message
from payresult_cli.context import Context
from payresult_cli.dead_letters import VISIBILITY_TIMEOUT, DeadLetter, DeadLetterQueue, validate
from payresult_cli.errors import CommandError
from payresult_cli.formatting import format_count, format_time_and_age, printable
from payresult_cli.options import confirm_options, stack_options

MAX_BODY_CHARACTERS_SHOWN = 500
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

Replacements = Sequence[tuple[str, str]]
"""Pairs of messageId and new body."""


@click.command("redrive")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_LIMIT),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="Read at most this many messages.",
)
@click.option(
    "--replace-body",
    "replacements",
    nargs=2,
    multiple=True,
    metavar="MESSAGE_ID BODY",
    help="Send this message with another body; may be repeated.",
)
@click.option(
    "--all",
    "send_all",
    is_flag=True,
    help="Also send messages that would fail again (after a deployment that accepts them).",
)
@confirm_options
@stack_options
def command(
    context: Context,
    *,
    limit: int,
    replacements: Replacements,
    send_all: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Send messages of the dead-letter queue back to the checks queue.

    Shows each message first, and whether payresult can process it now. A message that it cannot
    process stays, unless its body is replaced. A message is sent before it is deleted: a crash in
    between duplicates it, which is harmless. Exit code 1 if messages stay in the
    queue, or if none could be read because another reader holds them.
    """
    _require_valid_bodies(replacements)
    stack = context.stack
    queue = DeadLetterQueue(stack.client("sqs"), stack.dead_letter_queue_url, stack.queue_url)
    remaining = queue.receive(limit)
    hidden = 0 if remaining else queue.hidden()
    try:
        validated = validate(stack.repository(), _with_new_bodies(remaining, replacements))
        selected = [each for each in validated if send_all or each.problem is None]
        _show(context, validated, len(selected))
        if selected and context.confirm("Send them back to the queue?", dry_run=dry_run, yes=yes):
            with context.reading(queue.send_back(selected), "sending back") as sending:
                moved = {each.message_id for each in sending}
            remaining = [each for each in remaining if each.message_id not in moved]
            context.output({"redriven": len(moved)}, f"{len(moved)} sent back to the queue")
            _show_not_moved(context, len(selected) - len(moved))
    finally:
        queue.release(remaining)
    if hidden:
        minutes, messages = VISIBILITY_TIMEOUT // 60, format_count(hidden, "message")
        context.info(f"{messages} received by another reader: try again in {minutes} minutes")
    return 1 if (remaining or hidden) and not dry_run else 0


def _require_valid_bodies(replacements: Replacements) -> None:
    for message_id, body in replacements:
        try:
            parse_message(body)
        except InvalidInput as error:
            raise CommandError(
                f"--replace-body {message_id}: the new body is invalid too: {error}"
            ) from None


def _with_new_bodies(
    dead_letters: Sequence[DeadLetter], replacements: Replacements
) -> list[DeadLetter]:
    bodies = dict(replacements)
    unknown = bodies.keys() - {each.message_id for each in dead_letters}
    if unknown:
        raise CommandError(
            f"--replace-body {min(unknown)}:"
            f" no such message among the {len(dead_letters)} that were read"
        )
    return [replace(each, body=bodies.get(each.message_id, each.body)) for each in dead_letters]


def _show(context: Context, dead_letters: Sequence[DeadLetter], selected: int) -> None:
    for dead_letter in dead_letters:
        context.output(_record(dead_letter), _lines(dead_letter, context.now()))
    invalid = sum(each.problem is not None for each in dead_letters)
    context.info(
        f"{format_count(len(dead_letters), 'message')}: {invalid} would fail again,"
        f" {selected} to send back"
    )


def _show_not_moved(context: Context, count: int) -> None:
    if count:
        context.info(f"{count} not: SQS did not take them, or did not delete them here after that")


def _record(dead_letter: DeadLetter) -> dict[str, str | None]:
    return {
        "messageId": dead_letter.message_id,
        "sentAt": to_iso8601(dead_letter.sent_at),
        "body": dead_letter.body,
        "problem": dead_letter.problem,
    }


def _lines(dead_letter: DeadLetter, now: int) -> str:
    problem = dead_letter.problem
    verdict = f"would fail again: {problem}" if problem else "can be processed now"
    return (
        f"{dead_letter.message_id}  sent {format_time_and_age(dead_letter.sent_at, now)}\n"
        f"  {printable(truncate(dead_letter.body, MAX_BODY_CHARACTERS_SHOWN))}\n"
        f"  {printable(verdict)}"
    )
