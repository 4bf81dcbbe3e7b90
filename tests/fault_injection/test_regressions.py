"""Defects that campaigns found, each told as the shortest story that shows it."""

from random import Random

from tests.fault_injection.fake_aws import Call
from tests.fault_injection.fake_gateway import BROKEN, Answer, told
from tests.fault_injection.simulation import Stage

PAY_ID = "20190321192436"


def test_the_history_is_unbroken_where_a_failure_slips_in_before_a_success() -> None:
    """C5: a live check says `fail` between the success's decision and its write."""

    def script(pay_id: str, asked: int, _now: int) -> Answer:
        return told(pay_id, "fail" if asked else "success")

    stage = Stage(script, Random(1))  # noqa: S311 - to be repeated, not to be secret

    def slip_in(call: Call) -> None:
        if str(call) == "checks: before succeed" and len(stage.gateway.log) == 1:
            stage.get(PAY_ID)

    stage.before = slip_in
    stage.order(PAY_ID)
    stage.deliver()
    stage.settle()
    changes = [entry["M"]["to"]["S"] for entry in _item(stage)["history"]["L"]]
    assert changes == ["PENDING", "FAILED", "SUCCEEDED"]
    assert not stage.verdict().crooked


def test_a_late_check_that_is_answered_with_nonsense_is_made_again() -> None:
    """C1: a failed payment has two late checks; a maintenance page must not be the last of them."""

    def script(pay_id: str, asked: int, _now: int) -> Answer:
        return [told(pay_id, "fail"), BROKEN, BROKEN, told(pay_id, "success")][asked]

    stage = Stage(script, Random(1))  # noqa: S311 - to be repeated, not to be secret
    stage.order(PAY_ID)
    stage.settle()
    assert stage.verdict({PAY_ID}).clean


def _item(stage: Stage) -> dict[str, dict[str, list[dict[str, dict[str, dict[str, str]]]]]]:
    [item] = stage.table.items.values()
    return item
