"""Entry point: loads the command that is called and turns errors into one line and an exit code."""

from collections.abc import Sequence
from importlib import import_module

import click

from payresult_cli.context import Dependencies
from payresult_cli.errors import FAILED, INTERRUPTED, error_message
from payresult_cli.hints import program

COMMANDS = {
    "doctor": "Check a deployed stack, and say what to do.",
    "explain": "Show why a payment has its status, and what happens next.",
    "check": "Ask the gateway about payments now, through the API.",
    "list": "List what waits for a person, or payments by status and age.",
    "accept": "Accept what the gateway reports of a payment in REVIEW.",
    "close": "End a REVIEW, UNRESOLVED or DUPLICATE that was dealt with.",
    "follow": "Send payIds to the checks queue.",
    "forget": "Erase a payment from the table.",
    "redrive": "Send messages of the dead-letter queue back to the checks queue.",
    "republish": "Send events again, with the same ids.",
    "reconcile": "Compare a billing file with the stored payments.",
    "probe": "Ask the gateway once, before anything is deployed.",
}
"""Each command with the first line of its help."""


class LazyGroup(click.Group):
    """Imports a command only when it is called, so that `--help` does not import boto3."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return the command, None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"payresult_cli.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def payresult() -> None:
    """Show why a payment has its status, and act on it.

    Each command but probe works on the stack that --stack names, with the usual AWS environment
    (AWS_PROFILE, AWS_REGION, ...), or with --sandbox on the sandbox that runs in this clone.

    Exit codes: 0 done; 1 done, but something in the output needs attention, or the question was
    answered with no; 2 not done, and one line on stderr says what to do; 130 stopped by Ctrl-C.
    """


def main(arguments: Sequence[str] | None = None, dependencies: Dependencies | None = None) -> int:
    """Run one command line and return the exit code; tests pass *dependencies* of their own."""
    try:
        code = payresult.main(
            arguments, prog_name=program(), standalone_mode=False, obj=dependencies
        )
    except click.Abort:
        click.echo("payresult: stopped", err=True)
        return INTERRUPTED
    except Exception as error:
        message = error_message(error)
        if message is None:
            raise
        click.echo(message, err=True)
        return FAILED
    return code if isinstance(code, int) else 0
