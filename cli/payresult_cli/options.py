"""Options that commands share, and types of their values."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from payresult_cli.context import Context, Dependencies
from payresult_cli.formatting import parse_age, parse_time

Value = TypeVar("Value")
Command = Callable[..., Any]

MAX_REASON_CHARACTERS = 200


class ParsedParam(click.ParamType[Value]):
    """A value that *parse* returns; where it returns None, the value is rejected with *reason*."""

    def __init__(self, name: str, parse: Callable[[str], Value | None], reason: str) -> None:
        self.name = name
        self._parse = parse
        self._reason = reason

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Value:
        """Return the parsed value."""
        parsed = self._parse(str(value))
        if parsed is None:
            self.fail(f"{str(value)[:80]!r} {self._reason}", param, ctx)
        return parsed


def _pay_id(text: str) -> str | None:
    from payresult.errors import InvalidInput  # noqa: PLC0415 - `--help` does not import pydantic
    from payresult.schemas.requests import parse_pay_id  # noqa: PLC0415 - as above

    try:
        return parse_pay_id(text)
    except InvalidInput:
        return None


def _reason(text: str) -> str | None:
    return text if 0 < len(text.strip()) <= MAX_REASON_CHARACTERS and text.isprintable() else None


PAY_ID = ParsedParam(
    "payid",
    _pay_id,
    "is not a payId: write 1 to 128 of A-Z a-z 0-9 _ . : ~ - (not . : ~ - first)",
)
AGE = ParsedParam("age", parse_age, "is not an age: write 90s, 15m, 2h or 7d")
TIME = ParsedParam(
    "time", parse_time, "is not a time: write 2026-11-22T10:00Z, or 2026-11-22 (UTC)"
)

REASON = ParsedParam(
    "text", _reason, f"is not a reason: write 1 to {MAX_REASON_CHARACTERS} characters on one line"
)


def reason_option(command: Command) -> Command:
    """Add --reason, which an operator's decision must have."""
    return click.option(
        "--reason", type=REASON, required=True, help="Why; kept in the payment's history."
    )(command)


def output_option(command: Command) -> Command:
    """Add --json to a command that works without a stack; it gets a Context as stack_options do."""

    @click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
    @click.pass_context
    @wraps(command)
    def with_context(ctx: click.Context, /, *, as_json: bool, **values: Any) -> Any:
        dependencies = ctx.find_object(Dependencies) or Dependencies()
        return command(Context("", False, as_json, dependencies), **values)  # noqa: FBT003 - no sandbox

    return with_context


def stack_options(command: Command) -> Command:
    """Add the options that choose a stack; *command* gets a Context as its first argument."""

    @click.option("--stack", default="payresult", show_default=True, help="Name of the stack.")
    @click.option("--sandbox", is_flag=True, help="Work on the sandbox that runs in this clone.")
    @click.option("--json", "as_json", is_flag=True, help="Write one JSON object per line.")
    @click.pass_context
    @wraps(command)
    def with_context(
        ctx: click.Context, /, *, stack: str, sandbox: bool, as_json: bool, **values: Any
    ) -> Any:
        dependencies = ctx.find_object(Dependencies) or Dependencies()
        return command(Context(stack, sandbox, as_json, dependencies), **values)

    return with_context


def confirm_options(command: Command) -> Command:
    """Add the options of a command that makes changes: --dry-run and --yes."""
    dry_run = click.option(
        "--dry-run", is_flag=True, help="Show what would change, and change nothing."
    )
    yes = click.option("--yes", is_flag=True, help="Do not ask before the change.")
    return dry_run(yes(command))
