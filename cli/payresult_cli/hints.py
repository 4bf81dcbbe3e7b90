"""Command lines that texts advise, as the user would type them where this command was typed."""

import os
import shlex

import click

_DEFAULT_STACK = "payresult"


def program() -> str:
    """How this program was called, as cli/payresult says: by that name or by a longer path."""
    return shlex.quote(os.environ.get("PAYRESULT_PROGRAM") or "cli/payresult")


def hint(command: str, *arguments: str) -> str:
    """A command line to paste: with this call's --sandbox or --stack after *arguments*."""
    context = click.get_current_context(silent=True)
    chosen = context.params if context else {}
    stack = chosen.get("stack") or _DEFAULT_STACK
    options = ["--sandbox"] if chosen.get("sandbox") else []
    if not options and stack != _DEFAULT_STACK:
        options = ["--stack", shlex.quote(stack)]
    return " ".join([program(), command, *arguments, *options])
