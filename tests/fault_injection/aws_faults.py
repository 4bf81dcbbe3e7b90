"""P1 to P3: C4 PutEvents rejects, fails or times out; C23 all kinds of faults at the same time."""

import json
from random import Random

from botocore.exceptions import ClientError

from tests.fault_injection.crashes import (
    AMOUNT,
    MAX_API_ATTEMPTS,
    pay_ids_of,
    random_payments,
    submit_payments,
)
from tests.fault_injection.results import Play, Run
from tests.support.fake_aws import Call, Crash
from tests.support.fake_gateway import HOUR, MINUTE, SECOND, Scenario, expected_paid, script_for
from tests.support.simulation import START, Simulation

CRASH_PROBABILITY = 0.01
THROTTLE_PROBABILITY = 0.02
ERROR_PROBABILITY = 0.05
AWS = {"register", "record", "succeed", "mark", "claim", "live", "postpone", "batch_get_item"}


def put_events(*, entries: float = 0, calls: float = 0, code: str = "", poison: int = 0) -> Play:
    """Return the campaign in which payments are paid within a minute; PutEvents fails six hours.

    A share of all *entries* is rejected, a share of all *calls* fails with *code* (see ``Bus``),
    every *poison*-th event makes each call that has it fail.
    """

    def play(run: Run) -> None:
        pay_ids = pay_ids_of(run.size)
        scenarios = {pay_id: Scenario(START + run.rng.choice((0, 0, MINUTE))) for pay_id in pay_ids}
        poisoned = set(pay_ids[::poison]) if poison else set()
        simulation = run.simulate(script_for(scenarios, run.rng))

        def entry_error(detail: str) -> str | None:
            if json.loads(detail)["data"]["payId"] in poisoned:
                simulation.faults += 1
                return "poison"
            return _fault(simulation, run.rng, entries, "ThrottlingException")

        simulation.bus.entry_error = entry_error
        simulation.bus.call_error = lambda: _fault(simulation, run.rng, calls, code)
        submit_payments(run, simulation)
        simulation.run(6 * HOUR)
        delayed = set(simulation.verdict().lost) - poisoned
        if poisoned and delayed:
            run.problems.append(f"{len(delayed)} events delayed by poison")
        simulation.bus.entry_error, simulation.bus.call_error = lambda _: None, lambda: None
        simulation.run_to_completion()
        run.judge(simulation, expected_paid(scenarios))

    return play


def _fault(simulation: Simulation, rng: Random, share: float, *codes: str) -> str | None:
    """Return one of *codes* with the probability *share*, otherwise None."""
    if rng.random() >= share:
        return None
    simulation.faults += 1
    return rng.choice(codes)


def chaos(run: Run) -> None:
    """Run a day of crashes, throttling, errors, duplicates and disabled functions."""
    simulation, paid = random_payments(run)
    _inject_faults(simulation, run.rng)
    for number in run.numbers():
        _submit(simulation, f"pay-{number}", run.rng)
        simulation.run(run.rng.choice((0, SECOND)))
        if number % 50 == 0:
            _switch(simulation, run.rng)
    for _ in range(24):
        _switch(simulation, run.rng)
        simulation.run(HOUR)
        simulation.queue.redrive()
    simulation.queue.rejects = lambda _: False
    simulation.bus.entry_error, simulation.bus.call_error = lambda _: None, lambda: None
    simulation.run_to_completion()
    run.judge(simulation, paid)


def _switch(simulation: Simulation, rng: Random) -> None:
    simulation.stream_enabled = rng.random() < 0.7
    simulation.sweeper_enabled = rng.random() < 0.7


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
        return _fault(simulation, rng, ERROR_PROBABILITY, *codes)

    simulation.on_call = crash_or_throttle
    simulation.queue.redeliver_after = lambda: (
        [rng.choice((0, SECOND, MINUTE))] * (rng.random() < 0.2)
    )
    simulation.queue.rejects = lambda _: error("rejected") is not None
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
