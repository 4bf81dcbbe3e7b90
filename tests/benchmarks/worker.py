"""Calls a handler a number of times and measures each call. Imports nothing of this repository.

It reads lines of JSON, ``{"event": ..., "times": ...}``, and writes lines of JSON: the seconds of
each call and the last result. The handler's own output is discarded.
"""

import importlib
import json
import os
import sys
import time
from types import SimpleNamespace
from typing import Any

CONTEXT = SimpleNamespace(
    function_name="payresult",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:payresult",
    aws_request_id="00000000-0000-4000-8000-000000000000",
    get_remaining_time_in_millis=lambda: 20_000,
)


def main() -> None:
    """Serve until the end of standard input."""
    output = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    module, _, name = sys.argv[1].partition(".")
    handler = getattr(importlib.import_module(module), name)
    for line in sys.stdin:
        request = json.loads(line)
        output.write(json.dumps(measure(handler, request["event"], request["times"])) + "\n")


def measure(handler: Any, event: Any, times: int) -> dict[str, Any]:
    """Call *handler* and return its times and its last result."""
    seconds, result = [], None
    for _ in range(times):
        start = time.perf_counter()
        result = handler(event, CONTEXT)
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "result": result}


if __name__ == "__main__":
    main()
