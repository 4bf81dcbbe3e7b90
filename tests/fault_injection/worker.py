"""A process that runs the real functions, wired as deployed.

It loads the four functions and forks: the child answers invocations, lines of JSON, in the same
way. Where the child is killed, the next one is there at once. The environment tells where AWS and
the gateway are; the clock is what the campaign says, for an invocation brings its time with it.
"""

import importlib
import json
import os
import sys
import time
from types import ModuleType
from typing import IO, Any

FUNCTIONS = ("api", "checks", "publisher", "sweeper")


class Clock:
    """The time of the campaign, going on as the real one does."""

    def __init__(self) -> None:
        self._real = time.time
        self._ahead = 0.0

    def set(self, now: float) -> None:
        """It is *now*, in seconds since 1970."""
        self._ahead = now - self._real()

    def __call__(self) -> float:
        """The time."""
        return self._real() + self._ahead


def serve(apps: dict[str, ModuleType], clock: Clock, answers: IO[str]) -> None:
    """Answer invocations until there are no more."""
    while line := sys.stdin.readline():
        invocation: dict[str, Any] = json.loads(line)
        clock.set(invocation["now"])
        try:
            answer = {"answer": apps[invocation["name"]].handler(invocation["event"], None)}
        except Exception as error:  # noqa: BLE001 - Lambda tells of whatever it was
            answer = {"error": type(error).__name__}
        tell(answers, answer)


def tell(answers: IO[str], answer: dict[str, Any]) -> None:
    """Write a line."""
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def main() -> None:
    """Keep a child at work until it ends by itself."""
    clock = Clock()
    time.time = clock  # the functions take it from there when they are loaded
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where the functions log to
    apps = {name: importlib.import_module(f"functions.{name}.app") for name in FUNCTIONS}
    status = 1
    while status != 0:
        child = os.fork()
        if child == 0:
            serve(apps, clock, answers)
            os._exit(0)
        tell(answers, {"pid": child})
        _, status = os.waitpid(child, 0)
        tell(answers, {"ended": status})


if __name__ == "__main__":
    main()
