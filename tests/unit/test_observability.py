"""P5, metrics: each fact is counted once, whatever is repeated, late or fails."""

import json
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics
from botocore.exceptions import EndpointConnectionError

from payresult.domain.outcome import Outcome, QueryResult
from payresult.domain.payment import CheckMessage, Status
from payresult.observability import measure, measures, report
from tests.support.factories import HOUR, MINUTE, NOW, PAY_ID, SECOND, payment, reply
from tests.support.tables import Table
from tests.support.world import World

UNREACHABLE = EndpointConnectionError(endpoint_url="https://aws.invalid")


def reported(capsys: pytest.CaptureFixture[str], *outcomes: Outcome) -> dict[str, Any]:
    """Return the metrics that one invocation writes about *outcomes*."""
    metrics = Metrics(service="payresult", namespace="payresult")
    report(outcomes, Logger(service="metrics", level="ERROR"), metrics)
    return flushed(capsys, metrics)


def flushed(capsys: pytest.CaptureFixture[str], metrics: Metrics) -> dict[str, Any]:
    """Return what *metrics* writes at the end of an invocation, values by name."""
    metrics.flush_metrics()
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    (group,) = line["_aws"]["CloudWatchMetrics"]
    return {metric["Name"]: line[metric["Name"]] for metric in group["Metrics"]}


def outcome(latency: int = 80, **changed: Any) -> Outcome:
    """Return the outcome of a check whose reply has an unknown ``payRst``."""
    result = QueryResult(reply("wait"), NOW + MINUTE, latency, 0.5)
    return Outcome(PAY_ID, payment(), result, unknown=True, **changed)


def test_a_batch_writes_one_sum_for_each_count_and_every_measured_value(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A list of ones would be billed by its bytes; percentiles need each latency."""
    batch = [outcome(latency) for latency in (80, 90, 700)]
    assert reported(capsys, *batch) == {
        "ChecksAnswered": [3],
        "UnknownPayRst": [3],
        "GatewayLatency": [80, 90, 700],
    }


def test_no_value_is_below_zero(capsys: pytest.CaptureFixture[str]) -> None:
    """Clocks differ, and one negative value takes CloudWatch's percentiles away."""
    settled = payment(Status.SUCCEEDED, created_at=NOW + 2 * MINUTE, checks=1)
    result = QueryResult(reply(), NOW + MINUTE, -3, 0.5)
    written = reported(capsys, Outcome(PAY_ID, settled, result, Status.SUCCEEDED))
    assert (written["GatewayLatency"], written["SettleTime"]) == ([0], [0])
    metrics = Metrics(service="payresult", namespace="payresult")
    measure(metrics, "EventAge", [-1, 5])
    assert flushed(capsys, metrics) == {"EventAge": [0, 5]}


def test_the_time_to_settle_is_measured_once(world: World, table: Table) -> None:
    """However often its messages are delivered, and whoever asks afterwards."""
    world.queue.redeliver_after = lambda: [0, 0]
    paid_at = NOW + 20 * SECOND
    world.says = lambda pay_id: reply("success" if world.now > paid_at else "wait", payId=pay_id)
    world.order()
    world.run(HOUR)
    looked_up = world.get()
    measured = [measures(each) for each in world.outcomes + looked_up]
    (settled,) = [each for each in measured if "SettleTime" in each]
    assert settled["SettleTime"] == world.asked[-1][1] - NOW
    assert settled["ChecksToSettle"] == len(world.asked) == table.item()["checks"]


def test_two_checks_that_find_a_success_at_the_same_time_measure_it_once(
    world: World, other: World
) -> None:
    """Only the check that wrote the success."""
    world.says = other.says = lambda pay_id: reply(payId=pay_id)
    world.register()

    outcomes: list[Outcome] = []
    world.once("query", lambda: outcomes.extend(other.follow(CheckMessage(PAY_ID, step=1))))
    outcomes += world.follow(CheckMessage(PAY_ID, step=1))
    assert [each.result is not None for each in outcomes] == [True, True]
    assert ["SettleTime" in measures(each) for each in outcomes] == [True, False]
