"""C5: twelve concurrent invocations for one payId, interleaved in random orders."""

from collections.abc import Callable
from random import Random

from tests.fault_injection.interleaving import InterleavingScheduler
from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.fake_aws import Call
from tests.support.fake_gateway import MINUTE, SECOND, GatewayResponse, json_response
from tests.support.memory_table import InMemoryDynamoDB
from tests.support.oracle import Verdict, merged
from tests.support.simulation import ClientWrapper, Simulation, unwrapped

RESULTS = ("waiting", "success", "success", "fail")


def races(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """Run a race for each of *size* payments."""
    verdicts: list[Verdict] = []
    switches = 0
    for number in range(size):
        simulation = race(f"pay-{number}", rng, wrap)
        verdicts.append(simulation.verdict())
        switches += simulation.faults
        on_progress(number / size)
    return CampaignRun(size, switches, merged(verdicts))


def race(
    pay_id: str,
    rng: Random,
    wrap: ClientWrapper = unwrapped,
    table: Callable[..., InMemoryDynamoDB] = InMemoryDynamoDB,
) -> Simulation:
    """Run twelve concurrent invocations for one payment; return the completed simulation."""

    def script(pay_id: str, _earlier_queries: int, _now: int) -> GatewayResponse:
        return json_response(pay_id, rng.choice(RESULTS))

    simulation = Simulation(script, rng, wrap=wrap, table=table)
    simulation.queue.batch_size = 1
    scheduler = InterleavingScheduler(rng)

    def switch(_: Call) -> None:
        simulation.faults += 1
        simulation.now += rng.choice((0, 0, 0, 1, 2 * SECOND, MINUTE))
        scheduler.yield_turn()

    simulation.on_call = switch
    for _ in range(4):
        simulation.send_order(pay_id, expectedAmount="19.99")
    scheduler.run(
        [
            *[simulation.deliver_messages] * 5,
            *[lambda: simulation.get_payment(pay_id)] * 3,
            lambda: simulation.put_payment(pay_id, orderId="A-17"),
            simulation.deliver_changes,
            *[simulation.sweep] * 2,
        ]
    )
    simulation.run_to_completion()
    return simulation
