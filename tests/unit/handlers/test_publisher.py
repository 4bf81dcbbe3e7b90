"""Contract of the publisher with the stream of the table (P3)."""

from typing import Any

from tests.support.factories import MINUTE, NOW, PARTNER
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.handlers.conftest import Output, Start


def record(pay_id: str, new: str | None, old: str | None = None) -> dict[str, Any]:
    """Return a record of the stream, in which ``eventState`` goes from *old* to *new*."""

    def image(state: str | None) -> dict[str, Any]:
        known = {"pk": {"S": f"{PARTNER}#{pay_id}"}, "payId": {"S": pay_id}}
        return known | ({} if state is None else {"eventState": {"S": state}})

    return {
        "eventID": "x",
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"pk": {"S": f"{PARTNER}#{pay_id}"}},
            "NewImage": image(new),
            "OldImage": image(old),
            "SequenceNumber": f"seq-{pay_id}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def test_it_sends_new_events(
    start: Start, table: Table, aws: dict[str, str], world: World, output: Output
) -> None:
    """Each of them once; a payment that is stored by its success has no old image."""
    world.pay("a", "b")
    app = start("publisher", **aws)
    records = [record("a", "PENDING"), record("b", "PENDING"), record("b", "PENDING")]
    del records[0]["dynamodb"]["OldImage"]
    assert app.handler({"Records": records}, None) == {"batchItemFailures": []}
    assert [table.item(pay_id)["eventState"] for pay_id in "ab"] == ["SENT", "SENT"]
    written = output()
    assert (written.metrics["EventsSent"], written.metrics["EventsRefused"]) == ([2], [0])


def test_it_ignores_every_other_change(start: Start, table: Table, world: World) -> None:
    """A postponed event is left to the sweeper."""
    world.pay("a")
    before = table.item("a")
    app = start("publisher")
    app.handler.outbox = world.outbox
    states = [("PENDING", "PENDING"), ("SENT", "PENDING"), (None, None), ("SENT", "SENT")]
    records = [record("a", new, old) for new, old in states]
    assert app.handler({"Records": records}, None) == {"batchItemFailures": []}
    assert (table.item("a"), world.bus.calls) == (before, [])


def test_it_reports_refused_records(
    start: Start, table: Table, world: World, output: Output
) -> None:
    """By sequence number in ``batchItemFailures``; an exception would fail the batch."""
    app = start("publisher")
    world.pay("a", "b", "c")
    world.bus.entry_error = lambda detail: None if '"payId":"a"' in detail else "InternalFailure"
    app.handler.outbox = world.outbox
    output()
    answer = app.handler({"Records": [record(pay_id, "PENDING") for pay_id in "abc"]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": f"seq-{it}"} for it in "bc"]}
    assert [table.item(pay_id)["eventState"] for pay_id in "abc"] == ["SENT", "PENDING", "PENDING"]
    assert table.item("b")["workAt"] == NOW + MINUTE
    written = output()
    assert (written.metrics["EventsSent"], written.metrics["EventsRefused"]) == ([1], [2])
    assert [(line["payId"], line["code"]) for line in written.logged] == [
        (pay_id, "InternalFailure") for pay_id in "bc"
    ]


def test_it_reports_the_record_of_an_unreadable_payment(
    start: Start, table: Table, world: World, output: Output
) -> None:
    """A later version wrote the item. The other events are sent."""
    app = start("publisher")
    world.pay("a", "b")
    table.change("a", schemaVersion=2)
    app.handler.outbox = world.outbox
    output()
    answer = app.handler({"Records": [record(pay_id, "PENDING") for pay_id in "ab"]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "seq-a"}]}
    [line] = output().logged
    assert (line["payId"], line["code"]) == ("a", "UnreadableItem")
