"""Contract of the command line: help, shared options, and refusal of a bad command line."""

from importlib import import_module

import click
import pytest

from payresult_cli.app import COMMANDS, payresult
from payresult_cli.context import Dependencies
from tests.support.commands import run


def test_help_shows_the_first_help_line_of_each_command() -> None:
    """COMMANDS repeats these lines so that `--help` imports no command."""
    result = run("--help", dependencies=Dependencies())
    assert result.code == 0
    for name, first_line in COMMANDS.items():
        command = import_module(f"payresult_cli.commands.{name}").command
        assert command.name == name
        assert command.get_short_help_str(100) == first_line
        assert f"  {name} " in result.out
        assert run(name, "--help", dependencies=Dependencies()).code == 0


def test_commands_that_change_something_have_dry_run_and_yes() -> None:
    """All commands have --json, and all but probe, which needs no stack, --stack and --sandbox."""
    changing = set()
    for name in COMMANDS:
        command = payresult.get_command(click.Context(payresult), name)
        assert command
        options = {option for each in command.params for option in each.opts}
        assert "--json" in options
        assert ({"--stack", "--sandbox"} < options) == (name != "probe")
        if {"--dry-run", "--yes"} < options:
            changing.add(name)
    assert changing == {"accept", "close", "follow", "forget", "redrive", "republish"}


REASON = ["--reason", "coupon"]


@pytest.mark.parametrize(
    "arguments",
    [
        *(["nix"], ["explain"], ["list", "--nix"]),
        # a payId, an age, a time or a reason that is none
        *(["check"], ["check", "two words"], ["check", "p-1", ""], ["check", "x" * 129]),
        *(["check", "a#b"], ["republish", "two words"], ["republish", "--since", "monday"]),
        *(["list", "--older-than", "yesterday"], ["list", "x"]),
        *(["accept", "p-1", "--reason", text] for text in (" ", "a\nb", "x" * 201)),
        # a value that there is not
        *(["list", "--status", "PAID"], ["list", "--attention", "PENDING"]),
        *(["follow", __file__, "--rate", rate] for rate in ("0", "-1", "1001", "fast")),
        *(["follow", "nix"], ["follow", "."], ["follow", "--attention", "REVIEW"]),
        # options that exclude or need each other
        ["accept", "p-1", *REASON, "--reported", "$18.00", "--reported-absent"],
        ["list", "--attention", "REVIEW", "--status", "REVIEW"],
        ["list", "--attention", "REVIEW", "--older-than", "2h"],
        *(["follow"], ["follow", __file__, "--attention", "UNRESOLVED"]),
        *(["republish"], ["republish", "p-1", "--since", "2026-11-22"]),
        *(["republish", "--until", "2026-11-22"], ["republish", "p-1", "--until", "2026-11-22"]),
    ],
)
def test_bad_command_line_is_rejected(arguments: list[str]) -> None:
    """Exit code 2 and one line, before anything is asked of AWS."""
    result = run(*arguments, dependencies=Dependencies(load_stack=pytest.fail))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("payresult: ")
    assert len(result.err.splitlines()) == 1


def test_without_a_command_the_help_is_shown() -> None:
    """On stderr: exit code 2."""
    result = run(dependencies=Dependencies())
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: ")
