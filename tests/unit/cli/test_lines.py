"""Contract of the CLI for another program: a command line in, its exit code and output out."""

import json
from io import StringIO
from typing import Any

from payresult_cli.context import Dependencies
from payresult_cli.errors import CommandError
from payresult_cli.lines import serve


def no_stack(name: str, *, sandbox: bool) -> Any:
    """There is no deployment."""
    raise CommandError(f"no stack {name!r}, sandbox {sandbox}")


def test_each_line_is_a_command_and_gets_a_line() -> None:
    """A command that fails writes nothing, and the next one is carried out."""
    commands = [["explain", "p-1", "--stack", "s"], ["explain", "two words"], ["--help"]]
    source, target = StringIO("".join(json.dumps(each) + "\n" for each in commands)), StringIO()
    serve(source, target, Dependencies(load_stack=no_stack))
    failed, invalid, helped = map(json.loads, target.getvalue().splitlines())
    assert (failed, invalid) == ([2, ""], [2, ""])
    assert helped[0] == 0
    assert helped[1].startswith("Usage: cli/payresult")
