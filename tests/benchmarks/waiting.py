"""From paid to told, for an app that waits: the real handlers, beside the chain, simulated.

The app calls GET /payments/{payId}/wait?seconds=20 again and again until it is told.
"""

import io
from contextlib import redirect_stdout
from random import Random
from statistics import fmean, median

from payresult.domain.schedule import Schedule
from payresult.settings import MAX_WAIT_SECONDS
from tests.benchmarks.durations import WAITS
from tests.benchmarks.payers import Latency, Payers
from tests.support.fake_gateway import DAY, GatewayResponse, json_response
from tests.support.functions import Client
from tests.support.simulation import START, Simulation

SIZE = 200
NETWORK_MS = 100
"""Assumed, from an answer of the API to the app's next call at the API."""


def simulate_waiting(schedule: Schedule, payers: Payers, size: int = SIZE) -> Latency:
    """Return what apps of *size* such payers wait, from paid to told; the same in each run.

    ``checks`` are the questions of a payment, those of the chain and of the waiting app.
    """
    rng = Random(payers.name)  # noqa: S311 - the same in each run
    seconds, questions = [], 0
    with redirect_stdout(io.StringIO()):  # the functions' logs
        for number in range(size):
            told, asked = _told(f"pay-{number}", payers.delay(rng), schedule, rng)
            seconds.append(told)
            questions += asked
    seconds.sort()
    p95 = seconds[int(0.95 * size)]
    return Latency(fmean(seconds), median(seconds), p95, questions / size, 0.0)


def _told(pay_id: str, delay: float, schedule: Schedule, rng: Random) -> tuple[float, int]:
    """Return the seconds from paid to told, and the number of questions."""
    paid_at = START + round(delay * 1000)

    def script(pay_id: str, _earlier_queries: int, now: int) -> GatewayResponse:
        return json_response(pay_id, "success" if now >= paid_at else "waiting")

    simulation = Simulation(script, rng, delays=schedule.delays, wrap=_answering_late)
    simulation.put_payment(pay_id)
    while simulation.wait_for(pay_id, MAX_WAIT_SECONDS)[1]["status"] == "PENDING":
        simulation.sleep(NETWORK_MS / 1000)
        if simulation.now > START + DAY * 365:
            raise AssertionError("never told")
    return max(simulation.now - paid_at, 0) / 1000, len(simulation.gateway.log)


class _LateGateway:
    """The gateway as the api function sees it: it answers after a while."""

    def __init__(self, simulation: Simulation, gateway: Client) -> None:
        self._simulation = simulation
        self._gateway = gateway

    def query(self, pay_id: str) -> GatewayResponse:
        """Answer what is known when half of the time has passed."""
        self._simulation.sleep(WAITS["gateway"] / 2000)
        answer: GatewayResponse = self._gateway.query(pay_id=pay_id)
        self._simulation.sleep(WAITS["gateway"] / 2000)
        return answer


def _answering_late(
    simulation: Simulation, function: str, dependency: str, client: Client
) -> Client:
    late = (function, dependency) == ("api", "gateway")
    return _LateGateway(simulation, client) if late else client
