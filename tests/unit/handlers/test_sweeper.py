"""Contract of the sweeper's handler: what it reports, whatever fails (P4, P5)."""

from itertools import count

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from payresult.aws.items import SHARD_COUNT
from payresult.handlers import sweeper
from tests.support.factories import HOUR, MINUTE, NOW, PARTNER
from tests.support.fake_aws import Crash
from tests.support.functions import CONTEXT
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.handlers.conftest import Output, Start


def test_it_sends_what_is_due(
    start: Start, table: Table, aws: dict[str, str], world: World, output: Output
) -> None:
    """Events to the bus, checks to the queue; expired payments are given up."""
    world.pay("paid")
    for pay_id in ("lost", "expired", "unreadable"):
        world.register(pay_id)
    long_ago = NOW - 10 * 24 * HOUR * 100  # earlier than the clock of any machine
    table.change("paid", workAt=long_ago)
    table.change("lost", workAt=long_ago, nextCheckAt=long_ago, giveUpAt=4 * 10**12)
    table.change("expired", workAt=long_ago, nextCheckAt=long_ago, giveUpAt=long_ago)
    table.change("unreadable", workAt=long_ago, schemaVersion=2)
    table.put({"pk": "P000819#other", "workShard": "CHECK#1", "workAt": long_ago})
    waiting = {"attention": f"{PARTNER}#REVIEW", "attentionSince": long_ago}
    table.put({"pk": f"{PARTNER}#review"} | waiting)
    output()
    app = start("sweeper", **aws)
    assert app.handler({}, CONTEXT) is None
    assert table.item("paid")["eventState"] == "SENT"
    assert table.item("expired")["status"] == "UNRESOLVED"
    received = boto3.client("sqs").receive_message(
        QueueUrl=aws["QUEUE_URL"], MaxNumberOfMessages=10
    )
    assert [m["Body"] for m in received["Messages"]] == ['{"payId":"lost","step":1}']
    written = output()
    expected = {
        "SweeperHeartbeat": [1],
        "EventsSent": [1],
        "EventsUnsent": [0],
        "PaymentsUnresolved": [1],
        "UnreadableItems": [1],
        "OtherPartnerItems": [1],
        "AttentionNew": [1],  # the payment that was given up
        "AttentionTotal": [2],
        "PaymentsSucceeded": [0],
    }
    assert expected.items() <= written.metrics.items()
    assert written.dimensions == [["service"], ["service"]]
    logged = {line["payId"]: line["message"] for line in written.logged}
    assert logged == {"lost": "check sent", "expired": "given up", "unreadable": "item unreadable"}


def test_the_sweeper_reports_what_was_refused(start: Start, world: World, output: Output) -> None:
    """For the alarms; the invocation succeeds."""
    world.pay("paid")
    world.register("lost")
    world.bus.entry_error = lambda _: "InternalFailure"
    world.queue.rejects = lambda _: True
    world.now = NOW + HOUR
    app = start("sweeper")
    app.handler.sweeper = world.sweeper
    output()
    app.handler({}, CONTEXT)
    written = output()
    assert (written.metrics["EventsUnsent"], written.metrics["ChecksOverdue"]) == ([1], [1])
    logged = {line["payId"]: line["message"] for line in written.logged}
    assert logged == {"paid": "event refused", "lost": "check not queued"}


@pytest.mark.parametrize(
    ("operation", "numbers", "counted"),
    [("send_message_batch", [], True), ("query", [2 * SHARD_COUNT + 1], False)],
    ids=["a piece", "the first count"],
)
def test_it_reports_before_it_fails(
    start: Start, world: World, output: Output, operation: str, numbers: list[int], *, counted: bool
) -> None:
    """Heartbeat, metrics and the other gauges are written; then the error fails the invocation."""
    world.pay("paid")
    world.register("lost")
    world.now = NOW - NOW % (10 * MINUTE) + HOUR + MINUTE  # PaymentsFollowed is not counted
    app = start("sweeper")
    app.handler.sweeper = world.sweeper
    world.fail(operation, *numbers)
    output()
    with pytest.raises(EndpointConnectionError):
        app.handler({}, CONTEXT)
    written = output().metrics
    expected = {"SweeperHeartbeat": [1], "EventsSent": [1], "AttentionTotal": [0]}
    assert expected.items() <= written.items()
    assert ("AttentionNew" in written) is counted


def test_the_sweeper_reports_although_a_count_takes_too_long(
    start: Start, world: World, output: Output
) -> None:
    """The gauges are counted last, so that a time-out costs only them."""
    world.pay("paid")
    world.now = NOW + HOUR
    app = start("sweeper")
    app.handler.sweeper = world.sweeper
    queries = count(1)

    def end_at_the_first_count(operation: str) -> None:
        if operation == "query" and next(queries) > 2 * SHARD_COUNT:
            raise Crash

    world.before = end_at_the_first_count
    output()
    with pytest.raises(Crash):
        app.handler({}, CONTEXT)
    written = output().metrics
    assert (written["SweeperHeartbeat"], written["EventsSent"]) == ([1], [1])
    assert "AttentionTotal" not in written


def test_the_sweeper_does_not_name_every_unreadable_item(
    start: Start,
    world: World,
    table: Table,
    aws: dict[str, str],
    output: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They come back each minute; the metric counts them all."""
    for pay_id in "abc":
        world.register(pay_id)
        table.change(pay_id, workAt=1, schemaVersion=2)
    app = start("sweeper", **aws)
    monkeypatch.setattr(sweeper, "MAX_NAMED", 2)  # 100, which would take long here
    output()
    app.handler({}, CONTEXT)
    written = output()
    assert (len(written.logged), written.metrics["UnreadableItems"]) == (2, [3])
