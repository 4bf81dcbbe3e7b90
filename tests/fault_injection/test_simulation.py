"""Contract of the simulation: it does what AWS's pages say where the handlers depend on it."""

from random import Random
from typing import Any

from tests.support.fake_aws import VISIBILITY_TIMEOUT_MS, Call
from tests.support.fake_gateway import SECOND, UNAVAILABLE
from tests.support.simulation import START, Simulation


class _FailingHost:
    """Records the SentTimestamp of each message that it is given, and fails all of them."""

    def __init__(self) -> None:
        self.sent_at: list[str] = []

    def invoke(self, _name: str, event: dict[str, Any]) -> Any:
        """Fail each record."""
        self.sent_at += [record["attributes"]["SentTimestamp"] for record in event["Records"]]
        return {
            "batchItemFailures": [
                {"itemIdentifier": each["messageId"]} for each in event["Records"]
            ]
        }


def test_a_redelivery_keeps_the_time_at_which_the_message_was_sent() -> None:
    """Also of a delayed message; only a redrive from the dead-letter queue makes a new one."""
    simulation = Simulation(lambda *_: UNAVAILABLE, Random(1))  # noqa: S311 - repeatable, not secret
    host = simulation.host = _FailingHost()
    simulation.sweeper_enabled = False
    simulation.queue.put("{}", delay=60)
    simulation.run(60_000 + 5 * VISIBILITY_TIMEOUT_MS)
    assert host.sent_at == [str(START)] * 5
    simulation.queue.redrive()
    simulation.run(0)
    assert host.sent_at[5:] == [str(simulation.now)]


def test_the_clock_never_goes_back_when_a_sweep_crashes() -> None:
    """The next sweep comes a minute later, also where the run ends before that."""
    simulation = Simulation(lambda *_: UNAVAILABLE, Random(1))  # noqa: S311 - repeatable, not secret
    simulation.checks_enabled = False
    simulation.put_payment("pay-1")

    def crash_each_sweep(call: Call) -> None:
        if call.function == "sweeper":
            simulation.crash()

    simulation.on_call = crash_each_sweep
    while not simulation.faults:
        crashed_at = simulation.now
        simulation.run(SECOND)
    assert simulation.now > crashed_at + SECOND
