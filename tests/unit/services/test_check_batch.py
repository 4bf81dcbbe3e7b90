"""P1, P5, P6, P7: checks from the queue: how many the gateway gets, and that none is lost."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from payresult.domain.payment import CheckMessage, Registration
from payresult.errors import (
    GatewayUnavailable,
    InvalidInput,
    QueueSendError,
    RegistrationConflict,
    UnreadableItem,
)
from tests.support.factories import DAY, HOUR, MINUTE, NOW, PAY_ID, SECOND, reply
from tests.support.fake_aws import Crash
from tests.support.functions import InlineExecutor
from tests.support.tables import Table
from tests.support.world import Said, World

DOWN = GatewayUnavailable("down", pay_id=PAY_ID)


def paid(pay_id: str) -> Any:
    """Return a success about *pay_id*."""
    return reply(payId=pay_id)


def pays_at(world: World, at: int) -> None:
    """Let the gateway say ``success`` from *at* on."""
    world.says = lambda pay_id: reply("success" if world.now >= at else "wait", payId=pay_id)


# Repeated and lost messages, crashes


def test_a_late_follow_up_restarts_no_unresolved_payment(world: World, table: Table) -> None:
    """Only a message without ``step`` or a PUT does; a follow-up causes one check at most."""
    world.order()
    world.run(4 * MINUTE)
    step, asked = table.item()["step"], len(world.asked)
    table.change(status="UNRESOLVED", rank=15, giveUpAt=NOW, workAt=None, workShard=None)
    world.queue.put(json.dumps({"payId": PAY_ID, "step": step + 1}))
    world.run(9 * DAY)
    assert len(world.asked) <= asked + 1
    item = table.item()
    assert (item["status"], item["giveUpAt"]) == ("EXPIRED", NOW)
    assert "workAt" not in item


@pytest.mark.parametrize("after", [0, MINUTE, 3 * HOUR])
def test_a_lost_message_is_found_by_the_sweeper(world: World, table: Table, after: int) -> None:
    """Within 17 minutes of its time in the fast phase: the table has the plan."""
    world.order()
    world.run(after)
    world.queue.waiting.clear()
    asked = len(world.asked)
    world.run(2 * HOUR)
    assert len(world.asked) > asked
    planned = max(when for _, when in world.asked[:asked])
    assert world.asked[asked][1] - planned <= 2 * 15 * MINUTE + HOUR
    pays_at(world, world.now)
    world.run(2 * DAY)
    assert (table.item()["status"], len(world.bus.entries)) == ("SUCCEEDED", 1)


def crash() -> None:
    """End the invocation."""
    raise Crash


def crash_at(world: World, number: int) -> list[str]:
    """Crash before the AWS or gateway call *number*, and return the list of calls."""
    calls: list[str] = []

    def before(name: str) -> None:
        calls.append(name)
        if len(calls) == number:
            raise Crash

    world.before = before
    return calls


CALLS = [
    *("batch_get_item", "update_item", "query", "send_message_batch", "update_item"),
    *("delete_message_batch", "batch_get_item", "query", "send_message_batch", "update_item"),
    *("delete_message_batch", "batch_get_item", "query", "update_item", "delete_message_batch"),
]
"""The calls of a payment that is paid at its third check."""


@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
def test_a_crash_at_any_point_loses_nothing(table: Table, number: int) -> None:
    """Before each call: one event, and at most two checks more (P1, P3)."""
    world = World(table, delays=(5, 10, 20, 30))
    pays_at(world, NOW + 15 * SECOND)
    calls = crash_at(world, number)
    world.order()
    world.run(5 * MINUTE)
    assert calls[:number] == CALLS[:number]
    item = table.item()
    assert (item["status"], item["eventState"]) == ("SUCCEEDED", "SENT")
    assert len({entry["Detail"] for entry in world.bus.entries}) == 1
    assert len(world.asked) <= 5
    assert (world.queue.waiting, world.queue.dead_letters) == ([], [])
    assert len(item["history"]) == 2


@pytest.mark.parametrize("number", [8, 9, 10])
def test_a_crash_around_the_last_check_restarts_nothing(table: Table, number: int) -> None:
    """The message is delivered again when the payment is EXPIRED already."""
    world = World(table, delays=(5,))
    crash_at(world, number)
    world.order()
    world.run(DAY)
    assert len(world.asked) <= 3
    assert table.item()["status"] == "EXPIRED"
    assert (world.queue.waiting, world.queue.dead_letters) == ([], [])


# Batches


def test_a_batch_is_handled_in_phases(world: World) -> None:
    """Read all, query all, send in tens, write all."""
    calls = world.recorded()
    for number in range(10):
        world.order(str(number))
    world.deliver_messages()
    phases = ["batch_get_item"] + ["update_item"] * 10 + ["query"] * 10
    end = [*["update_item"] * 10, "delete_message_batch"]
    assert calls == [*phases, "send_message_batch", *end]
    assert sorted(pay_id for pay_id, _ in world.asked) == sorted("0123456789")


def test_a_list_of_which_sqs_refuses_one_is_delivered_again(world: World) -> None:
    """Those that were sent are checked once all the same."""
    world.says = paid
    world.queue.rejects = lambda entry: '"7"' in entry["MessageBody"] and world.now == NOW
    world.queue.put(json.dumps({"payIds": ["5", "6", "7", "8"]}))
    world.run(10 * MINUTE)
    assert sorted(pay_id for pay_id, _ in world.asked) == ["5", "6", "7", "8"]


def test_a_conflict_fails_only_its_own_message(world: World, table: Table) -> None:
    """The others of the batch are handled, also those about the same payment."""
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


def refuse(world: World) -> None:
    """Let SQS refuse what is sent now about PAY_ID."""
    world.queue.rejects = lambda entry: PAY_ID in entry["MessageBody"] and world.now == NOW


@pytest.mark.parametrize(
    ("trouble", "errors", "steps"),
    [
        (refuse, [QueueSendError, type(None)], (0, 1)),
        (
            lambda world: world.fail("send_message_batch", error=TimeoutError()),
            *([TimeoutError, TimeoutError], (0, 0)),
        ),
    ],
    ids=["refused", "no answer"],
)
def test_without_a_follow_up_in_the_queue_nothing_is_written(
    world: World,
    table: Table,
    trouble: Callable[[World], None],
    errors: list[type],
    steps: tuple[int, int],
) -> None:
    """The message is delivered again, and the check is repeated: no follow-up is lost."""
    trouble(world)
    outcomes = world.follow(CheckMessage(PAY_ID), CheckMessage("other"))
    assert [type(outcome.error) for outcome in outcomes] == errors
    assert (table.item()["step"], table.item("other")["step"]) == steps


def test_a_batch_of_one(world: World, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same result, errors included."""
    monkeypatch.setattr(InlineExecutor, "submit", pytest.fail)
    [done] = world.follow(CheckMessage(PAY_ID))
    assert (done.error, table.item()["step"]) == (None, 1)
    table.change(schemaVersion=2)
    [failed] = world.follow(CheckMessage(PAY_ID, step=2))
    assert isinstance(failed.error, UnreadableItem)


