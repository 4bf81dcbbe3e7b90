"""P4, P5: the sweeper sends due checks and unsent events, and gives up expired payments."""

from itertools import count

import pytest
from botocore.exceptions import EndpointConnectionError

from payresult.aws import indexes
from payresult.aws.items import SHARD_COUNT, shard
from payresult.domain.payment import CheckMessage
from payresult.errors import ReadIncomplete
from payresult.services import sweeper
from tests.support.factories import DAY, HOUR, MINUTE, NOW, PAY_ID, SECOND, reply
from tests.support.memory_table import HoldsBack
from tests.support.tables import Table
from tests.support.world import UNREACHABLE, World


def sweep(world: World, at: int | None = None) -> sweeper.SweepResult:
    """Sweep once, *at* a time, and return the result."""
    world.now = at or world.now
    world.sweep()
    return world.swept[-1]


def registered(world: World, *pay_ids: str) -> None:
    """Register *pay_ids*; their first messages are lost."""
    for pay_id in pay_ids:
        world.register(pay_id)
    world.queue.waiting.clear()


def bodies(world: World) -> list[str]:
    """Return the bodies of the messages in the queue."""
    return [message.body for message in world.queue.waiting]


def due(table: Table, kind: str, count: int, prefix: str = "", **attributes: object) -> list[str]:
    """Store *count* payments whose check or event is due since NOW; return their payIds."""
    world = World(table)
    if kind == "CHECK":
        world.register("model")
    else:
        world.pay("model")
    model = table.item("model")
    table.delete("model")
    pay_ids = [f"{prefix or kind[0].lower()}{number}" for number in range(count)]
    for pay_id in pay_ids:
        own = {"pk": f"P000818#{pay_id}", "payId": pay_id, "workShard": shard(kind, pay_id)}
        if kind == "EVENT":
            own |= {"eventId": pay_id, "event": f'{{"payId":"{pay_id}"}}'}
        table.put(model | own | {"workAt": NOW} | attributes)
    return pay_ids


def claimed(table: Table) -> set[str]:
    """Return the payIds of the checks that were claimed."""
    return {item["payId"] for item in table.scan() if item.get("workAt", 0) > NOW}


def kill_at(world: World, nth: int) -> None:
    """End the next sweep at its call number *nth*."""
    made = count(1)

    def before(_: str) -> None:
        if next(made) == nth:
            world.crash()

    world.before = before


def test_a_due_check_is_claimed_and_sent(world: World, table: Table) -> None:
    """At ``workAt``, and not before; the next step, no delay; the claim holds for ten minutes."""
    world.follow(CheckMessage(PAY_ID))
    world.queue.waiting.clear()
    before = table.item()
    assert sweep(world, NOW + 15 * MINUTE - 1) == sweeper.SweepResult()
    assert (table.item(), world.queue.waiting) == (before, [])
    assert sweep(world, NOW + 15 * MINUTE).checks_sent == [PAY_ID]
    assert bodies(world) == [f'{{"payId":"{PAY_ID}","step":2}}']
    assert world.queue.waiting[0].visible_at == world.now
    assert table.item()["workAt"] == world.now + 10 * MINUTE
    assert sweep(world).checks_sent == []


def test_two_sweepers_at_the_same_time_send_one_message(world: World, other: World) -> None:
    """A check is claimed before it is sent: the other sweeper finds it claimed."""
    registered(world, PAY_ID)
    world.now = other.now = NOW + HOUR
    world.once("update_item", other.sweep)
    assert sweep(world).checks_sent == []
    assert other.swept[-1].checks_sent == [PAY_ID]
    assert (world.queue.waiting, len(other.queue.waiting)) == ([], 1)


def test_a_check_that_sqs_refuses_is_due_again_in_ten_minutes(world: World, table: Table) -> None:
    """It is reported, and the others are sent."""
    registered(world, "a", "b")
    world.now = NOW + HOUR
    world.queue.rejects = lambda entry: '"a"' in entry["MessageBody"]
    swept = sweep(world)
    assert (swept.checks_sent, swept.checks_refused) == (["b"], ["a"])
    assert table.item("a")["workAt"] == world.now + 10 * MINUTE


def test_the_item_decides_not_the_index(world: World, other: World, table: Table) -> None:
    """The index lags: what was checked, paid or deleted meanwhile is not sent."""
    for pay_id in ("checked", "paid", "gone"):
        world.register(pay_id)
    world.queue.waiting.clear()
    world.now = NOW + HOUR
    other.now = NOW + HOUR - 2 * MINUTE  # so that the event of "paid" is due now
    other.says = lambda pay_id: reply("success" if pay_id == "paid" else "wait", payId=pay_id)

    def meanwhile() -> None:
        other.follow(CheckMessage("checked", step=1), CheckMessage("paid", step=1))
        table.delete("gone")

    world.once("batch_get_item", meanwhile)
    swept = sweep(world)
    assert (swept.checks_sent, swept.given_up, world.queue.waiting) == ([], [], [])


