"""Models of four other designs for polling payments: what a check and an event use of AWS.

They are not run. Figures that a design does not determine are payresult's, which favours them:
the number of checks, the CPU, the item sizes. None of them recovers lost messages or retries events
that the bus rejects.
"""

from dataclasses import dataclass

from tests.benchmarks.durations import WAITS, billed_ms, cpu_ms, measured
from tests.benchmarks.logs import PLATFORM_LOG
from tests.benchmarks.meter import GB
from tests.benchmarks.prices import Usage

RAW_LOG = 1024
"""Bytes of log of a handler that logs its event and the response: an assumption."""

OWN_LOG = 300
"""Bytes of one line of JSON for a check: an assumption, slightly less than payresult's."""


@dataclass(frozen=True, slots=True)
class Design:
    """What a check uses, and what the change to paid with its event uses additionally."""

    name: str
    check: Usage
    paid: Usage

    def payment(self, checks: float) -> Usage:
        """Return what a payment uses that is paid after *checks*."""
        names = self.check.keys() | self.paid.keys()
        return {name: checks * self.check.get(name, 0) + self.paid.get(name, 0) for name in names}


def designs() -> list[Design]:
    """Return a polled REST API, single messages, a state machine and a durable function."""
    duration = _milliseconds("gateway", "table", "table")
    paid = {"events": 1.0, "table write units": 1.0}  # a second KB, for the event
    return [
        Design(
            "the app polls a REST API: 512 MB x86, read and write each time, X-Ray on",
            {
                "REST API calls": 1,
                "X-Ray traces": 1,
                **_function("x86_64", 512, duration, RAW_LOG),
                "read units": 1,
                "table write units": 1,
            },
            paid,
        ),
        Design(
            "a queue, one message an invocation: 256 MB arm64, write each time",
            {
                "SQS requests": 3,  # sent, received, deleted
                **_function("arm64", 256, duration + WAITS["queue"], OWN_LOG),
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
        # What is checkpointed and retained is left out: some hundred bytes a step.
        Design(
            "durable functions: a step and a wait for each check; write on change only",
            {
                "durable operations": 2,
                **_function("arm64", 256, _milliseconds("gateway"), OWN_LOG),
            },
            {"durable operations": 1, "table write units": 2, "events": 1},  # the start
        ),
    ]


def _milliseconds(*dependencies: str) -> float:
    return sum(WAITS[dependency] for dependency in dependencies)


def _function(architecture: str, memory: int, wait: float, log: int) -> dict[str, float]:
    """Return what an invocation for one check uses, with the CPU time of payresult's."""
    duration = billed_ms(wait, cpu_ms("checks", 1, measured()), memory)
    return {
        "Lambda requests": 1,
        f"Lambda {architecture} GB-s": memory / 1024 * duration / 1000,
        "log GB": (log + len(PLATFORM_LOG)) / GB,
    }
