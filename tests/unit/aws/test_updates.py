"""P1, P2, P3, P5: each write to an item: the attributes it sets, and its condition."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from payresult.aws import updates
from payresult.aws.expressions import Update
from payresult.domain.decision import CheckPlan
from payresult.domain.event import Event
from payresult.domain.payment import CheckError, Payment, Registration, Status
from payresult.domain.registration import new_payment
from payresult.domain.reply import Reply
from tests.support.factories import DAY, HOUR, MINUTE, NOW, PARTNER, PAY_ID, SECOND, reply
from tests.support.tables import Table
from tests.support.writes import (
    CREATED,
    OTHER_ACCEPTED,
    OTHER_REGISTRATION,
    PLANNED,
    REGISTERED,
    SHARD,
    assert_refused,
    change,
    create,
    of,
    without,
)

P, U, E, F, R, S = Status
DUPLICATE = f"{PARTNER}#DUPLICATE"
EVENT = Event(PAY_ID, "the-id", '{"a":1}')
PAID = reply(payAmount="$19.99")
NEW = new_payment(PARTNER, PAY_ID, Registration(), NOW)
FULL = Registration("A-17", "19.99", "USD")


def checks(
    stored: Payment, plan: CheckPlan, answer: Reply | None = None, step: int = 1
) -> tuple[Update, Update]:
    """Return the writes of a queued and of a live check, a second after NOW."""
    said = answer or reply("x")
    queued = updates.record_step(stored, plan, said, now=NOW + SECOND, step=step)
    live = updates.record_live(stored, plan, said, now=NOW + SECOND, trigger="api")
    return queued, live


def succeed(stored: Payment) -> Update:
    """Return the write of a success that comes a second after NOW."""
    return updates.succeed(stored, CheckPlan(S, 1), PAID, EVENT, now=NOW + SECOND, trigger="queue")


def restart(stored: Payment, now: int = NOW + DAY, registration: Registration = FULL) -> Update:
    """Return the write of a restart by the API."""
    return updates.restart(stored, registration, now, "api")


ENDED: dict[str, Any] = {
    **of(U),
    "attempt": 32,
    "step": 41,
    **dict.fromkeys(PLANNED),
    "lastError": {"kind": "unavailable", "at": NOW, "tries": 9, "since": NOW},
    "attention": f"{PARTNER}#UNRESOLVED",
    "attentionSince": NOW,
}
"""What changes in a payment that ends UNRESOLVED."""

# Conditions

LATEST = NOW + 9 * DAY + HOUR
"""The check at ``giveUpAt`` has an hour."""

WRITES: dict[str, Callable[[Payment], Update]] = {
    "create": lambda _: updates.create(replace(NEW, created_at=NOW + HOUR), "api"),
    "amend": lambda stored: updates.amend(stored, FULL),
    "restart": restart,
    "claim_live": lambda stored: updates.claim_live(stored, NOW + HOUR),
    "note_unanswered": lambda _: updates.note_unanswered(NOW),
    "record_live": lambda stored: checks(stored, CheckPlan(P, 0))[1],
    "record_step": lambda stored: checks(stored, CheckPlan(P, 0))[0],
    "review_live": lambda stored: checks(stored, CheckPlan(R, 0), PAID)[1],
    "review_step": lambda stored: checks(stored, CheckPlan(R, 0), PAID)[0],
    "succeed": succeed,
    "mark_sent": lambda _: updates.mark_sent(EVENT, NOW, None, None),
    "mark_waiting": lambda _: updates.mark_sent(EVENT, NOW, NOW // 1000, DUPLICATE),
    "postpone_event": lambda _: updates.postpone_event(EVENT, NOW),
    "claim_due": lambda stored: updates.claim_due(stored, NOW + 10 * DAY),
    "give_up": lambda stored: updates.give_up(stored, LATEST),
    "give_up_early": lambda stored: updates.give_up(stored, LATEST - 1),
}
GONE: dict[str, Any] = {"pk": None}
"""The item was deleted."""

UNSENT = {"eventId": EVENT.event_id, "eventState": "PENDING"}
NOT_THIS_EVENT: list[dict[str, Any]] = [
    *({"eventState": "SENT"}, {"eventId": "other"}, {"eventId": None, "eventState": None}),
]
OTHER_WORK: list[dict[str, Any]] = [
    *({"workAt": NOW}, {"workShard": "EVENT#0"}, {"workAt": None, "workShard": None}),
]
REFUSED: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    ("create", REGISTERED, [{}]),
    # after a success only what agrees with the event may be registered (P2)
    ("amend", {}, [*OTHER_REGISTRATION, *map(of, (U, E, F, R, S)), GONE]),
    ("amend", REGISTERED, OTHER_REGISTRATION),
    # of two messages that restart a payment, one does
    ("restart", ENDED, [{"giveUpAt": NOW}, {"attention": None}, *OTHER_REGISTRATION]),
    ("restart", ENDED, [{"status": status.value} for status in (P, F, S)]),
    # another caller has checked meanwhile
    ("claim_live", {}, [{"lastCheckedAt": NOW}, GONE]),
    ("claim_live", {"lastCheckedAt": NOW}, [{"lastCheckedAt": NOW + 1}, {"lastCheckedAt": None}]),
    # it is paid, or a later query failed as well
    ("note_unanswered", {}, [{"rank": 30}, {"lastUnansweredAt": NOW}]),
    # started again: the answer is to an older question; only a success may create an item
    ("record_live", {}, [{"giveUpAt": NOW + 10 * DAY}, GONE]),
    ("record_step", {}, [{"giveUpAt": NOW + 10 * DAY}, GONE]),
    # what decided may have changed
    ("review_live", {}, OTHER_REGISTRATION + OTHER_ACCEPTED),
    ("review_step", {}, OTHER_REGISTRATION + OTHER_ACCEPTED),
    # rank and event id, each alone; the history continues from the stored status
    ("succeed", {}, [{"rank": 30}, {"eventId": "other"}, *map(of, (U, E, F, R))]),
    # set, changed or removed since: the amount may be wrong now (P2)
    ("succeed", {}, OTHER_REGISTRATION + OTHER_ACCEPTED),
    ("succeed", REGISTERED, OTHER_REGISTRATION + [{name: None} for name in REGISTERED]),
    # publisher or sweeper was faster, or it is another event
    ("mark_sent", UNSENT, NOT_THIS_EVENT),
    # nothing expires that waits for a person since it was read, and what was closed does
    ("mark_sent", UNSENT, [{"attention": DUPLICATE}]),
    ("mark_waiting", UNSENT | {"attention": DUPLICATE}, [{"attention": None}]),
    ("postpone_event", UNSENT, NOT_THIS_EVENT),
    # another sweeper, a check or a success was faster
    ("claim_due", {}, OTHER_WORK),
    ("give_up", {}, OTHER_WORK),
    # restarted, failed or paid since it was read; or too early
    ("give_up", {}, [{"giveUpAt": NOW + 10 * DAY}, *map(of, (U, E, F, R, S))]),
    ("give_up", of(F), [{}]),
    ("give_up", of(R), [{}]),
    ("give_up_early", {}, [{}]),
]


CASES = [(write, before, meanwhile) for write, before, changes in REFUSED for meanwhile in changes]


@pytest.mark.parametrize(("write", "before", "meanwhile"), CASES)
def test_a_write_requires_what_its_decision_was_made_with(
    table: Table, write: str, before: dict[str, Any], meanwhile: dict[str, Any]
) -> None:
    """*before* is stored when the payment is read; *meanwhile* changes until the write."""
    stored = create(table, **before)
    if meanwhile is GONE:
        table.delete()
    else:
        table.change(**meanwhile)
    assert_refused(table, WRITES[write](stored))


@pytest.mark.parametrize("field", ["orderId", "expectedAmount", "currency"])
@pytest.mark.parametrize("status", [P, U, F])
def test_others_do_not_require_the_registration(table: Table, field: str, status: Status) -> None:
    """A PUT between read and write is no reason to decide again."""
    stored = create(table)
    table.change(**{field: "OTHER"})
    assert table.payments.write(PAY_ID, checks(stored, CheckPlan(status, 1))[0]).status is status
    assert table.item()[field] == "OTHER"


@pytest.mark.parametrize("status", [P, U, E, F, R])
@pytest.mark.parametrize("before", Status)
def test_no_check_lowers_the_rank(table: Table, status: Status, before: Status) -> None:
    """For queued and live checks, each pair of statuses, whatever was read before."""
    stored = create(table, **of(before))
    for update in checks(stored, CheckPlan(status, 1)):
        table.change(**of(before), giveUpAt=stored.give_up_at)
        if status.rank < before.rank:
            assert_refused(table, update)
        else:
            assert table.payments.write(PAY_ID, update).status is status


@pytest.mark.parametrize("status", [U, E, F, R])
def test_a_change_of_status_requires_the_status_as_read(table: Table, status: Status) -> None:
    """Otherwise the history would repeat a change, or have one that never was."""
    stored = create(table)
    table.change(**of(status))
    for update in checks(stored, CheckPlan(status, 1)):
        assert_refused(table, update)


@pytest.mark.parametrize(("stored", "number"), [(0, 1), (0, 7), (6, 7), (8, 7)])
def test_a_step_is_recorded_once(table: Table, stored: int, number: int) -> None:
    """Also where the sweeper has skipped steps; never a repeated message or an older step."""
    update, _ = checks(create(table, step=stored), SOON, step=number)
    if stored < number:
        table.payments.write(PAY_ID, update)
    assert table.item()["step"] == max(stored, number)
    assert_refused(table, update)


# Register


@pytest.mark.parametrize(("registration", "stored"), [(FULL, REGISTERED), (Registration(), {})])
def test_create_stores(table: Table, registration: Registration, stored: dict[str, str]) -> None:
    """With a watchdog in case the first message is lost. What is not registered is absent."""
    new = updates.create(replace(NEW, registration=registration), "queue")
    after = table.payments.write(PAY_ID, new)
    assert table.item() == CREATED | stored
    assert after == table.payment()


@pytest.mark.parametrize("status", [U, E, F])
def test_restart_starts_the_schedule_again(table: Table, status: Status) -> None:
    """PENDING, ``attempt`` 0, a new ``giveUpAt``, nobody called; ``step`` goes on."""
    quiet = {"attention": None, "attentionSince": None, "expiresAt": NOW // 1000}
    stored = create(table, **ENDED | of(status) | ({} if status is U else quiet))
    now = NOW + 20 * DAY
    table.payments.write(PAY_ID, restart(stored, now))
    assert table.item() == CREATED | REGISTERED | {
        "step": 41,
        "nextCheckAt": now,
        "giveUpAt": now + 9 * DAY,
        "workAt": now + 15 * MINUTE,
        "history": [*CREATED["history"], change(now, status, P, "api")],
    }


def test_each_start_has_a_give_up_at_of_its_own(table: Table) -> None:
    """Also in the millisecond of the one before: it tells old answers from new ones."""
    after = table.payments.write(PAY_ID, restart(create(table, **ENDED), NOW))
    assert after.give_up_at == NOW + 9 * DAY + 1


# What a write changes

SOON = CheckPlan(P, 1, None, "queue", NOW + 5 * SECOND, None)
CHECKED: dict[str, Any] = {
    "checks": 1,
    "step": 1,
    "attempt": 1,
    "lastCheckedAt": NOW + SECOND,
    "nextCheckAt": NOW + 5 * SECOND,
    "lastAnsweredAt": NOW + SECOND,
    "reply": {"partnerCode": PARTNER, "payId": PAY_ID, "payRst": "wait"},
}
LATE = CheckPlan(F, 1, None, "sweeper", NOW + HOUR, NOW + HOUR)
UNANSWERED = {"reply": None, "lastAnsweredAt": None, "lastUnansweredAt": NOW + SECOND}
WATCHED = {"workShard": CREATED["workShard"], "workAt": NOW + HOUR}
AT_REST, NOBODY = dict.fromkeys(PLANNED), {"attention": None, "attentionSince": None}
Write = Callable[[Payment], Update]


def step(plan: CheckPlan, pay_rst: str | None = "wait", number: int = 1) -> Write:
    """Return the write of step *number*, a second after NOW."""
    answer = None if pay_rst is None else reply(pay_rst)
    return lambda stored: updates.record_step(stored, plan, answer, now=NOW + SECOND, step=number)


def needs(status: Status, since: int) -> dict[str, Any]:
    """Return what calls a person."""
    return of(status) | {"attention": f"{PARTNER}#{status.value}", "attentionSince": since}


def assert_changes(table: Table, stored: Payment, write: Write, changed: dict[str, Any]) -> None:
    """Assert that *write* changes this and nothing else; None: an attribute is removed."""
    expected = {k: v for k, v in (table.item() | changed).items() if v is not None}
    table.payments.write(PAY_ID, write(stored))
    assert table.item() == expected


@pytest.mark.parametrize(
    ("before", "plan", "pay_rst", "changed"),
    [
        ({}, SOON, "wait", {}),
        # a watchdog, also where there was none
        ({"workAt": None, "workShard": None}, replace(SOON, work_at=NOW + HOUR), "wait", WATCHED),
        # a slow answer does not undo what a faster one has told: ``stale`` does not flap
        ({"lastAnsweredAt": NOW + HOUR}, SOON, "wait", {"lastAnsweredAt": NOW + HOUR}),
        ({"lastUnansweredAt": NOW + HOUR}, SOON, None, {"lastUnansweredAt": NOW + HOUR}),
        # ``lastError`` is about the last check; nothing is deleted that has a check left
        ({"lastError": {"kind": "x", "at": 1, "tries": 1}}, SOON, "wait", {"lastError": None}),
        ({"expiresAt": NOW // 1000}, SOON, "wait", {"expiresAt": None}),
        ({}, LATE, "fail", WATCHED),
        ({}, replace(SOON, status=F, give_up_at=1), "fail", {"giveUpAt": 1}),
        # the last check: status, and what calls a person, by the same write
        ({}, CheckPlan(U, 27), None, needs(U, NOW + SECOND)),
        ({}, CheckPlan(E, 32, expires_at=1_800_000_000), "wait", {"expiresAt": 1_800_000_000}),
        # the person need not look any more
        (needs(U, NOW), CheckPlan(E, 1), "wait", NOBODY),
        (needs(U, NOW), CheckPlan(F, 1), "fail", NOBODY),
        # he has to; or he has closed it
        (needs(R, NOW), CheckPlan(R, 1), "success", {}),
        (of(R), CheckPlan(R, 1), "success", {}),
    ],
    ids=str,
)
def test_record_step_changes(
    table: Table, before: dict[str, Any], plan: CheckPlan, pay_rst: str | None, changed: Any
) -> None:
    """A change of status is in the history, with time, ``payRst`` and trigger."""
    stored = create(table, **before)
    expected = CHECKED | of(plan.status) | {"attempt": plan.attempt, "nextCheckAt": plan.check_at}
    expected |= {"reply": CHECKED["reply"] | {"payRst": pay_rst}} if pay_rst else UNANSWERED
    expected |= AT_REST if plan.check_at is None else {}
    if plan.status is not stored.status:
        said = {"payRst": pay_rst} if pay_rst else {}
        entry = change(NOW + SECOND, stored.status, plan.status, "queue", **said)
        expected |= {"history": [*CREATED["history"], entry]}
    assert_changes(table, stored, step(plan, pay_rst), expected | changed)


PLAN_IS_KEPT = {name: CREATED[name] for name in ("step", "attempt", "nextCheckAt")}
CLAIMED = {"lastCheckedAt": NOW + SECOND}


@pytest.mark.parametrize(
    ("before", "write", "changed"),
    [
        ({}, lambda it: updates.amend(it, FULL), REGISTERED),
        ({}, lambda it: updates.claim_live(it, NOW + SECOND), CLAIMED),
        # the gateway has not answered yet: ``stale`` stays as it is
        (
            {"lastCheckedAt": 1, "lastAnsweredAt": 1, "lastUnansweredAt": 2},
            lambda it: updates.claim_live(it, NOW + SECOND),
            CLAIMED,
        ),
        ({}, lambda _: updates.note_unanswered(NOW), {"lastUnansweredAt": NOW}),
        (of(R), lambda _: updates.note_unanswered(NOW), {"lastUnansweredAt": NOW}),
        ({"lastUnansweredAt": 1}, WRITES["note_unanswered"], {"lastUnansweredAt": NOW}),
        ({}, lambda it: checks(it, CheckPlan(P, 0), reply("wait"))[1], CHECKED | PLAN_IS_KEPT),
        # before the message is sent
        ({}, lambda it: updates.claim_due(it, NOW), {"workAt": NOW + 10 * MINUTE}),
        (
            *({}, WRITES["give_up"]),
            {"history": [*CREATED["history"], change(LATEST, P, U, "sweeper")]}
            | needs(U, LATEST)
            | AT_REST,
        ),
    ],
)
def test_other_writes_change(table: Table, before: Any, write: Write, changed: Any) -> None:
    """The plan belongs to the checks from the queue: a live check leaves it."""
    assert_changes(table, create(table, **before), write, changed)


def test_a_live_check_can_plan_late_checks(table: Table) -> None:
    """For a payment that has no planned check."""
    stored = create(table, **ENDED)
    table.payments.write(PAY_ID, checks(stored, LATE, reply("fail"))[1])
    entry = change(NOW + SECOND, U, F, "api", payRst="fail")
    assert table.item() == CREATED | CHECKED | of(F) | WATCHED | {
        "reply": CHECKED["reply"] | {"payRst": "fail"},
        "attempt": 32,
        "step": 41,
        "history": [*CREATED["history"], entry],
        "nextCheckAt": NOW + HOUR,
    }


def test_a_check_in_the_fast_phase_does_not_touch_the_index(table: Table) -> None:
    """Not even with the same values: each write of an index costs."""
    assert "#work" not in step(SOON)(create(table)).arguments()["UpdateExpression"]


def test_record_step_without_a_reply_keeps_the_last_reply(table: Table) -> None:
    """``lastError`` says what went wrong."""
    table.payments.write(PAY_ID, step(SOON)(create(table)))
    down = replace(SOON, error=CheckError("unavailable", NOW + SECOND, 2, NOW, "http", 503))
    table.payments.write(PAY_ID, step(down, None, number=2)(table.payment()))
    error = {"kind": "unavailable", "at": NOW + SECOND, "tries": 2, "since": NOW}
    assert table.item() == CREATED | CHECKED | {
        "checks": 2,
        "step": 2,
        "lastError": error | {"how": "http", "httpStatus": 503},
        "lastUnansweredAt": NOW + SECOND,
    }


def test_the_history_keeps_its_first_entry_and_the_last_50(table: Table) -> None:
    """An item has 400 KB."""
    entries = [change(NOW + n, F, P, "api") for n in range(50)]
    create(table, history=[*CREATED["history"], *entries])
    table.payments.write(PAY_ID, step(replace(SOON, status=F), "fail")(table.payment()))
    history = table.item()["history"]
    assert history[:-1] == [*CREATED["history"], *entries[1:]]
    assert history[-1]["to"] == "FAILED"


# Succeed and send

OUTBOX: dict[str, Any] = {
    **of(S),
    "checks": 1,
    "attempt": 1,
    "lastCheckedAt": NOW + SECOND,
    "lastAnsweredAt": NOW + SECOND,
    "reply": {"partnerCode": PARTNER, "payId": PAY_ID, "payRst": "success", "payAmount": "$19.99"},
    "history": [*CREATED["history"], change(NOW + SECOND, P, S, "queue", payRst="success")],
    "eventId": "the-id",
    "event": '{"a":1}',
    "eventState": "PENDING",
    "workShard": f"EVENT#{SHARD}",
    "workAt": NOW + SECOND + MINUTE,
}


def test_a_success_and_its_event_are_one_write(table: Table) -> None:
    """Status, reply, history, event, index, no planned check; once: one event, one body (P3)."""
    stored = create(table, **REGISTERED)
    table.change(lastError={"kind": "unavailable", "at": NOW, "tries": 1}, expiresAt=NOW // 1000)
    table.payments.write(PAY_ID, succeed(stored))
    assert table.item() == without(CREATED | REGISTERED | OUTBOX, "nextCheckAt")
    assert_refused(table, succeed(stored))


def test_a_success_creates_the_item_where_there_is_none(table: Table) -> None:
    """A GET of an unregistered payId that is paid: the item is complete."""
    table.payments.write(PAY_ID, succeed(NEW))
    expected = CREATED | OUTBOX | {"history": OUTBOX["history"][1:]}
    assert table.item() == without(expected, "nextCheckAt", "step")


def test_a_success_keeps_created_at_and_give_up_at(table: Table) -> None:
    """A PUT created the payment while the gateway answered a GET."""
    create(table)
    late = new_payment(PARTNER, PAY_ID, Registration(), NOW + HOUR)
    after = table.payments.write(PAY_ID, succeed(late))
    assert (after.created_at, after.give_up_at) == (NOW, NOW + 9 * DAY)


@pytest.mark.parametrize("status", [P, U, E, F, R])
def test_a_success_replaces_every_other_status(table: Table, status: Status) -> None:
    """Also as an answer to a question from before a restart (P1)."""
    stored = create(table, **of(status))
    table.change(giveUpAt=NOW + 20 * DAY)
    assert table.payments.write(PAY_ID, succeed(stored)).settled


@pytest.mark.parametrize("status", [P, R])
def test_a_success_waits_only_where_it_is_a_duplicate(table: Table, status: Status) -> None:
    """Whether it was in REVIEW before or not: one write, one entry in the index."""
    waits: dict[str, Any] = {}
    if status is R:
        waits = {"attention": f"{PARTNER}#REVIEW", "attentionSince": NOW}
    for duplicate_of in ("first", None):
        table.delete()
        stored = create(table, **of(status), **waits)
        plan = CheckPlan(S, 1, duplicate_of=duplicate_of)
        update = updates.succeed(stored, plan, PAID, EVENT, now=NOW + SECOND, trigger="queue")
        after = table.payments.write(PAY_ID, update)
        found = after.attention, after.attention_since
        assert found == ((DUPLICATE, NOW + SECOND) if duplicate_of else (None, None))


def test_an_order_that_is_a_duplicate_late_lets_the_payment_wait(table: Table) -> None:
    """And not expire; the event stays."""
    table.payments.write(PAY_ID, succeed(create(table)))
    table.change(expiresAt=NOW // 1000)
    stored = table.payment()
    after = table.payments.write(PAY_ID, updates.amend(stored, FULL, NOW + HOUR))
    waiting = after.attention, after.attention_since, after.expires_at
    assert waiting == (DUPLICATE, NOW + HOUR, None)
    assert (after.event, after.registration) == (stored.event, FULL)


EXPIRY = 1_800_000_000


@pytest.mark.parametrize(
    ("update", "changed"),
    [
        (updates.mark_sent(EVENT, NOW + HOUR, None, None), {}),
        (updates.mark_sent(EVENT, NOW + HOUR, EXPIRY, None), {"expiresAt": EXPIRY}),
        (updates.mark_sent(EVENT, NOW + HOUR, EXPIRY, DUPLICATE), {"attention": DUPLICATE}),
    ],
    ids=["kept for ever", "expires", "waits for a person"],
)
def test_mark_sent_ends_the_sending(table: Table, update: Update, changed: dict[str, Any]) -> None:
    """The event stays as it was sent; from then on the item may be deleted, never before."""
    table.payments.write(PAY_ID, succeed(create(table)))
    table.change(attention=changed.get("attention"))
    table.payments.write(PAY_ID, update)
    sent = OUTBOX | {"eventState": "SENT", "eventSentAt": NOW + HOUR} | changed
    assert table.item() == without(CREATED | sent, *PLANNED)


def test_postpone_changes_work_at(table: Table) -> None:
    """And nothing else."""
    table.payments.write(PAY_ID, succeed(create(table)))
    table.payments.write(PAY_ID, updates.postpone_event(EVENT, NOW + HOUR))
    assert table.item() == without(CREATED | OUTBOX | {"workAt": NOW + HOUR}, "nextCheckAt")
