"""C23: all kinds of faults at the same time, for a day of virtual time."""

from random import Random

from botocore.exceptions import ClientError

from tests.fault_injection.crashes import AMOUNT, MAX_API_ATTEMPTS
from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.fake_aws import Call, Crash
from tests.support.fake_gateway import (
    DAY,
    MINUTE,
    SECOND,
    expected_paid,
    random_scenarios,
    script_for,
)
from tests.support.simulation import START, ClientWrapper, Simulation, unwrapped

CRASH_PROBABILITY = 0.01
THROTTLE_PROBABILITY = 0.02
ERROR_PROBABILITY = 0.05
FAULT_PHASE = DAY
AWS = {"register", "record", "succeed", "mark", "claim", "live", "postpone", "batch_get_item"}


def chaos(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """Run *size* payments with crashes, throttling, errors, duplicates and disabled functions."""
    pay_ids = [f"pay-{number}" for number in range(size)]
    scenarios = random_scenarios(pay_ids, START, rng, noise=0.1)
    simulation = Simulation(script_for(scenarios, rng), rng, wrap=wrap)
    _inject_faults(simulation, rng)
    for number, pay_id in enumerate(pay_ids):
        _submit(simulation, pay_id, rng)
        simulation.run(rng.choice((0, SECOND)))
        if number % 50 == 0:
            simulation.stream_enabled = rng.random() < 0.7
            simulation.sweeper_enabled = rng.random() < 0.7
        on_progress(number / size / 2)
    for hour in range(FAULT_PHASE // (60 * MINUTE)):
        simulation.stream_enabled, simulation.sweeper_enabled = (
            rng.random() < 0.7,
            rng.random() < 0.7,
        )
        simulation.run(60 * MINUTE)
        simulation.queue.redrive()
        on_progress(0.5 + hour / 48)
    simulation.queue.rejects = lambda _: False
    simulation.bus.entry_error, simulation.bus.call_error = lambda _: None, lambda: None
    simulation.run_to_completion()
    return CampaignRun(size, simulation.faults, simulation.verdict(expected_paid(scenarios)))


def _inject_faults(simulation: Simulation, rng: Random) -> None:
    def crash_or_throttle(call: Call) -> None:
        fraction = rng.random()
        throttled = fraction < CRASH_PROBABILITY + THROTTLE_PROBABILITY
        if fraction < CRASH_PROBABILITY:
            simulation.crash()
        elif throttled and call.when == "before" and call.kind in AWS:
            simulation.faults += 1
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, call.kind)

    def error(*codes: str) -> str | None:
        """Return one of *codes* with ERROR_PROBABILITY, otherwise None."""
        if rng.random() >= ERROR_PROBABILITY:
            return None
        simulation.faults += 1
        return rng.choice(codes)

    simulation.on_call = crash_or_throttle
    simulation.queue.redeliver_after = lambda: (
        [rng.choice((0, SECOND, MINUTE))] * (rng.random() < 0.2)
    )
    simulation.queue.rejects = lambda _: error("") is not None
    simulation.bus.entry_error = lambda _: error("InternalFailure", "ThrottlingException")
    simulation.bus.call_error = lambda: error("timeout", "InternalFailure")


def _submit(simulation: Simulation, pay_id: str, rng: Random) -> None:
    """Submit a payment by a message, or by the API with retries until it is registered."""
    if rng.random() < 0.7:
        simulation.send_order(pay_id, expectedAmount=AMOUNT)
        return
    for _ in range(MAX_API_ATTEMPTS):
        try:
            if simulation.put_payment(pay_id, expectedAmount=AMOUNT) == 202:
                return
        except Crash:
            pass
