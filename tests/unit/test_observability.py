"""P5, metrics: each fact is counted once, whatever is repeated, late or fails."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics
from botocore.exceptions import EndpointConnectionError

from payresult.aws import operator_updates
from payresult.domain.outcome import Outcome, QueryResult
from payresult.domain.payment import CheckMessage, Status
from payresult.observability import measure, measures, report
from payresult.services.sweeper import SweepResult
from tests.conftest import LoadApp
from tests.support.factories import HOUR, MINUTE, NOW, PAY_ID, SECOND, payment, reply
from tests.support.fake_aws import Crash
from tests.support.functions import CONTEXT
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


def test_no_value_is_below_zero(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Clocks differ, and one negative value takes CloudWatch's percentiles away."""
    settled = payment(Status.SUCCEEDED, created_at=NOW + 2 * MINUTE, checks=1)
    result = QueryResult(reply(), NOW + MINUTE, -3, 0.5)
    written = reported(capsys, Outcome(PAY_ID, settled, result, Status.SUCCEEDED))
    assert (written["GatewayLatency"], written["SettleTime"]) == ([0], [0])
    metrics = Metrics(service="payresult", namespace="payresult")
    measure(metrics, "EventAge", [-1, 5])
    assert flushed(capsys, metrics) == {"EventAge": [0, 5]}


def test_the_time_to_settle_is_measured_once(table: Table) -> None:
    """However often its messages are delivered, and whoever asks afterwards."""
    world = World(table)
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


def test_two_checks_that_find_a_success_at_the_same_time_measure_it_once(table: Table) -> None:
    """Only the check that wrote the success."""
    world, other = World(table), World(table)
    world.says = other.says = lambda pay_id: reply(payId=pay_id)
    world.register()

    outcomes: list[Outcome] = []
    world.once("query", lambda: outcomes.extend(other.follow(CheckMessage(PAY_ID, step=1))))
    outcomes += world.follow(CheckMessage(PAY_ID, step=1))
    assert [each.result is not None for each in outcomes] == [True, True]
    assert ["SettleTime" in measures(each) for each in outcomes] == [True, False]


def test_refused_and_failed_messages_are_counted_apart(
    load_app: LoadApp, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused: malformed or contradictory, the sender's error. Failed: an error of ours."""
    world = World(table)
    for pay_id in ("known", "unreadable"):
        world.register(pay_id, order_id="A-17")
    table.change("unreadable", schemaVersion=2)
    app = load_app("checks")
    app.handler.processor = world.processor
    bodies = ["{", '{"payId": "known", "orderId": "A-18"}', '{"payId": "unreadable"}']
    records = [{"messageId": body, "body": body} for body in bodies]
    answer = app.handler({"Records": records}, None)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == bodies
    lines = capsys.readouterr().out.splitlines()
    (written,) = [json.loads(line) for line in lines if '"_aws"' in line]
    assert (written["MessagesRefused"], written["MessagesFailed"]) == ([2], [1])


def test_the_age_of_an_event_that_is_sent_twice_is_measured_once(table: Table) -> None:
    """The second sending marks it; the age counts up to that one."""
    world = paid(table)

    world.once("update_item", world.crash)
    with pytest.raises(Crash):
        world.outbox.publish([PAY_ID])
    world.now += MINUTE
    ages = [world.outbox.publish([PAY_ID]).ages for _ in range(2)]
    assert (len(world.bus.entries), ages) == (2, [[MINUTE], []])


def test_a_refused_event_has_no_age(table: Table) -> None:
    """It is measured when the bus accepts the event."""
    world = paid(table)
    world.bus.entry_error = lambda _: "InternalFailure"
    assert world.outbox.publish([PAY_ID]).ages == []
    world.bus.entry_error = lambda _: None
    world.now += HOUR
    assert world.outbox.publish([PAY_ID]).ages == [HOUR]


def test_the_age_of_a_republished_event_counts_from_the_republish(table: Table) -> None:
    """A replay of last year's events must not ring an alarm."""
    world = paid(table)
    world.outbox.publish([PAY_ID])
    world.now += 24 * HOUR
    table.payments.write(PAY_ID, operator_updates.republish(table.payment(), world.now))
    world.now += SECOND
    assert world.outbox.publish([PAY_ID]).ages == [SECOND]


def test_a_sweep_that_sqs_interrupts_tells_what_it_gave_up(table: Table) -> None:
    """The error is reported beside it: an alarm depends on that (P5)."""
    world = expired(table, "expired")
    world.register("open")
    world.now = NOW + 2 * HOUR

    def broken(name: str) -> None:
        if name == "send_message_batch":
            raise UNREACHABLE

    world.before = broken
    swept = sweep(world)
    assert (swept.given_up, swept.checks_sent, swept.errors) == (["expired"], [], [UNREACHABLE])


def test_one_failed_write_does_not_hide_the_others(table: Table) -> None:
    """The payment that was not written is due again; the other one is reported."""
    world = expired(table, "a", "b")
    world.now = NOW + 2 * HOUR
    world.before = once("update_item")
    first, second = sweep(world), sweep(world)
    assert sorted(first.given_up + second.given_up) == ["a", "b"]
    assert (len(first.given_up), first.errors, second.errors) == (1, [UNREACHABLE], [])


def test_the_sweeper_reports_what_it_did_before_it_fails(
    load_app: LoadApp, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """The metric of the payment that was given up is written, and the invocation fails."""
    world = expired(table, "a", "b")
    world.now = NOW + 2 * HOUR
    world.before = once("update_item")
    app = load_app("sweeper")
    app.handler.sweeper = world.sweeper
    with pytest.raises(EndpointConnectionError):
        app.handler({}, CONTEXT)
    lines = capsys.readouterr().out.splitlines()
    written = next(json.loads(line) for line in lines if '"_aws"' in line)
    assert (written["PaymentsUnresolved"], written["SweeperHeartbeat"]) == ([1], [1])


def once(call: str) -> Callable[[str], None]:
    """Return a hook that makes the first *call* fail, and no later one."""
    calls: list[str] = []

    def broken(name: str) -> None:
        calls.append(name)
        if name == call and calls.count(call) == 1:
            raise UNREACHABLE

    return broken


def paid(table: Table) -> World:
    """Return a World in which PAY_ID is paid and its event unsent."""
    world = World(table)
    world.says = lambda pay_id: reply(payId=pay_id)
    world.follow(CheckMessage(PAY_ID))
    return world


def expired(table: Table, *pay_ids: str) -> World:
    """Return a World in which *pay_ids* are given up two hours from NOW."""
    world = World(table)
    for pay_id in pay_ids:
        world.register(pay_id)
        table.change(pay_id, giveUpAt=NOW + HOUR)
    return world


def sweep(world: World) -> SweepResult:
    """Sweep once and return the result."""
    world.sweep()
    return world.swept[-1]
