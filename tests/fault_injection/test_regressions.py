"""Guarantees P1 and P2: defects that campaigns found, each in its shortest example."""

from random import Random

from tests.support.fake_aws import Call
from tests.support.fake_gateway import HTML_PAGE, GatewayResponse, json_response
from tests.support.simulation import Simulation

PAY_ID = "20190321192436"


def test_the_history_is_connected_when_a_failure_is_written_before_a_success() -> None:
    """C5: a live check gets `fail` between the decision for a success and its write."""

    def script(pay_id: str, earlier_queries: int, _now: int) -> GatewayResponse:
        return json_response(pay_id, "fail" if earlier_queries else "success")

    simulation = Simulation(script, Random(1))  # noqa: S311 - repeatable, not secret

    def check_live(call: Call) -> None:
        if str(call) == "checks: before succeed" and len(simulation.gateway.log) == 1:
            simulation.get_payment(PAY_ID)

    simulation.on_call = check_live
    simulation.send_order(PAY_ID)
    simulation.deliver_messages()
    simulation.run_to_completion()
    changes = [entry["M"]["to"]["S"] for entry in _item(simulation)["history"]["L"]]
    assert changes == ["PENDING", "FAILED", "SUCCEEDED"]
    assert not simulation.verdict().inconsistent


def test_a_late_check_with_an_invalid_response_is_repeated() -> None:
    """C1: a failed payment has two late checks; an HTML page does not count as one of them."""

    def script(pay_id: str, earlier_queries: int, _now: int) -> GatewayResponse:
        return [
            json_response(pay_id, "fail"),
            HTML_PAGE,
            HTML_PAGE,
            json_response(pay_id, "success"),
        ][earlier_queries]

    simulation = Simulation(script, Random(1))  # noqa: S311 - repeatable, not secret
    simulation.send_order(PAY_ID)
    simulation.run_to_completion()
    assert simulation.verdict({PAY_ID}).clean


def _item(
    simulation: Simulation,
) -> dict[str, dict[str, list[dict[str, dict[str, dict[str, str]]]]]]:
    [item] = simulation.dynamodb.items.values()
    return item
