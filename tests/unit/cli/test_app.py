"""`payresult_cli.app`: help without imports, common options, and refusal of a bad command line."""

from importlib import import_module

import click
import pytest

from payresult_cli.app import COMMANDS, payresult
from payresult_cli.context import Dependencies
from tests.unit.cli.cli_runner import run


def test_help_names_each_command_with_its_own_first_line() -> None:
    """The list is written down apart, so that no command is imported for it."""
    ran = run("--help", edges=Dependencies())
    assert ran.code == 0
    for name, words in COMMANDS.items():
        command = import_module(f"payresult_cli.commands.{name}").command
        assert command.name == name
        assert command.get_short_help_str(100) == words
        assert f"  {name} " in ran.out
        assert run(name, "--help", edges=Dependencies()).code == 0


def test_commands_that_change_something_can_be_tried_and_are_confirmed() -> None:
    """And all can be read by machines."""
    changing = set()
    for name in COMMANDS:
        command = payresult.get_command(click.Context(payresult), name)
        assert command
        options = {option for each in command.params for option in each.opts}
        assert {"--stack", "--sandbox", "--json"} < options
        if {"--dry-run", "--yes"} < options:
            changing.add(name)
    assert changing == {"accept", "follow", "redrive", "republish"}


@pytest.mark.parametrize("arguments", [[], ["nix"], ["explain"], ["list", "--nix"]])
def test_a_bad_command_line_is_not_carried_out(arguments: list[str]) -> None:
    """Exit code 2; without a command, the help."""
    ran = run(*arguments, edges=Dependencies())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("payresult: " if arguments else "Usage: ")
