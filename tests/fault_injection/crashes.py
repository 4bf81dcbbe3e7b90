"""P1, never lost: C1 a crash at each named point, C3 stream or sweeper dead, C25 killed sweeps."""

from tests.fault_injection.results import Play, Run
from tests.support.fake_aws import Call, Crash
from tests.support.fake_gateway import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    GatewayResponse,
    Scenario,
    expected_paid,
    json_response,
    random_scenarios,
    script_for,
)
from tests.support.simulation import START, Simulation

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
PIECE = 100
"""What the sweeper claims before it sends it."""


def pay_ids_of(size: int) -> list[str]:
    """Return *size* payIds."""
    return [f"pay-{number}" for number in range(size)]


def random_payments(run: Run, noise: float = 0.1) -> tuple[Simulation, set[str]]:
    """Return a simulation with random payers, and the payIds that need an event."""
    scenarios = random_scenarios(pay_ids_of(run.size), START, run.rng, noise=noise)
    return run.simulate(script_for(scenarios, run.rng)), expected_paid(scenarios)


def crash_at(name: str) -> Play:
    """Return the campaign in which every second invocation (at random) ends at a point.

    Messages come twice.
    """
    point = POINTS[name]

    def play(run: Run) -> None:
        simulation, paid = random_payments(run)
        simulation.queue.redeliver_after = lambda: [run.rng.choice((0, SECOND, 40 * SECOND))]
        simulation.stream_enabled = not point.startswith("sweeper")

        def crash(call: Call) -> None:
            if str(call) == point and run.rng.random() < CRASH_PROBABILITY:
                simulation.crash()

        simulation.on_call = crash
        submit_payments(run, simulation, by_api=point.startswith("api"))
        simulation.run(FAULT_PHASE)
        simulation.run_to_completion()
        run.judge(simulation, paid)
        run.problems += [] if run.faults else [f"never reached {point}"]

    return play


def submit_payments(run: Run, simulation: Simulation, *, by_api: bool = False) -> None:
    """Submit payments, three per second, by messages or by the HTTP API."""
    for number in run.numbers():
        if by_api:
            _register_by_api(simulation, f"pay-{number}")
        else:
            simulation.send_order(f"pay-{number}", expectedAmount=AMOUNT)
        if number % 3 == 2:
            simulation.run(SECOND)


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


def disabled(*names: str) -> Play:
    """Return the campaign with the stream, the sweeper or both switched off.

    Without the stream the sweeper sends all events; without the sweeper checks complete via the
    queue, despite crashes; without both everything is sent after their return.
    """

    def play(run: Run) -> None:
        delays = (0, 20 * SECOND, 4 * MINUTE, 30 * MINUTE)
        scenarios = {
            pay_id: Scenario(START + run.rng.choice(delays)) for pay_id in pay_ids_of(run.size)
        }
        simulation = run.simulate(script_for(scenarios, run.rng))
        for name in names:
            setattr(simulation, f"{name}_enabled", False)

        def crash(call: Call) -> None:
            # A crash of the publisher could use up the stream's four attempts; then only the
            # sweeper would send the event.
            if call.function == "checks" and run.rng.random() < 0.02:
                simulation.crash()

        simulation.on_call = crash
        submit_payments(run, simulation)
        for _ in range(4):  # dead letters are redriven every three hours
            simulation.run(3 * HOUR)
            simulation.queue.redrive()
        simulation.on_call = lambda _: None
        simulation.run(3 * HOUR)
        run.problems += _unsent_after_return(simulation) if len(names) == 2 else []
        run.judge(simulation, expected_paid(scenarios))

    return play


def _unsent_after_return(simulation: Simulation) -> list[str]:
    simulation.stream.clear()  # its records expire after 24 hours
    simulation.stream_enabled = simulation.sweeper_enabled = True
    simulation.run(2 * MINUTE)
    unsent = simulation.verdict().stuck
    return [f"{len(unsent)} events unsent after two sweeps"] if unsent else []


def killed_sweeps(run: Run) -> None:
    """The checks of *size* payments are lost; each sweep is killed at a call until all are sent."""

    def script(pay_id: str, _earlier_queries: int, now: int) -> GatewayResponse:
        return json_response(pay_id, "success" if now > START + HOUR else "waiting")

    simulation = run.simulate(script)
    pay_ids = pay_ids_of(run.size)
    for pay_id in pay_ids:
        simulation.send_order(pay_id, expectedAmount=AMOUNT)
    simulation.sweeper_enabled = False
    simulation.run(MINUTE)
    simulation.queue.waiting.clear()
    simulation.now += 2 * HOUR
    for sweep in range(20):
        run.problems += _killed_sweep(simulation, run.rng.randrange(1, 2 * run.size))
        simulation.now += 11 * MINUTE
        run.on_progress(sweep / 20)
    simulation.run_to_completion()
    run.judge(simulation, set(pay_ids))


def _killed_sweep(simulation: Simulation, calls: int) -> list[str]:
    """Kill a sweep after a number of claims and messages; return a problem if it sent too few."""
    left, claimed, queued = calls, 0, len(simulation.queue.waiting)

    def kill(call: Call) -> None:
        nonlocal left, claimed
        claimed += str(call) == "sweeper: after claim"
        left -= call.kind in {"claim", "send_message_batch"}
        if left == 0:
            simulation.crash()

    simulation.on_call = kill
    simulation.sweep()
    simulation.on_call = lambda _: None
    sent = len(simulation.queue.waiting) - queued
    return [f"{claimed} checks claimed, {sent} sent"] if claimed - sent > PIECE else []
