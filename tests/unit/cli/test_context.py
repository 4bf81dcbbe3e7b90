"""Contract of the question before a change: it is answered, or nothing is changed."""

import sys

import click
import pytest

from payresult_cli.context import Context, Dependencies
from payresult_cli.errors import CommandError


def ask() -> bool:
    """Ask the question."""
    context = Context("payresult", sandbox=False, as_json=False)
    return context.confirm("Send them?", dry_run=False, yes=False)


def test_ctrl_c_at_the_question_stops_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """`main` makes exit code 130 of it, as of Ctrl-C anywhere else."""

    def interrupt(_prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("click.termui.visible_prompt_func", interrupt)
    with pytest.raises(click.Abort):
        ask()


def test_closed_stdin_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `<&-` Python has no stdin at all: one line, as at its end."""
    monkeypatch.setattr(sys, "stdin", None)
    assert not Dependencies().has_terminal()
    with pytest.raises(CommandError, match="the question was not answered"):
        ask()