@pytest.mark.parametrize(
    ("stored", "times"),
    [
        pytest.param({}, [0, 10 * MINUTE, HOUR - 1], id="for an hour: EXPIRED or UNRESOLVED"),
        pytest.param({"status": "FAILED", "rank": 20}, [2 * HOUR, 40 * DAY], id="FAILED"),
        pytest.param({"status": "REVIEW", "rank": 25}, [2 * HOUR, 40 * DAY], id="REVIEW"),
    ],
)
def test_checks_go_on(
    world: World, table: Table, stored: dict[str, object], times: list[int]
) -> None:
    """Again each claim interval; FAILED and REVIEW are never given up (P5)."""
    registered(world, PAY_ID)
    table.change(giveUpAt=NOW + HOUR, **stored)
    for late in times:
        swept = sweep(world, NOW + HOUR + late)
        assert (swept.given_up, swept.checks_sent) == ([], [PAY_ID])


@pytest.mark.parametrize(("fails", "sent"), [("nothing", ["b"]), ("send_message_batch", [])])
def test_a_payment_is_given_up(world: World, table: Table, fails: str, sent: list[str]) -> None:
    """UNRESOLVED, out of the index, and told, for an alarm depends on it; others go on (P5)."""
    registered(world, "a", "b")
    table.change("a", giveUpAt=NOW + HOUR)
    world.fail(fails)
    swept = sweep(world, NOW + 2 * HOUR)
    assert (swept.given_up, swept.checks_sent) == (["a"], sent)
    assert swept.errors == ([] if sent else [UNREACHABLE])
    item = table.item("a")
    assert (item["status"], item["history"][-1]["way"]) == ("UNRESOLVED", "sweeper")
    assert "workAt" not in item


def test_a_payment_restarted_meanwhile_is_not_given_up(world: World, table: Table) -> None:
    """The condition of the write refuses it."""
    world.register()
    table.change(giveUpAt=NOW + HOUR)
    world.once("update_item", lambda: table.change(giveUpAt=NOW + DAY))
    assert sweep(world, NOW + 2 * HOUR).given_up == []
    assert table.item()["status"] == "PENDING"


def test_an_unsent_event_is_sent_after_a_minute(world: World) -> None:
    """Until then it is left to the stream (P4)."""
    world.pay(PAY_ID)
    assert sweep(world, NOW + MINUTE - 1).events_sent == 0
    assert sweep(world, NOW + MINUTE).events_sent == 1
    assert len(world.bus.entries) == 1


def test_only_a_check_whose_message_was_lost_is_overdue(table: Table) -> None:
    """The checks that the sweeper itself sends are on time."""
    world = World(table, delays=(5, 3600))
    world.order("late")
    world.order("lost")
    world.run(10 * SECOND)
    world.queue.waiting.clear()
    table.change("lost", nextCheckAt=NOW + 10 * SECOND, workAt=NOW + HOUR + 10 * SECOND)
    swept = sweep(world, NOW + HOUR + MINUTE)
    assert (sorted(swept.checks_sent), swept.overdue) == (["late", "lost"], ["lost"])


def test_followed_payments_are_counted_every_ten_minutes(world: World, table: Table) -> None:
    """A count reads the whole index. Settled payments do not count."""
    for pay_id in "abc":
        world.register(pay_id)
    table.change("c", workShard="EVENT#1")
    full = NOW - NOW % (10 * MINUTE) + 20 * MINUTE
    counted = []
    for minute in range(10):
        world.now = full + minute * MINUTE
        counted.append(world.sweeper.count()[0].get("PaymentsFollowed"))
    assert counted == [2] + [None] * 9


# In pieces


