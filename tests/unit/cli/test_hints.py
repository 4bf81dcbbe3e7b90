"""Contract of the CLI's advice: its command lines can be pasted where the command was typed."""

import subprocess

import click
import pytest

from payresult_cli.hints import hint, program
from payresult_cli.options import stack_options
from tests.support.template import ROOT


@click.command("any")
@stack_options
def command(*_: object) -> None:
    """Print a hint."""
    click.echo(hint("check", "paid-1"))


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ([], ""),
        (["--json"], ""),
        (["--sandbox"], " --sandbox"),
        (["--stack", "payresult"], ""),
        (["--stack", "other-1"], " --stack other-1"),
        (["--stack", "a b"], " --stack 'a b'"),
        (["--stack", "other-1", "--sandbox"], " --sandbox"),
    ],
)
def test_a_hint_names_the_stack(
    typed: list[str], options: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it is not the default one."""
    command.main(typed, standalone_mode=False)
    assert capsys.readouterr().out == f"cli/payresult check paid-1{options}\n"


@pytest.mark.parametrize(
    ("called", "shown"),
    [("../cli/payresult", "../cli/payresult"), ("/my files/payresult", "'/my files/payresult'")],
)
def test_a_hint_begins_as_called(monkeypatch: pytest.MonkeyPatch, called: str, shown: str) -> None:
    """Quoted where a shell would split it."""
    monkeypatch.setenv("PAYRESULT_PROGRAM", called)
    assert program() == shown
    assert hint("list") == f"{shown} list"


def test_the_help_and_the_errors_name_the_program_as_it_was_called() -> None:
    """By the script, from another folder."""
    called = "../cli/payresult"
    arguments = [called, "check", "--nonsense"]
    ended = subprocess.run(  # noqa: S603 - our own program
        arguments, cwd=ROOT / "docs", capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert f"(see {called} check --help)" in ended.stderr
