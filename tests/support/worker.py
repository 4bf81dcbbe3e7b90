"""A process that runs the real functions with the clients that ``bootstrap`` builds.

It imports the four functions and forks. The child reads invocations and writes results, both as
lines of JSON; when the child is killed, the parent forks the next one. The environment has the
addresses of AWS and of the gateway. Each invocation carries the campaign's virtual time.
"""

import importlib
import json
import os
import sys
import time
from types import ModuleType, SimpleNamespace
from typing import IO, Any

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 50_000)
FUNCTIONS = ("api", "checks", "publisher", "sweeper")


class Clock:
    """The virtual time of the campaign; it advances as fast as the real time."""

    def __init__(self) -> None:
        self._real = time.time
        self._ahead = 0.0

    def set(self, now: float) -> None:
        """Set the time to *now*, in seconds since 1970."""
        self._ahead = now - self._real()

    def __call__(self) -> float:
        """Return the time in seconds since 1970."""
        return self._real() + self._ahead


def serve(apps: dict[str, ModuleType], clock: Clock, output: IO[str]) -> None:
    """Run invocations until the end of standard input."""
    while line := sys.stdin.readline():
        invocation: dict[str, Any] = json.loads(line)
        clock.set(invocation["now"])
        try:
            message = {"result": apps[invocation["name"]].handler(invocation["event"], CONTEXT)}
        except Exception as error:  # noqa: BLE001 - Lambda reports every error
            message = {"error": type(error).__name__}
        write_message(output, message)


def write_message(output: IO[str], message: dict[str, Any]) -> None:
    """Write *message* as a line of JSON."""
    output.write(json.dumps(message) + "\n")
    output.flush()


def main() -> None:
    """Fork a child, and another one whenever it was killed, until one ends by itself."""
    clock = Clock()
    time.time = clock  # the functions take the clock from there when they are imported
    output = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # discards the functions' logs
    apps = {name: importlib.import_module(f"functions.{name}.app") for name in FUNCTIONS}
    status = 1
    while status != 0:
        child = os.fork()
        if child == 0:
            serve(apps, clock, output)
            os._exit(0)
        write_message(output, {"pid": child})
        _, status = os.waitpid(child, 0)
        write_message(output, {"ended": status})


if __name__ == "__main__":
    main()
