"""Three ways in which people follow payments instead, by what each check and event takes of AWS.

Modelled, not counted: nobody runs them here. Where a figure is not the design's own, it is ours,
which favours them: the same checks, the CPU of our code, our items' sizes. None of them finds
again what was lost on the way, nor sends an event again that the bus refused.
"""

from dataclasses import dataclass

from tests.benchmarks.durations import WAITS, billed, busy, measured
from tests.benchmarks.logs import PLATFORM_LOG
from tests.benchmarks.meter import GB
from tests.benchmarks.prices import Usage

RAW_LOG = 1024
"""Bytes that a handler logs which logs its event and the answer: an assumption."""

OWN_LOG = 300
"""Bytes of one line of JSON for a check: an assumption, a little less than ours."""


@dataclass(frozen=True, slots=True)
class Design:
    """One of them: what a check uses, and what the change to paid, with its event, uses more."""

    name: str
    check: Usage
    paid: Usage

    def payment(self, checks: float) -> Usage:
        """What a payment uses that is paid after *checks*."""
        names = self.check.keys() | self.paid.keys()
        return {name: checks * self.check.get(name, 0) + self.paid.get(name, 0) for name in names}


def designs() -> list[Design]:
    """Polling through a REST API; one message at a time; a state machine that waits."""
    alone = _milliseconds("gateway", "table", "table")
    paid = {"events": 1.0, "table write units": 1.0}  # the write is of a second KB, with the event
    return [
        Design(
            "the app polls a REST API: 512 MB x86, read and write each time, X-Ray on",
            {
                "REST API calls": 1,
                "X-Ray traces": 1,
                **_function("x86_64", 512, alone, RAW_LOG),
                "read units": 1,
                "table write units": 1,
            },
            paid,
        ),
        Design(
            "a queue, one message an invocation: 256 MB arm64, write each time",
            {
                "SQS requests": 3,  # sent, received, deleted
                **_function("arm64", 256, alone + WAITS["queue"], OWN_LOG),
                "read units": 1,
                "table write units": 1,
            },
            paid,
        ),
        Design(
            "Step Functions: Wait, Lambda task, Choice; write on change only",
            {
                "state transitions": 3,
                **_function("arm64", 256, _milliseconds("gateway"), OWN_LOG),
            },
            {"state transitions": 3, "table write units": 2, "events": 1},  # start, write, end
        ),
    ]


def _milliseconds(*edges: str) -> float:
    return sum(WAITS[edge] for edge in edges)


def _function(architecture: str, memory: int, wait: float, log: int) -> dict[str, float]:
    """What an invocation for one check uses, with the CPU that ours takes for one."""
    duration = billed(wait, busy("checks", 1, measured()), memory)
    return {
        "Lambda requests": 1,
        f"Lambda {architecture} GB-s": memory / 1024 * duration / 1000,
        "log GB": (log + len(PLATFORM_LOG)) / GB,
    }
