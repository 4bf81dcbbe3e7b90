"""What a command works with: the system (looked for when first needed), a clock, and a voice.

What is asked for goes to stdout: text for people, or with --json one object a line. Notes,
questions and progress go to stderr.
"""

import json
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

    from payresult_cli.http_api import HttpResponse
    from payresult_cli.stack import Stack

Thing = TypeVar("Thing")


def _find(stack: str, *, sandbox: bool) -> "Stack":
    from payresult_cli.stack import find  # noqa: PLC0415 - boto3 only once the command line is right

    return find(stack, sandbox=sandbox)


def _send(request: "AWSPreparedRequest") -> "HttpResponse":
    from payresult_cli import http_api  # noqa: PLC0415 - as above

    return http_api.send(request)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Where a command meets the world; tests put others in their place."""

    find: "Callable[..., Stack]" = _find
    send: "Callable[[AWSPreparedRequest], HttpResponse]" = _send
    clock: Callable[[], float] = time.time


@dataclass(frozen=True)
class Context:
    """One command at work."""

    stack: str
    sandbox: bool
    as_json: bool
    edges: Dependencies = field(default_factory=Dependencies)

    @cached_property
    def system(self) -> "Stack":
        """The deployment: AWS is not asked before a command has read all that it was given."""
        return self.edges.find(self.stack, sandbox=self.sandbox)

    def now(self) -> int:
        """Return the time, in milliseconds since 1970."""
        return int(self.edges.clock() * 1000)

    def tell(self, record: Mapping[str, Any], text: str) -> None:
        """Say one thing on stdout: *text*, or with --json *record*, without what is None."""
        if self.as_json:
            known = {name: value for name, value in record.items() if value is not None}
            text = json.dumps(known, ensure_ascii=False)
        click.echo(text)

    def note(self, text: str) -> None:
        """Say something beside the matter, on stderr."""
        click.echo(text, err=True)

    def may(self, question: str, *, dry_run: bool, yes: bool) -> bool:
        """Say whether to go on and change something, asking if need be."""
        if dry_run:
            self.note("dry run: nothing was changed")
            return False
        if yes:
            return True
        try:
            agreed = click.confirm(question, err=True)
        except click.Abort:
            raise CommandError(
                "nothing was changed: nobody answered (--yes answers for a script)"
            ) from None
        if not agreed:
            self.note("nothing was changed")
        return agreed

    def progress(
        self, things: Sequence[Thing], label: str
    ) -> AbstractContextManager[Iterable[Thing]]:
        """Return *things* to go through, with a bar on stderr if that is a terminal."""
        return click.progressbar(things, label=label, file=sys.stderr, show_pos=True)
