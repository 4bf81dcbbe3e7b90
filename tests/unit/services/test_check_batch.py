"""The chain of checks on the queue: how often the gateway is asked, and that nothing is lost."""

import json
from typing import Any

import pytest

from payresult.domain.payment import CheckMessage, Registration
from payresult.errors import (
    GatewayUnavailable,
    InvalidReply,
    QueueSendError,
    RegistrationConflict,
    UnreadableItem,
)
from payresult.observability import counts
from tests.support.factories import DAY, HOUR, MINUTE, NOW, PAY_ID, SECOND, reply
from tests.support.tables import MemoryTable, Table
from tests.support.world import Crash, Inline, World


@pytest.fixture
def table() -> Table:
    """A table in memory: what is tested here is what is done with it."""
    return MemoryTable()


DOWN = GatewayUnavailable("down", pay_id=PAY_ID)
NONSENSE = InvalidReply("nonsense", pay_id=PAY_ID, http_status=404)


def paid(pay_id: str) -> Any:
    """Say that the payment is paid."""
    return reply(payId=pay_id)


def pays_at(world: World, at: int) -> None:
    """Have the gateway say ``success`` from *at* on."""
    world.says = lambda pay_id: reply("success" if world.now >= at else "wait", payId=pay_id)


def test_a_payment_that_is_paid_at_once_is_asked_about_once(table: Table) -> None:
    """One check, one event, an empty queue."""
    world = World(table)
    world.says = paid
    world.order(orderId="A-17")
    world.run(10 * DAY)
    assert world.asked == [(PAY_ID, NOW)]
    assert len(world.bus) == 1
    assert (world.messages, world.dead) == ([], [])
    item = table.item()
    assert (item["status"], item["eventState"], item["checks"]) == ("SUCCEEDED", "SENT", 1)
    assert "workAt" not in item


def test_a_payment_that_is_never_paid_is_asked_about_27_times(table: Table) -> None:
    """UNRESOLVED then, also with every delay at its longest; one alarm is counted (P5, P6)."""
    world = World(table, random_fraction=0.999999)
    world.order()
    world.run(9 * DAY)
    assert len(world.asked) == 27
    world.run(30 * DAY)
    assert len(world.asked) == 27
    item = table.item()
    assert (item["status"], item["attempt"], item["checks"]) == ("UNRESOLVED", 27, 27)
    assert not {"workAt", "workShard", "nextCheckAt"} & set(item)
    assert (world.messages, world.dead, world.bus) == ([], [], [])
    alarms = [counts(outcome).get("PaymentsUnresolved", 0) for outcome in world.outcomes]
    assert sum(alarms) == 1
    assert [change["to"] for change in item["history"]] == ["PENDING", "UNRESOLVED"]


