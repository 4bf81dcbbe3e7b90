"""P1: the sweeper is killed while it claims and sends what is due."""

from random import Random

from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.fake_aws import Call
from tests.support.fake_gateway import HOUR, MINUTE, GatewayResponse, json_response
from tests.support.simulation import START, ClientWrapper, Simulation, unwrapped

PIECE = 100
"""What the sweeper claims before it sends it."""


def killed_sweeps(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """The checks of *size* payments are lost; each sweep is killed at a call until all are sent."""

    def script(pay_id: str, _earlier_queries: int, now: int) -> GatewayResponse:
        return json_response(pay_id, "success" if now > START + HOUR else "waiting")

    simulation = Simulation(script, rng, wrap=wrap)
    pay_ids = [f"pay-{number}" for number in range(size)]
    for pay_id in pay_ids:
        simulation.send_order(pay_id, expectedAmount="19.99")
    simulation.sweeper_enabled = False
    simulation.run(MINUTE)
    simulation.queue.waiting.clear()
    simulation.now += 2 * HOUR
    problems: list[str] = []
    for sweep in range(20):
        problems += _killed_sweep(simulation, rng.randrange(1, 2 * size))
        simulation.now += 11 * MINUTE
        on_progress(sweep / 20)
    simulation.on_call = lambda _: None
    simulation.run_to_completion()
    return CampaignRun(size, simulation.faults, simulation.verdict(set(pay_ids)), tuple(problems))


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
