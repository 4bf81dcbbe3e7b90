"""P4, P6: how soon the default schedule sees a payer, and with how many checks, simulated."""

from math import isnan

import pytest

from payresult.domain.schedule import Schedule
from tests.benchmarks.latency import SWEEP_SECONDS, main, report, simulate
from tests.benchmarks.payers import CARD, PAYERS, SLOW, WALLET, Payers
from tests.benchmarks.waiting import simulate_waiting
from tests.support.factories import DELAYS

SIZE = 10_000


def exactly(seconds: float) -> Payers:
    """Return payers who all pay at the same time."""
    return Payers("exact", seconds, 0.0, 1.0)


@pytest.mark.parametrize(
    ("payers", "seconds", "checks"), [(CARD, 10, 6), (WALLET, 30, 9), (SLOW, 3100, 20)]
)
def test_the_default_schedule_sees_a_payer_soon(
    payers: Payers, seconds: float, checks: float
) -> None:
    """On average, and with a bearable number of checks (P4, P6)."""
    found = simulate(Schedule(DELAYS), payers, SIZE)
    assert found.mean <= seconds
    assert found.checks <= checks
    assert found.unseen < 0.001


def test_a_payer_is_seen_by_the_first_check_after_it() -> None:
    """Paid after 5 s, checked after 0 s and after 8 to 12 s, in whole seconds."""
    found = simulate(Schedule((10, 10)), exactly(5), 1000)
    assert 4.8 < found.mean < 5.8
    assert (round(found.p50, 9), round(found.p95, 9)) == (5, 7)
    assert (found.checks, found.unseen) == (2, 0)


def test_a_long_delay_is_kept_by_the_sweeper() -> None:
    """It comes each minute, so 30 s later on average."""
    found = simulate(Schedule((3600,)), exactly(1), 2000)
    assert found.mean == pytest.approx(3600 + SWEEP_SECONDS / 2 - 1, abs=30)


def test_who_pays_after_the_last_check_is_not_seen() -> None:
    """The share is printed, and no seconds."""
    found = simulate(Schedule((10,)), exactly(20), 10)
    assert (found.checks, found.unseen, isnan(found.mean)) == (2, 1, True)


@pytest.mark.parametrize("payers", [CARD, WALLET])
def test_a_waiting_app_is_told_within_three_seconds(payers: Payers) -> None:
    """95 of 100 of them (P4); what the gateway is asked is bounded by the claim."""
    found = simulate_waiting(Schedule(DELAYS), payers, 60)
    assert found.p95 <= 3
    assert found.unseen == 0


def test_the_report_has_a_line_for_each_kind_of_payers() -> None:
    """And the delays that it is about."""
    lines = [*report(Schedule((5, 10)), 100, apps=2)]
    assert {each.name for each in PAYERS} <= {line.split(" ")[0] for line in lines}
    assert lines[-1] == "5,10"


@pytest.mark.parametrize("delays", ["5,x", "0", ",".join(["1"] * 32), "999999"])
def test_delays_that_the_template_refuses_are_refused(
    monkeypatch: pytest.MonkeyPatch, delays: str
) -> None:
    """By the same rules."""
    monkeypatch.setenv("DELAYS", delays)
    with pytest.raises(SystemExit, match="DELAYS must"):
        main()
