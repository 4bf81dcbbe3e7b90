"""C7: every sequence of up to five replies of the gateway."""

from itertools import islice, product
from random import Random

from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.fake_gateway import (
    DAY,
    HTML_PAGE,
    PARTNER,
    GatewayResponse,
    json_response,
)
from tests.support.simulation import ClientWrapper, Simulation, unwrapped

REPLIES = ("waiting", "success", "fail", "closed", "invalid", "other")
GROUP_SIZE = 200

Sequence = tuple[str, ...]


def response_of(kind: str, pay_id: str) -> GatewayResponse:
    """Return a response of a kind. "fail" is configured as a failed value, "closed" is unknown."""
    if kind == "invalid":
        return HTML_PAGE
    if kind == "other":
        return json_response("other", "success")
    return json_response(pay_id, kind)


def every_sequence(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """Run the first *size* sequences, the shortest first; there are 9,330 of up to five replies.

    After its sequence a payment is reported as `waiting`. Each reply is requested with a GET
    directly after the previous one, so that none is too late for a FAILED payment.
    """
    lengths = (product(REPLIES, repeat=length) for length in range(1, 6))
    todo = list(islice((sequence for group in lengths for sequence in group), size))
    scripts = {f"seq-{number}": sequence for number, sequence in enumerate(todo)}

    def script(pay_id: str, earlier_queries: int, _now: int) -> GatewayResponse:
        rest = scripts[pay_id][earlier_queries:]
        return response_of(rest[0] if rest else "waiting", pay_id)

    simulation = Simulation(script, rng, wrap=wrap)
    pay_ids = list(scripts)
    for start in range(0, len(pay_ids), GROUP_SIZE):
        group = pay_ids[start : start + GROUP_SIZE]
        for pay_id in group:
            simulation.send_order(pay_id)
        for _ in range(5):
            simulation.run(4000)
            for pay_id in group:
                simulation.get_payment(pay_id)
        on_progress(start / len(pay_ids))
    simulation.run(12 * DAY)
    return CampaignRun(size, 0, simulation.verdict(), tuple(_wrong_statuses(simulation, scripts)))


def _wrong_statuses(simulation: Simulation, scripts: dict[str, Sequence]) -> list[str]:
    problems = []
    for pay_id, sequence in scripts.items():
        found = simulation.dynamodb.items[f"{PARTNER}#{pay_id}"]["status"]["S"]
        if found != _expected_status(sequence):
            problems.append(f"{'-'.join(sequence)} became {found}")
    return problems


def _expected_status(sequence: Sequence) -> str:
    if "success" in sequence:
        return "SUCCEEDED"
    return "FAILED" if "fail" in sequence else "EXPIRED"
