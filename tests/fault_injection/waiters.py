"""P6, P7: C28 apps that wait for a payment while the gateway is down, and the table now and then.

Each try is one payment, which is paid in the outage or after it, with up to 15 apps that wait for
it at the same time, and call again until they are told.
"""

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from payresult.services.payments import WAIT_CHECK_INTERVAL_MS
from tests.fault_injection.results import Run
from tests.support.fake_aws import Call
from tests.support.fake_gateway import (
    HTML_PAGE,
    SECOND,
    SILENCE,
    UNAVAILABLE,
    GatewayResponse,
    json_response,
)
from tests.support.functions import Client
from tests.support.memory_table import client_error
from tests.support.simulation import START, ClientWrapper, Simulation, unwrapped
from tests.support.waiters import Waiters

PAY_ID = "pay-1"
MOST_APPS = 15
BUSY = GatewayResponse(429, b"{}", retry_after="30")
TROUBLE = (SILENCE, UNAVAILABLE, HTML_PAGE, BUSY)
DEADLINE = 5 * SECOND
"""Of a question that is not answered."""

CALL_MS = 10
"""The longest call to DynamoDB; two callers can make theirs at the same time."""

TOLD_WITHIN = 12 * SECOND
"""From paid, or the end of the outage: a question in silence (5 s), a second's pause, 2.8 s, and a
table that fails for a second or two."""

LONGEST_WAIT = 20 * SECOND
"""In which a call asks no more, once the gateway has sent ``Retry-After``."""


def waiters_in_an_outage(run: Run) -> None:
    """Play *size* outages, each with another trouble, length and number of apps."""
    for _ in run.numbers():
        outage = _Outage(Random(run.rng.random()), run.design or unwrapped)  # noqa: S311 - repeatable
        run.problems += outage.play()
        run.judge(outage.simulation, {PAY_ID})


class _Outage:
    """One payment, its apps, and what they are told."""

    def __init__(self, rng: Random, design: ClientWrapper) -> None:
        self._rng = rng
        self._trouble = rng.choice(TROUBLE)
        self._begin = START + rng.randrange(15 * SECOND)
        self._end = self._begin + rng.randrange(5 * SECOND, 45 * SECOND)
        self._paid_at = rng.randrange(self._begin, self._end + 15 * SECOND)
        self._asked: list[int] = []
        self._told: list[int] = []
        self._problems: list[str] = []
        self._design = design
        self.simulation = Simulation(self._script, rng, wrap=self._waiting_api)

    def play(self) -> list[str]:
        """Return what is wrong."""
        self.simulation.put_payment(PAY_ID)
        self.simulation.on_call = self._table
        apps = self._rng.randrange(2, MOST_APPS + 1)
        comes = [START + self._rng.choice((0, self._rng.randrange(20_000))) for _ in range(apps)]
        Waiters(self.simulation).run((at, self._app) for at in comes)
        self.simulation.run_to_completion()
        return [*self._problems, *self._too_many(), *self._too_late()]

    def _app(self) -> None:
        simulation = self.simulation
        while simulation.now < self._end + 60 * SECOND:
            start, seconds = simulation.now, self._rng.randrange(1, 21)
            status, body = simulation.wait_for(PAY_ID, seconds)
            took = simulation.now - start
            if status != 200 and took > SECOND:
                self._problems.append(f"{status} after {took} ms")
            if took > seconds * SECOND + DEADLINE + SECOND:
                self._problems.append(f"the answer came after {took} ms of {seconds} s")
            if status == 200 and body["status"] == "SUCCEEDED":
                self._told.append(simulation.now)
                return
            if status == 200 and (body["status"] != "PENDING" or took < seconds * SECOND):
                self._problems.append(f"{body['status']} after {took} ms of {seconds} s")
            simulation.sleep(0.1 if status == 200 else 1)

    def _too_many(self) -> Iterator[str]:
        gaps = [after - before for before, after in pairwise(self._asked)]
        if gaps and min(gaps) < WAIT_CHECK_INTERVAL_MS - 4 * CALL_MS:
            yield f"two questions of waiting apps within {min(gaps)} ms"

    def _too_late(self) -> Iterator[str]:
        known = max(self._paid_at, self._end)
        obeyed = LONGEST_WAIT if self._trouble is BUSY else 0
        if max(self._told, default=1 << 60) > known + TOLD_WITHIN + obeyed:
            yield f"told {max(self._told, default=0) - known} ms after the gateway could say it"
        if self.simulation.queue.dead_letters:
            yield "a dead letter"

    def _script(self, pay_id: str, _earlier_queries: int, now: int) -> GatewayResponse:
        if self._begin <= now < self._end:
            return self._trouble
        return json_response(pay_id, "success" if now >= self._paid_at else "waiting")

    def _table(self, call: Call) -> None:
        """Let a call of the API to the table take a moment, so that others come between."""
        if call.function != "api" or call.when != "before" or call.kind == "query":
            return
        self.simulation.sleep(self._rng.randrange(1, CALL_MS + 1) / 1000)
        if call.kind == "batch_get_item" and self._rng.random() < 0.1:
            self.simulation.faults += 1
            raise client_error(self._rng.choice(("ThrottlingException", "InternalServerError")))

    def _waiting_api(
        self, simulation: Simulation, function: str, dependency: str, client: Client
    ) -> Client:
        wrapped = self._design(simulation, function, dependency, client)
        asks = (function, dependency) == ("api", "gateway")
        return _SlowGateway(simulation, wrapped, self._asked) if asks else wrapped


class _SlowGateway:
    """The gateway as the api function sees it; silence lasts until the deadline."""

    def __init__(self, simulation: Simulation, gateway: Client, asked: list[int]) -> None:
        self._simulation = simulation
        self._gateway = gateway
        self._asked = asked

    def query(self, pay_id: str) -> GatewayResponse:
        """Ask, and wait for the answer."""
        self._asked.append(self._simulation.now)
        answer: GatewayResponse = self._gateway.query(pay_id=pay_id)
        self._simulation.sleep(DEADLINE / SECOND if answer is SILENCE else 0.08)
        return answer