def test_an_empty_batch_makes_no_call(world: World) -> None:
    """Where all messages of a batch were malformed."""
    world.before = pytest.fail
    assert world.follow() == []


# Restart


def expire(table: Table, world: World) -> int:
    """Let a payment end its (short) schedule, and return its step."""
    world.order()
    world.run(HOUR)
    item = table.item()
    assert item["status"] == "EXPIRED"
    return int(item["step"])


@pytest.mark.parametrize("status", ["EXPIRED", "FAILED", "UNRESOLVED"])
def test_a_restarted_payment_can_still_succeed(table: Table, status: str) -> None:
    """The customer tried again and paid on day 2: the order service hears of it (P1)."""
    world = World(table, delays=(5, 10))
    answers: dict[str, Said] = {"EXPIRED": reply("wait"), "FAILED": reply("fail")}
    world.says = lambda _: answers.get(status, DOWN)
    world.order()
    world.run(2 * DAY if status == "FAILED" else 10 * DAY)
    assert table.item()["status"] == status
    pays_at(world, world.now + 5 * SECOND)
    world.order()
    world.run(HOUR)
    assert (table.item()["status"], len(world.bus.entries)) == ("SUCCEEDED", 1)
    assert "attention" not in table.item()


def test_a_message_from_before_the_end_restarts_nothing(table: Table) -> None:
    """It was delivered late: it says nothing that was not known then."""
    world = World(table, delays=(5, 10))
    expire(table, world)
    asked = len(world.asked)
    sent_at = table.item()["history"][-1]["at"]
    assert world.follow(CheckMessage(PAY_ID, sent_at=sent_at))[0].error is None
    assert (table.item()["status"], len(world.asked)) == ("EXPIRED", asked)


