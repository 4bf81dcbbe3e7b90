"""C1: a crash at each named point. C3: a stream or a sweeper that is switched off."""

from random import Random

from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.fake_aws import Call, Crash
from tests.support.fake_gateway import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Scenario,
    expected_paid,
    random_scenarios,
    script_for,
)
from tests.support.simulation import START, ClientWrapper, Simulation, unwrapped

POINTS = {
    "registered, not asked": "checks: after register",
    "before the gateway": "checks: before query",
    "after the gateway": "checks: after query",
    "before the next message": "checks: before send_message_batch",
    "sent, not recorded": "checks: after send_message_batch",
    "between records": "checks: after record",
    "paid, written": "checks: after succeed",
    "before deletion": "checks: before delete_message_batch",
    "before PutEvents": "publisher: before put_events",
    "after PutEvents": "publisher: after put_events",
    "between marks": "publisher: after mark",
    "sweeper, claimed": "sweeper: after claim",
    "sweeper, before sending": "sweeper: before send_message_batch",
    "sweeper, sent": "sweeper: after send_message_batch",
    "sweeper, after PutEvents": "sweeper: after put_events",
    "sweeper, between marks": "sweeper: after mark",
    "api, registered": "api: after register",
    "api, before the first message": "api: before send_message_batch",
    "api, live check": "api: after query",
    "api, paid, written": "api: after succeed",
}
"""The calls at which an invocation may end, by name."""

AMOUNT = "19.99"
MAX_API_ATTEMPTS = 25
FAULT_PHASE = 3 * DAY
CRASH_PROBABILITY = 0.5


def crash_at(point: str, wrap: ClientWrapper = unwrapped) -> "CrashCampaign":
    """Return the campaign of one point."""
    return CrashCampaign(point, wrap)


class CrashCampaign:
    """Ends every second invocation (at random) that comes to *point*; messages come twice."""

    def __init__(self, point: str, wrap: ClientWrapper) -> None:
        self._point = POINTS[point]
        self._wrap = wrap

    def __call__(self, size: int, rng: Random, on_progress: OnProgress) -> CampaignRun:
        """Run *size* payments."""
        pay_ids = [f"pay-{number}" for number in range(size)]
        scenarios = random_scenarios(pay_ids, START, rng, noise=0.1)
        simulation = Simulation(script_for(scenarios, rng), rng, wrap=self._wrap)
        simulation.queue.redeliver_after = lambda: [rng.choice((0, SECOND, 40 * SECOND))]
        simulation.stream_enabled = not self._point.startswith("sweeper")

        def crash(call: Call) -> None:
            if str(call) == self._point and rng.random() < CRASH_PROBABILITY:
                simulation.crash()

        simulation.on_call = crash
        submit_payments(
            simulation, pay_ids, by_api=self._point.startswith("api"), on_progress=on_progress
        )
        simulation.run(FAULT_PHASE)
        simulation.run_to_completion()
        problems = () if simulation.faults else (f"never reached {self._point}",)
        return CampaignRun(
            size, simulation.faults, simulation.verdict(expected_paid(scenarios)), problems
        )


def submit_payments(
    simulation: Simulation, pay_ids: list[str], *, by_api: bool, on_progress: OnProgress
) -> None:
    """Submit payments, three per second, by messages or by the HTTP API."""
    for number, pay_id in enumerate(pay_ids):
        if by_api:
            _register_by_api(simulation, pay_id)
        else:
            simulation.send_order(pay_id, expectedAmount=AMOUNT)
        if number % 3 == 2:
            simulation.run(SECOND)
        on_progress(number / len(pay_ids))


def _register_by_api(simulation: Simulation, pay_id: str) -> None:
    """PUT and GET a payment; retry after each crash, as callers do after a 5xx."""
    registered = False
    for _ in range(MAX_API_ATTEMPTS):
        try:
            if not registered:
                simulation.put_payment(pay_id, expectedAmount=AMOUNT)
                registered = True
            simulation.get_payment(pay_id)
        except Crash:
            simulation.run(3 * SECOND)
        else:
            return


def stream_dead(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """The stream is switched off: the sweeper sends all events."""
    return _run_disabled(size, rng, on_progress, wrap, stream=False, sweeper=True)


def sweeper_dead(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """The sweeper is switched off: checks via the queue complete without it, despite crashes."""
    return _run_disabled(size, rng, on_progress, wrap, stream=True, sweeper=False)


def both_dead(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """Both are switched off for hours, then on again."""
    return _run_disabled(size, rng, on_progress, wrap, stream=False, sweeper=False)


def _run_disabled(
    size: int,
    rng: Random,
    on_progress: OnProgress,
    wrap: ClientWrapper,
    *,
    stream: bool,
    sweeper: bool,
) -> CampaignRun:
    pay_ids = [f"pay-{number}" for number in range(size)]
    delays = (0, 20 * SECOND, 4 * MINUTE, 30 * MINUTE)
    scenarios = {pay_id: Scenario(START + rng.choice(delays)) for pay_id in pay_ids}
    simulation = Simulation(script_for(scenarios, rng), rng, wrap=wrap)
    simulation.stream_enabled, simulation.sweeper_enabled = stream, sweeper

    def crash(call: Call) -> None:
        # A crash of the publisher could use up the stream's four attempts; then only the sweeper
        # would send the event.
        if call.function == "checks" and rng.random() < 0.02:
            simulation.crash()

    simulation.on_call = crash
    submit_payments(simulation, pay_ids, by_api=False, on_progress=on_progress)
    for _ in range(4):  # dead letters are redriven every three hours
        simulation.run(3 * HOUR)
        simulation.queue.redrive()
    simulation.on_call = lambda _: None
    simulation.run(3 * HOUR)
    problems = () if stream or sweeper else _unsent_after_return(simulation)
    return CampaignRun(
        size, simulation.faults, simulation.verdict(expected_paid(scenarios)), problems
    )


def _unsent_after_return(simulation: Simulation) -> tuple[str, ...]:
    simulation.stream.clear()  # its records expire after 24 hours
    simulation.stream_enabled = simulation.sweeper_enabled = True
    simulation.run(2 * MINUTE)
    unsent = simulation.verdict().stuck
    return (f"{len(unsent)} events unsent after two sweeps",) if unsent else ()