def test_a_sweep_killed_at_any_call(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most one piece waits for the next claim, ten minutes later."""
    monkeypatch.setattr(indexes, "MAX_KEYS_PER_READ", 20)  # a piece; 100 would take long here
    everything = set(due(table, "CHECK", 50))
    stored = table.scan()
    unsent: list[int] = []
    for last in count(1):
        for item in stored:
            table.put(item)
        world = World(table)
        world.now = NOW + MINUTE
        kill_at(world, last)
        world.sweep()
        sent = {body.split('"')[3] for body in bodies(world)}
        assert sent <= claimed(table)
        unsent.append(len(claimed(table) - sent))
        if world.swept:
            break
    assert len(unsent) > 50 + 5
    assert max(unsent) == 20
    assert (sent, unsent[-1]) == (everything, 0)


def test_a_sweep_goes_on_page_after_page(world: World, table: Table) -> None:
    """More than a page of one shard; the payment of another shard is in the first piece."""
    backlog = due(table, "CHECK", indexes.PAGE + 250, workShard="CHECK#3")
    [other] = due(table, "CHECK", 1, prefix="other", workShard="CHECK#7", workAt=NOW + 1)
    sent = sweep(world, NOW + MINUTE).checks_sent
    assert sorted(sent) == sorted([*backlog, other])
    assert other in sent[:100]


def test_events_and_checks_take_turns(world: World, table: Table) -> None:
    """A piece of each: neither waits for the end of the other's backlog."""
    due(table, "EVENT", 250)
    due(table, "CHECK", 250)
    calls = world.recorded()
    swept = sweep(world, NOW + MINUTE)
    assert (swept.events_sent, len(swept.checks_sent)) == (250, 250)
    tens = [name for name in calls if name in {"put_events", "send_message_batch"}]
    piece = ["put_events"] * 10 + ["send_message_batch"] * 10
    assert tens == piece * 2 + ["put_events"] * 5 + ["send_message_batch"] * 5


def test_refused_events_do_not_keep_back_the_others(world: World, table: Table) -> None:
    """Nor the checks; they are reported, and postponed."""
    due(table, "EVENT", 120)
    checks = due(table, "CHECK", 120)
    world.bus.entry_error = lambda detail: "InternalFailure" if '"e1' in detail else None
    swept = sweep(world, NOW + MINUTE)
    refused = dict.fromkeys(
        ["e1", *(f"e{number}" for number in [*range(10, 20), *range(100, 120)])], "InternalFailure"
    )
    assert (sorted(swept.checks_sent), swept.events_sent) == (sorted(checks), 120 - len(refused))
    assert swept.events_refused == refused
    assert table.item("e1")["workAt"] > world.now


def test_a_sweep_ends_with_ten_seconds_left(world: World, table: Table) -> None:
    """No piece begins then; what was claimed is sent."""
    due(table, "CHECK", 300)
    due(table, "EVENT", 300)
    left = iter((30_000, 20_000, 10_001, 10_000))
    world.remaining_ms = lambda: next(left)
    swept = sweep(world, NOW + MINUTE)
    assert (swept.events_sent, len(swept.checks_sent)) == (200, 100)
    assert {each for each in claimed(table) if each.startswith("c")} == set(swept.checks_sent)


# What cannot be handled


@pytest.mark.parametrize("kind", ["CHECK", "EVENT"])
def test_other_partner_codes_block_nothing(world: World, table: Table, kind: str) -> None:
    """More than a page of them in the same shard; they are counted, and left as they are."""
    [own] = due(table, kind, 1)
    others = indexes.PAGE + 50
    entry = {"workShard": table.item(own)["workShard"], "workAt": NOW - HOUR}
    for number in range(others):
        table.put({"pk": f"P000819#{number}"} | entry)
    swept = sweep(world, NOW + MINUTE)
    assert (swept.checks_sent, swept.events_sent) == (([own], 0) if kind == "CHECK" else ([], 1))
    assert swept.others == others
    assert swept.unreadable == []


def test_other_codes_are_bounded(
    world: World, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each shard for itself: a read of the index costs money each minute."""
    monkeypatch.setattr(indexes, "PAGE", 5)
    monkeypatch.setattr(indexes, "MAX_OTHERS", 10)
    for number in range(12):
        table.put({"pk": f"P000819#{number}", "workShard": "CHECK#1", "workAt": NOW - HOUR})
    due(table, "CHECK", 1, prefix="behind", workShard="CHECK#1")
    due(table, "CHECK", 1, prefix="beside", workShard="CHECK#2")
    swept = sweep(world, NOW + MINUTE)
    assert (swept.checks_sent, swept.others) == (["beside0"], 10)


@pytest.mark.parametrize("kind", ["CHECK", "EVENT"])
def test_unreadable_items_at_the_head_block_nothing(world: World, table: Table, kind: str) -> None:
    """More than a page of them: written by a later version, they are counted and left alone."""
    number = indexes.PAGE + 50
    later = due(table, kind, number, workShard=f"{kind}#3", workAt=NOW - HOUR, schemaVersion=2)
    before = table.scan()
    own = due(table, "CHECK", 1, prefix="own", workShard="CHECK#3")
    paid = due(table, "EVENT", 1, workShard="EVENT#3") if kind == "CHECK" else []
    swept = sweep(world, NOW + MINUTE)
    assert (swept.checks_sent, swept.events_sent) == (own, len(paid))
    assert (sorted(swept.unreadable), swept.events_refused) == (sorted(later), {})
    left = [item for item in table.scan() if item["payId"] in later]
    assert left == before


def test_unreadable_is_bounded(world: World, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is read anew each minute, which costs money; events and checks had equal turns."""
    monkeypatch.setattr(sweeper, "MAX_UNREADABLE", 150)
    due(table, "CHECK", 400, schemaVersion=2)
    due(table, "EVENT", 400)
    swept = sweep(world, NOW + MINUTE)
    assert (len(swept.unreadable), swept.events_sent) == (200, 200)


def test_a_payment_that_was_not_read_fails_alone(world: World, table: Table) -> None:
    """The sweep reports the error, and sends the others."""
    due(table, "CHECK", 3)
    world.dependencies["table"] = HoldsBack(world.dependencies["table"], "P000818#c1")
    swept = sweep(world, NOW + MINUTE)
    assert sorted(swept.checks_sent) == ["c0", "c2"]
    assert [type(error) for error in swept.errors] == [ReadIncomplete]
    assert table.item("c1")["workAt"] == NOW


def test_while_sqs_does_not_answer_one_piece_is_claimed(world: World, table: Table) -> None:
    """The others stay due, and events are published."""
    due(table, "CHECK", 300)
    due(table, "EVENT", 300)
    world.fail("send_message_batch", *range(3, 1000))
    swept = sweep(world, NOW + MINUTE)
    assert (len(swept.checks_sent), len(swept.checks_refused)) == (20, 80)
    assert (swept.events_sent, len(swept.errors)) == (300, 8)
    assert sum(item["workAt"] == NOW for item in table.scan() if "workAt" in item) == 200


def test_an_error_in_one_piece_stops_no_other(world: World, table: Table) -> None:
    """It is in the result, for the handler to raise at the end."""
    due(table, "EVENT", 150)
    due(table, "CHECK", 150)
    world.fail("batch_get_item", 1)
    swept = sweep(world, NOW + MINUTE)
    assert (swept.events_sent, len(swept.checks_sent)) == (50, 150)
    assert [type(error) for error in swept.errors] == [EndpointConnectionError]


def test_a_shard_that_cannot_be_read_does_not_stop_the_others(world: World, table: Table) -> None:
    """Its error is in the result."""
    for number in range(SHARD_COUNT):
        due(table, "CHECK", 1, prefix=f"s{number}-", workShard=f"CHECK#{number}")
    world.fail("query", SHARD_COUNT + 1)  # the first one of the checks
    swept = sweep(world, NOW + MINUTE)
    assert sorted(swept.checks_sent) == [f"s{number}-0" for number in range(1, SHARD_COUNT)]
    assert [type(error) for error in swept.errors] == [EndpointConnectionError]


def test_one_failed_write_does_not_hide_the_others(world: World, table: Table) -> None:
    """The payment that was not written is due again; the other one is reported."""
    for pay_id in "ab":
        world.register(pay_id)
        table.change(pay_id, giveUpAt=NOW + HOUR)
    world.fail("update_item", 1)
    first, second = sweep(world, NOW + 2 * HOUR), sweep(world)
    assert sorted(first.given_up + second.given_up) == ["a", "b"]
    assert (len(first.given_up), first.errors, second.errors) == (1, [UNREACHABLE], [])


# Gauges


def test_what_waits_for_a_person_is_counted(table: Table) -> None:
    """All of it, and what is new in the last three minutes; not that of another partner code."""
    reasons = [("REVIEW", 0), ("UNRESOLVED", 3), ("DUPLICATE", 4), ("OTHER", 0)]
    for reason, minutes in reasons:
        entry = {"attention": f"P000818#{reason}", "attentionSince": NOW - minutes * MINUTE}
        table.put({"pk": f"P000818#{reason}"} | entry)
    table.put({"pk": "P000819#a", "attention": "P000819#REVIEW", "attentionSince": NOW})
    gauges, errors = World(table).sweeper.count()
    assert (gauges["AttentionNew"], gauges["AttentionTotal"], errors) == (2, 3, [])


def test_a_gauge_that_cannot_be_counted_is_missing(world: World) -> None:
    """The others are counted; the error is in the result."""
    world.register()
    world.now = NOW - NOW % (10 * MINUTE)
    world.fail("query", 1)
    gauges, errors = world.sweeper.count()
    assert gauges == {"AttentionTotal": 0, "PaymentsFollowed": 1}
    assert [type(error) for error in errors] == [EndpointConnectionError]
