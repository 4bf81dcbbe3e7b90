"""What a command gets: the stack, the time, and where to write.

Results go to stdout: text, or with --json one object a line. Notes, questions and progress go to
stderr.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import click

from payresult_cli.errors import CommandError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from click._termui_impl import ProgressBar

    from payresult_cli.http_api import HttpResponse
    from payresult_cli.stack import Stack

Element = TypeVar("Element")


def _load_stack(name: str, *, sandbox: bool) -> "Stack":
    from payresult_cli.stack import load_stack  # noqa: PLC0415 - boto3 only for a valid command line

    return load_stack(name, sandbox=sandbox)


def _send_request(request: "AWSPreparedRequest") -> "HttpResponse":
    from payresult_cli import http_api  # noqa: PLC0415 - as above

    return http_api.send(request)


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What a command reaches outside of itself; tests replace it."""

    load_stack: "Callable[..., Stack]" = _load_stack
    send_request: "Callable[[AWSPreparedRequest], HttpResponse]" = _send_request
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    has_terminal: Callable[[], bool] = _has_terminal


@dataclass(frozen=True)
class Context:
    """The stack, the time and the output of one command."""

    stack_name: str
    sandbox: bool
    as_json: bool
    dependencies: Dependencies = field(default_factory=Dependencies)

    @cached_property
    def stack(self) -> "Stack":
        """The deployment, looked up on first use: a command checks its input before."""
        return self.dependencies.load_stack(self.stack_name, sandbox=self.sandbox)

    def now(self) -> int:
        """Return the time, in milliseconds since 1970."""
        return int(self.dependencies.clock() * 1000)

    def output(self, record: Mapping[str, Any], text: str) -> None:
        """Write one result to stdout: *text*, or with --json *record* without its None values.

        Colours in *text* stay only in a terminal, and not where NO_COLOR is set (no-color.org).
        """
        if self.as_json:
            known = {name: value for name, value in record.items() if value is not None}
            text = json.dumps(known, ensure_ascii=False)
        click.echo(text, color=False if os.environ.get("NO_COLOR") else None)

    def heading(self, text: str) -> None:
        """Write the names of a table's columns to stdout; not with --json."""
        if not self.as_json:
            click.echo(text)

    def info(self, text: str) -> None:
        """Write a note to stderr."""
        click.echo(text, err=True)

    def confirm(self, question: str, *, dry_run: bool, yes: bool) -> bool:
        """Return whether to make the change: False in a dry run, else --yes or the user's answer.

        CommandError if the question is not answered, click.Abort at Ctrl-C.
        """
        if dry_run:
            self.info("dry run: nothing was changed")
            return False
        if yes:
            return True
        try:
            confirmed = click.confirm(question, err=True)
        except (click.Abort, RuntimeError) as error:  # RuntimeError: stdin is closed (`<&-`)
            if isinstance(error.__context__, KeyboardInterrupt):
                raise
            raise CommandError(
                "nothing was changed: the question was not answered (scripts use --yes)"
            ) from None
        if not confirmed:
            self.info("nothing was changed")
        return confirmed

    def progress(
        self, elements: Sequence[Element], label: str
    ) -> AbstractContextManager[Iterable[Element]]:
        """Return *elements* to iterate over, with a progress bar on stderr if it is a terminal."""
        return click.progressbar(elements, label=label, file=sys.stderr, show_pos=True)

    def reading(
        self, elements: Iterable[Element], label: str, *, while_writing: bool = False
    ) -> AbstractContextManager[Iterable[Element]]:
        """Return *elements* to iterate over; a terminal shows how many were read so far.

        *while_writing*: not if results go to the terminal too, where the two would mix.
        """
        hidden = not sys.stderr.isatty() or (while_writing and sys.stdout.isatty())
        return click.progressbar(
            elements, label=label, file=sys.stderr, show_pos=True, hidden=hidden
        )

    def counting(self, total: int, label: str) -> "ProgressBar[int]":
        """Return a progress bar that `update` moves on, up to *total*; `hidden` if no terminal."""
        hidden = not sys.stderr.isatty()
        return click.progressbar(
            length=total, label=label, file=sys.stderr, show_pos=True, hidden=hidden
        )
