"""Runs a command of the CLI in this process."""

import json
from typing import Any, NamedTuple

from click.testing import CliRunner

from payresult_cli.app import main
from payresult_cli.context import Dependencies


class CommandResult(NamedTuple):
    """Exit code, stdout and stderr of a command."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The objects that a command with --json wrote."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(
    *arguments: object,
    dependencies: Dependencies,
    user_input: str | None = None,
    color: bool = False,
) -> CommandResult:
    """Run one command line, with *color* as in a terminal; *user_input* answers its question."""
    with CliRunner().isolation(input=user_input, color=color) as (out, err, _):
        code = main([str(each) for each in arguments], dependencies)
        return CommandResult(code, out.getvalue().decode(), err.getvalue().decode())