def test_a_crash_after_the_restart_is_made_good_by_the_redelivery(table: Table) -> None:
    """The message comes again, and the first check of the new start is due."""
    world = World(table, delays=(5, 10))
    expire(table, world)
    pays_at(world, world.now)
    world.order()
    world.once("query", crash)
    world.run(5 * MINUTE)
    assert (table.item()["status"], len(world.bus.entries)) == ("SUCCEEDED", 1)


def test_an_answer_from_before_a_restart_is_dropped(table: Table) -> None:
    """A late check in flight must not record over the new start: nobody would follow it."""
    world = World(table, delays=(5, 10, 20, 40))

    def answer(pay_id: str) -> Any:
        if len(world.asked) == 2:  # the late check
            world.register()
        return reply("fail" if len(world.asked) <= 2 else "wait", payId=pay_id)

    world.says = answer
    world.order()
    world.run(2 * HOUR)
    assert [each["to"] for each in table.item()["history"]] == [
        *("PENDING", "FAILED", "PENDING", "EXPIRED")
    ]
    assert len(world.asked) == 2 + 5


def review(table: Table, world: World) -> None:
    """Let a payment be paid with another amount than the registered one."""
    world.says = lambda pay_id: reply(payId=pay_id, payAmount="19,99 €")
    world.order(expectedAmount="19.99")
    world.run(3 * DAY)
    assert table.item()["status"] == "REVIEW"


def test_a_message_without_step_about_a_review_causes_one_check(world: World, table: Table) -> None:
    """Status, attention and plan stay; at most one check each two seconds (P6). Then it is paid."""
    review(table, world)
    before, asked = table.item(), len(world.asked)
    for _ in range(3):
        world.order(expectedAmount="19.99")
    world.run(HOUR)
    after = table.item()
    assert len(world.asked) == asked + 1
    for name in ("status", "attention", "attentionSince", "step", "attempt", "giveUpAt"):
        assert after[name] == before[name]
    world.says = lambda pay_id: reply(payId=pay_id, payAmount="19.99")
    world.order()
    world.run(HOUR)
    assert (table.item()["status"], len(world.bus.entries)) == ("SUCCEEDED", 1)
    assert "attention" not in table.item()


def test_messages_about_a_review_share_one_claim(world: World, table: Table) -> None:
    """Also where SQS delivers them one after the other: one check in two seconds (P6)."""
    review(table, world)
    asked = len(world.asked)
    for _ in range(3):
        world.follow(CheckMessage(PAY_ID, sent_at=world.now))
        world.now += 600
    assert len(world.asked) == asked + 1


def test_late_messages_about_a_review_or_a_paid_payment_cause_no_check(
    world: World, table: Table
) -> None:
    """One from before the review; a follow-up although the payment was paid meanwhile."""
    review(table, world)
    asked, item = len(world.asked), table.payment()
    world.follow(CheckMessage(PAY_ID, sent_at=item.changed_at))
    assert len(world.asked) == asked
    world.says = lambda pay_id: reply(payId=pay_id, payAmount="19.99")
    world.get()
    [outcome] = world.follow(CheckMessage(PAY_ID, step=item.step + 1))
    assert (outcome.result, len(world.asked)) == (None, asked + 1)


@pytest.mark.parametrize(("step", "refused"), [(101, False), (102, True), (10**9 - 1, True)])
def test_a_step_far_ahead_is_refused(world: World, step: int, *, refused: bool) -> None:
    """Its follow-up could not be read, and the payment would be followed by nobody."""
    world.order()
    world.run(0)
    [outcome] = world.follow(CheckMessage(PAY_ID, step=step))
    assert isinstance(outcome.error, InvalidInput) is refused


@pytest.mark.parametrize("said", ["wait", "success"])
def test_followed_or_paid_a_message_causes_no_check(world: World, table: Table, said: str) -> None:
    """Its registration is merged; the event stays as it is."""
    world.says = lambda pay_id: reply(said, payId=pay_id)
    world.order()
    world.run(MINUTE)
    event, asked = table.item().get("event"), len(world.asked)
    world.order(orderId="A-17")
    world.run(0)
    item = table.item()
    assert (len(world.asked), item["orderId"], item.get("event")) == (asked, "A-17", event)