def test_the_fast_checks_come_when_the_schedule_says(table: Table) -> None:
    """Twelve by the queue, to the second, in the first 67 minutes."""
    world = World(table)
    world.order()
    world.run(70 * MINUTE)
    at = [(when - NOW) // SECOND for _, when in world.asked]
    assert at == [0, 5, 15, 35, 65, 125, 245, 425, 725, 1325, 2225, 3125, 4025]


def test_a_check_of_the_fast_phase_costs_one_of_each(table: Table) -> None:
    """One read, one question to the gateway, one message, one write."""
    world = World(table)
    world.order()
    world.run(0)
    calls: list[str] = []
    world.before = calls.append
    world.run(5 * SECOND)
    ours = ["batch_get_item", "query", "send_message_batch", "update_item"]
    assert calls == [*ours, "delete_message_batch"]
    assert len(world.asked) == 2


def test_the_fast_phase_writes_no_index(table: Table) -> None:
    """Until the watchdog is near: the checks of the first 12 minutes move it never."""
    world = World(table)
    world.order()
    world.run(0)
    for _ in range(6):
        before = table.item()
        world.run(2 * MINUTE)
        after = table.item()
        assert after["step"] > before["step"] or world.now > NOW + 8 * MINUTE
        assert (after["workShard"], after["workAt"]) == (before["workShard"], before["workAt"])


@pytest.mark.parametrize("after", [3 * SECOND, HOUR, 6 * DAY])
def test_a_payment_that_is_paid_later_is_found(table: Table, after: int) -> None:
    """By the queue or by the sweeper, and its event goes out (P1)."""
    world = World(table)
    pays_at(world, NOW + after)
    world.order()
    world.run(9 * DAY)
    assert table.item()["status"] == "SUCCEEDED"
    assert len(world.bus) == 1


# Outages


@pytest.mark.parametrize("asks_for", [None, 1])
def test_an_outage_of_two_hours_is_tried_15_times(table: Table, asks_for: float | None) -> None:
    """No attempt is used, nothing fails, no message ends in the DLQ (P6, P7)."""
    world = World(table, random_fraction=0)
    down = GatewayUnavailable("down", pay_id=PAY_ID, retry_after=asks_for)
    world.says = lambda _: down
    world.order()
    world.run(2 * HOUR)
    assert len(world.asked) == 15
    item = table.item()
    assert (item["status"], item["attempt"], item["checks"]) == ("PENDING", 0, len(world.asked))
    assert item["lastError"]["kind"] == "unavailable"
    assert all(outcome.error is None for outcome in world.outcomes)
    world.says = paid
    world.run(20 * MINUTE)
    assert (table.item()["status"], len(world.bus), world.dead) == ("SUCCEEDED", 1, [])


def test_an_outage_costs_no_attempt(table: Table) -> None:
    """Answered checks alone are counted."""
    world = World(table, delays=(5, 10))
    world.says = lambda pay_id: reply("wait", payId=pay_id) if world.now > NOW + HOUR else DOWN
    world.order()
    world.run(10 * DAY)
    assert sum(at > NOW + HOUR for _, at in world.asked) == 3
    assert table.item()["status"] == "UNRESOLVED"


def test_an_endless_outage_ends_unresolved_after_nine_days(table: Table) -> None:
    """The time is over, and nobody said FAILED (P5); a short life saves the test's time."""
    world = World(table)
    world.says = lambda _: DOWN
    world.order()
    world.run(0)
    table.change(giveUpAt=NOW + 2 * HOUR)
    world.run(3 * HOUR)
    item = table.item()
    assert (item["status"], item["attempt"]) == ("UNRESOLVED", 0)
    assert (world.messages, world.dead) == ([], [])
    assert "workAt" not in item


@pytest.mark.parametrize(
    ("asks_for", "comes"), [(600, 600), (2 * 3600, 2 * 3600), (10**6, 24 * 3600)]
)
def test_a_gateway_that_says_when_is_obeyed(table: Table, asks_for: float, comes: int) -> None:
    """Over 900 s by the sweeper, to the minute, and after a day at most (P6)."""
    world = World(table)
    world.says = lambda _: GatewayUnavailable("later", pay_id=PAY_ID, retry_after=asks_for)
    world.order()
    world.run(comes * SECOND + MINUTE)
    second = world.asked[1][1] - NOW
    assert comes * SECOND <= second < comes * SECOND + MINUTE


def test_nonsense_uses_attempts(table: Table) -> None:
    """An answer without a meaning goes by the schedule, with the last error kept."""
    world = World(table, delays=(5, 10))
    world.says = lambda _: NONSENSE
    world.order()
    world.run(HOUR)
    assert len(world.asked) == 3
    item = table.item()
    assert item["status"] == "UNRESOLVED"
    assert item["lastError"] == {
        "kind": "bad_reply",
        "at": NOW + 15 * SECOND,
        "tries": 1,
        "httpStatus": 404,
    }


# Late checks


def test_failed_gets_two_late_checks(table: Table) -> None:
    """After an hour and after a day, by the sweeper; then it is left alone."""
    world = World(table)
    world.says = lambda pay_id: reply("fail", payId=pay_id)
    world.order()
    world.run(9 * DAY)
    at = [(when - NOW) // MINUTE for _, when in world.asked]
    assert len(at) == 3
    assert at[1] in (60, 61)
    assert at[2] in (1440, 1441)
    item = table.item()
    assert item["status"] == "FAILED"
    assert "workAt" not in item


def test_a_review_with_the_right_amount_at_last_is_a_success(table: Table) -> None:
    """The late check finds it, and only then there is an event (P1, P2)."""
    world = World(table)
    world.says = lambda pay_id: reply(
        payId=pay_id, payAmount="5" if world.now < NOW + HOUR else "$19.99"
    )
    world.order(expectedAmount="19.99")
    world.run(10 * MINUTE)
    assert (table.item()["status"], world.bus) == ("REVIEW", [])
    world.run(DAY)
    item = table.item()
    assert [change["to"] for change in item["history"]] == ["PENDING", "REVIEW", "SUCCEEDED"]
    assert len(world.bus) == 1


# Twice, lost, broken off


@pytest.mark.parametrize("pays", [0, 4 * MINUTE, None])
def test_messages_that_come_twice_fork_nothing(table: Table, pays: int | None) -> None:
    """Each one of them, in the same batch: the gateway sees no more checks for it."""
    world = World(table, delays=(5, 10, 20, 300, 3600))
    world.copies = 2
    if pays is not None:
        pays_at(world, NOW + pays)
    world.order()
    world.run(30 * DAY)
    item = table.item()
    if pays is None:
        assert (len(world.asked), item["status"]) == (6, "UNRESOLVED")
    else:
        assert (item["status"], len(world.bus)) == ("SUCCEEDED", 1)
        assert len(world.asked) == item["attempt"]
    assert (world.messages, world.dead) == ([], [])


def test_messages_that_come_again_later_fork_nothing(table: Table) -> None:
    """Every message of the whole chain, once more, after it has ended."""
    world = World(table, delays=(5, 10, 3600))
    world.order()
    world.run(9 * DAY)
    assert len(world.asked) == 4
    before = table.item()
    for step in range(1, before["step"] + 1):
        world.send({"payId": PAY_ID, "step": step})
    world.run(9 * DAY)
    assert len(world.asked) == 4
    assert table.item() == before


def test_a_follow_up_that_was_under_way_when_the_payment_was_given_up_restarts_nothing(
    table: Table,
) -> None:
    """Only a bare message or a PUT does: our own follow-up asks once, at most."""
    world = World(table)
    world.order()
    world.run(4 * MINUTE)
    step, asked = table.item()["step"], len(world.asked)
    table.change(status="UNRESOLVED", rank=15, giveUpAt=NOW, workAt=None, workShard=None)
    world.send({"payId": PAY_ID, "step": step + 1})
    world.run(9 * DAY)
    assert len(world.asked) <= asked + 1
    item = table.item()
    assert (item["status"], item["giveUpAt"]) == ("UNRESOLVED", NOW)
    assert "workAt" not in item


@pytest.mark.parametrize("after", [0, MINUTE, 5 * HOUR])
def test_a_lost_message_is_found_by_the_sweeper(table: Table, after: int) -> None:
    """Within 17 minutes of its time in the fast phase; the table is the truth."""
    world = World(table)
    world.order()
    world.run(after)
    world.messages.clear()
    asked = len(world.asked)
    world.run(2 * HOUR)
    assert len(world.asked) > asked
    planned = max(when for _, when in world.asked[:asked])
    assert world.asked[asked][1] - planned <= 2 * 15 * MINUTE + HOUR
    pays_at(world, world.now)
    world.run(2 * DAY)
    assert (table.item()["status"], len(world.bus)) == ("SUCCEEDED", 1)


def crash_at(world: World, number: int) -> list[str]:
    """Have the invocation end before the call *number* of an edge; the calls are listed."""
    calls: list[str] = []

    def before(name: str) -> None:
        calls.append(name)
        if len(calls) == number:
            raise Crash

    world.before = before
    return calls


CHAIN = [
    *("batch_get_item", "update_item", "query", "send_message_batch", "update_item"),
    *("delete_message_batch", "batch_get_item", "query", "send_message_batch", "update_item"),
    *("delete_message_batch", "batch_get_item", "query", "update_item", "delete_message_batch"),
]
"""The calls of a payment that is paid at its third check."""


@pytest.mark.parametrize("number", range(1, len(CHAIN) + 1))
def test_a_crash_at_any_point_loses_nothing(table: Table, number: int) -> None:
    """Before each call: one event, and a check more or two (P1, P3)."""
    world = World(table, delays=(5, 10, 20, 30))
    pays_at(world, NOW + 15 * SECOND)
    calls = crash_at(world, number)
    world.order()
    world.run(5 * MINUTE)
    assert calls[:number] == CHAIN[:number]
    item = table.item()
    assert (item["status"], item["eventState"]) == ("SUCCEEDED", "SENT")
    assert len({entry["Detail"] for entry in world.bus}) == 1
    assert len(world.asked) <= 5
    assert (world.messages, world.dead) == ([], [])
    assert len(item["history"]) == 2


@pytest.mark.parametrize("number", [8, 9, 10])
def test_a_crash_around_the_last_check_restarts_nothing(table: Table, number: int) -> None:
    """The redelivered message of a payment that is UNRESOLVED by now is an old one."""
    world = World(table, delays=(5,))
    crash_at(world, number)
    world.order()
    world.run(DAY)
    assert len(world.asked) <= 3
    assert table.item()["status"] == "UNRESOLVED"
    assert (world.messages, world.dead) == ([], [])


# Batches


def test_ten_payments_of_a_batch_are_followed_by_phases(table: Table) -> None:
    """Read all, ask all, send in tens, write all."""
    world = World(table)
    calls: list[str] = []
    world.before = calls.append
    for number in range(10):
        world.order(str(number))
    world.deliver()
    phases = ["batch_get_item"] + ["update_item"] * 10 + ["query"] * 10
    end = [*["update_item"] * 10, "delete_message_batch"]
    assert calls == [*phases, "send_message_batch", *end]
    assert sorted(pay_id for pay_id, _ in world.asked) == sorted("0123456789")


def test_a_list_is_followed_message_by_message(table: Table) -> None:
    """A message of its own for each payId, then as any other."""
    world = World(table)
    world.says = paid
    world.send({"payIds": [str(number) for number in range(6)]})
    world.run(5 * MINUTE)
    assert sorted(pay_id for pay_id, _ in world.asked) == sorted(str(n) for n in range(6))
    assert len(world.bus) == 6
    assert (world.messages, world.dead) == ([], [])


def test_a_list_of_which_sqs_refuses_one_comes_again(table: Table) -> None:
    """Those that were sent are followed once all the same."""
    world = World(table)
    world.says = paid
    world.refuses_message = lambda entry: '"7"' in entry["MessageBody"] and world.now == NOW
    world.send({"payIds": ["5", "6", "7", "8"]})
    world.run(10 * MINUTE)
    assert sorted(pay_id for pay_id, _ in world.asked) == ["5", "6", "7", "8"]


@pytest.mark.parametrize(
    "body", ["", "nonsense", '{"payId": "a b"}', '{"payIds": []}', '{"payId": "1", "x": 1}']
)
def test_a_malformed_message_ends_in_the_dlq_whole(table: Table, body: str) -> None:
    """After five receives, and its neighbours go their way."""
    world = World(table)
    world.says = paid
    world.enqueue(body, 0)
    world.order()
    world.run(HOUR)
    assert world.dead == [body]
    assert len(world.bus) == 1


def test_a_conflict_fails_only_its_own_message(table: Table) -> None:
    """Its neighbours in the batch are followed, also those about the same payment."""
    world = World(table)
    outcomes = world.follow(
        CheckMessage(PAY_ID, Registration(expected_amount="5")),
        CheckMessage(PAY_ID, Registration(expected_amount="6")),
        CheckMessage(PAY_ID, Registration("A-17", "5.00")),
        CheckMessage("other"),
    )
    assert [type(outcome.error) for outcome in outcomes] == [
        *(type(None), RegistrationConflict, type(None), type(None))
    ]
    item = table.item()
    assert (item["expectedAmount"], item["orderId"]) == ("5", "A-17")
    assert sorted(pay_id for pay_id, _ in world.asked) == [PAY_ID, "other"]


def test_a_conflicting_message_ends_in_the_dlq(table: Table) -> None:
    """Somebody must look at it; the payment goes on as it was registered."""
    world = World(table)
    world.order(expectedAmount="5")
    world.run(0)
    world.order(expectedAmount="6")
    world.run(20 * MINUTE)
    assert [json.loads(body)["expectedAmount"] for body in world.dead] == ["6"]
    assert table.item()["expectedAmount"] == "5"


def test_an_unreadable_item_fails_only_its_own_message(table: Table) -> None:
    """A later version of us wrote it: it is for that one to follow."""
    world = World(table)
    world.follow(CheckMessage(PAY_ID))
    table.change(schemaVersion=2)
    before = table.item()
    bad, good = world.follow(CheckMessage(PAY_ID, step=2), CheckMessage("other"))
    assert isinstance(bad.error, UnreadableItem)
    assert good.error is None
    assert table.item() == before


def test_where_sqs_refuses_the_follow_up_nothing_is_written(table: Table) -> None:
    """The message comes again, and the check with it: never a link too few."""
    world = World(table)
    world.refuses_message = lambda entry: PAY_ID in entry["MessageBody"] and world.now == NOW
    bad, good = world.follow(CheckMessage(PAY_ID), CheckMessage("other"))
    assert isinstance(bad.error, QueueSendError)
    assert good.error is None
    assert (table.item()["step"], table.item("other")["step"]) == (0, 1)


def test_where_sqs_does_not_answer_nothing_is_written(table: Table) -> None:
    """Both messages come again."""
    world = World(table)

    def broken(name: str) -> None:
        if name == "send_message_batch":
            raise TimeoutError

    world.before = broken
    outcomes = world.follow(CheckMessage(PAY_ID), CheckMessage("other"))
    assert [type(outcome.error) for outcome in outcomes] == [TimeoutError, TimeoutError]
    assert (table.item()["step"], table.item("other")["step"]) == (0, 0)


def test_a_batch_of_one_needs_no_other_thread(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is followed all the same, and told why where it fails."""
    world = World(table)
    monkeypatch.setattr(Inline, "submit", pytest.fail)
    [done] = world.follow(CheckMessage(PAY_ID))
    assert (done.error, table.item()["step"]) == (None, 1)
    table.change(schemaVersion=2)
    [failed] = world.follow(CheckMessage(PAY_ID, step=2))
    assert isinstance(failed.error, UnreadableItem)


def test_an_empty_batch_costs_nothing(table: Table) -> None:
    """All its messages were malformed, say."""
    world = World(table)
    world.before = pytest.fail
    assert world.follow() == []


# Following anew


def given_up(table: Table, world: World) -> int:
    """Have a payment given up at the end of a short schedule; return its step."""
    world.order()
    world.run(HOUR)
    item = table.item()
    assert item["status"] == "UNRESOLVED"
    return int(item["step"])


def test_a_bare_message_follows_an_unresolved_payment_anew(table: Table) -> None:
    """The whole schedule again; the step goes on, so that old messages stay old."""
    world = World(table, delays=(5, 10))
    step = given_up(table, world)
    world.order()
    world.run(0)
    item = table.item()
    assert (item["status"], item["attempt"], item["step"]) == ("UNRESOLVED", 1, step + 1)
    assert item["giveUpAt"] == world.now + 9 * DAY
    world.run(HOUR)
    assert len(world.asked) == 6
    assert "workAt" not in table.item()


def test_a_restarted_payment_can_still_be_paid(table: Table) -> None:
    """UNRESOLVED to SUCCEEDED, with its event."""
    world = World(table, delays=(5, 10))
    given_up(table, world)
    pays_at(world, world.now + 5 * SECOND)
    world.order()
    world.run(HOUR)
    assert (table.item()["status"], len(world.bus)) == ("SUCCEEDED", 1)


def test_being_given_up_again_rings_again(table: Table) -> None:
    """Each end of a following is counted."""
    world = World(table, delays=(5, 10))
    given_up(table, world)
    world.order()
    world.run(HOUR)
    alarms = [counts(outcome).get("PaymentsUnresolved", 0) for outcome in world.outcomes]
    assert sum(alarms) == 2


def test_a_bare_message_about_a_followed_payment_is_dropped(table: Table) -> None:
    """Its order is kept; the chain goes on by itself."""
    world = World(table)
    world.order()
    world.run(MINUTE)
    asked = len(world.asked)
    world.order(orderId="A-17")
    world.run(0)
    assert (len(world.asked), table.item()["orderId"]) == (asked, "A-17")


def test_a_message_about_a_paid_payment_asks_nobody(table: Table) -> None:
    """A read, and the order is kept; the event stays as it is."""
    world = World(table)
    world.says = paid
    world.order()
    world.run(5 * MINUTE)
    event = table.item()["event"]
    world.order(orderId="A-17")
    world.run(DAY)
    assert (len(world.asked), len(world.bus)) == (1, 1)
    assert (table.item()["orderId"], table.item()["event"]) == ("A-17", event)
