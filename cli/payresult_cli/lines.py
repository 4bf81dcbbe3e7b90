"""Runs command lines that another program writes: each a JSON list on a line of stdin.

All work on the stack that is this program's argument, whichever they name: so the command lines
that they advise are those of a user. For each, a line of stdout has a JSON list: the exit code,
and what the command wrote to stdout. The sandbox's page asks in this way, for Python and boto3
need half a second to start.
"""

import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from typing import TextIO

from payresult_cli.app import main
from payresult_cli.context import Dependencies
from payresult_cli.stack import Stack, load_stack


def serve(source: TextIO, target: TextIO, dependencies: Dependencies) -> None:
    """Run the commands of *source* one after the other, until it ends."""
    for line in source:
        written = StringIO()
        with redirect_stdout(written), redirect_stderr(StringIO()):
            code = main(json.loads(line), dependencies)
        target.write(json.dumps([code, written.getvalue()]) + "\n")
        target.flush()


def _load_stack(_name: str, *, sandbox: bool) -> Stack:
    del sandbox
    return load_stack(sys.argv[1], sandbox=False)


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout, Dependencies(load_stack=cache(_load_stack)))
