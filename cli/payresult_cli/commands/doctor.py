"""`payresult doctor`: checks a deployed stack, and says what to do."""

from collections import Counter

import click

from payresult_cli.context import Context
from payresult_cli.doctor.check import Deployed, State
from payresult_cli.doctor.run import run_checks
from payresult_cli.formatting import format_count
from payresult_cli.options import stack_options

LABELS = {
    State.OK: ("ok", None),
    State.ATTENTION: ("ATTENTION", "red"),
    State.DENIED: ("NO ACCESS", "red"),
    State.UNCHECKED: ("unchecked", "yellow"),
}
"""How a line begins, and in which colour on a terminal."""


@click.command("doctor")
@stack_options
def command(context: Context) -> int:
    """Check a deployed stack, and say what to do.

    Writes a line for each check: ok, or what was found and what to do. Changes nothing, and asks
    the gateway nothing. Where a permission is missing it says which, and goes on. What the sandbox
    cannot show is unchecked. Exit code 1 if a line wants attention or lacks a permission.
    """
    counts: Counter[State] = Counter()
    for check, finding in run_checks(Deployed(context)):
        counts[finding.state] += 1
        record = {"check": check.name, "state": finding.state.value, "text": finding.text}
        label, colour = LABELS[finding.state]
        context.output(
            record, f"{click.style(f'{label:<9}', fg=colour)}  {check.name:<14}  {finding.text}"
        )
    total = format_count(counts.total(), "check")
    parts = [f"{counts[state]} {LABELS[state][0]}" for state in State if counts[state]]
    context.info(f"{total}: {', '.join(parts)}")
    return 1 if counts[State.ATTENTION] or counts[State.DENIED] else 0
