"""C4: PutEvents rejects entries, fails, times out after acceptance, or fails for one event."""

import json
from random import Random

from tests.fault_injection.crashes import submit_payments
from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.fake_gateway import HOUR, MINUTE, Scenario, expected_paid, script_for
from tests.support.simulation import START, ClientWrapper, Simulation, unwrapped

FAULT_PHASE = 6 * HOUR


def reject_entries(share: float, wrap: ClientWrapper = unwrapped) -> "PutEventsFaults":
    """Return the campaign in which PutEvents rejects a share of all entries."""
    return PutEventsFaults(wrap, entries=share)


def fail_calls(code: str, share: float, wrap: ClientWrapper = unwrapped) -> "PutEventsFaults":
    """Return the campaign in which a share of all calls fails with *code* (see ``Bus``)."""
    return PutEventsFaults(wrap, code=code, calls=share)


def poison_entries() -> "PutEventsFaults":
    """Return the campaign in which every tenth event makes each call that has it fail."""
    return PutEventsFaults(unwrapped, poison=10)


class PutEventsFaults:
    """Payments are paid within a minute; PutEvents has faults for six hours."""

    def __init__(
        self,
        wrap: ClientWrapper,
        *,
        entries: float = 0,
        calls: float = 0,
        code: str = "",
        poison: int = 0,
    ) -> None:
        self._wrap = wrap
        self._entries = entries
        self._calls = calls
        self._code = code
        self._poison = poison

    def __call__(self, size: int, rng: Random, on_progress: OnProgress) -> CampaignRun:
        """Send the events of *size* payments."""
        pay_ids = [f"pay-{number}" for number in range(size)]
        scenarios = {pay_id: Scenario(START + rng.choice((0, 0, MINUTE))) for pay_id in pay_ids}
        poison = set(pay_ids[:: self._poison]) if self._poison else set()
        simulation = Simulation(script_for(scenarios, rng), rng, wrap=self._wrap)
        self._inject_faults(simulation, poison, rng)
        submit_payments(simulation, pay_ids, by_api=False, on_progress=on_progress)
        simulation.run(FAULT_PHASE)
        problems = self._not_isolated(simulation, poison)
        simulation.bus.entry_error, simulation.bus.call_error = lambda _: None, lambda: None
        simulation.run_to_completion()
        return CampaignRun(
            size, simulation.faults, simulation.verdict(expected_paid(scenarios)), problems
        )

    def _inject_faults(self, simulation: Simulation, poison: set[str], rng: Random) -> None:
        def entry_error(detail: str) -> str | None:
            pay_id = json.loads(detail)["data"]["payId"]
            if pay_id in poison:
                code = "poison"
            elif rng.random() < self._entries:
                code = "ThrottlingException"
            else:
                return None
            simulation.faults += 1
            return code

        def call_error() -> str | None:
            if rng.random() >= self._calls:
                return None
            simulation.faults += 1
            return self._code

        simulation.bus.entry_error, simulation.bus.call_error = entry_error, call_error

    def _not_isolated(self, simulation: Simulation, poison: set[str]) -> tuple[str, ...]:
        """Return a problem if poison events kept other events from being sent."""
        delayed = set(simulation.verdict().lost) - poison
        return (f"{len(delayed)} events delayed by poison",) if poison and delayed else ()
