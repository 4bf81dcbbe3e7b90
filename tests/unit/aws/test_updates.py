"""P1, P2, P3, P5: each write to an item: the attributes it sets, and its condition."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from payresult.aws import operator_updates, updates
from payresult.aws.expressions import Update
from payresult.domain.decision import CheckPlan
from payresult.domain.event import Event
from payresult.domain.payment import CheckError, Payment, Registration, Status
from payresult.domain.registration import new_payment
from payresult.errors import PaymentChanged
from tests.support.factories import DAY, HOUR, MINUTE, NOW, PARTNER, PAY_ID, SECOND, reply
from tests.support.tables import Table

P, U, E, F, R, S = Status
SHARD = 2
"""crc32 of PAY_ID, modulo 8."""

FULL = Registration("A-17", "19.99", "USD")
EVENT = Event(PAY_ID, "the-id", '{"a":1}')
PAID = reply(payAmount="$19.99")

CREATED: dict[str, Any] = {
    "pk": f"{PARTNER}#{PAY_ID}",
    "partnerCode": PARTNER,
    "payId": PAY_ID,
    "schemaVersion": 1,
    "status": "PENDING",
    "rank": 10,
    "createdAt": NOW,
    "giveUpAt": NOW + 9 * DAY,
    "attempt": 0,
    "step": 0,
    "checks": 0,
    "nextCheckAt": NOW,
    "history": [{"at": NOW, "to": "PENDING", "way": "queue"}],
    "workShard": f"CHECK#{SHARD}",
    "workAt": NOW + 15 * MINUTE,
}
REGISTERED = {"orderId": "A-17", "expectedAmount": "19.99", "currency": "USD"}
WORK = {"workShard", "workAt"}


def create(table: Table, registration: Registration | None = None) -> Payment:
    """Store a new payment and return it."""
    new = new_payment(PARTNER, PAY_ID, registration or Registration(), NOW)
    return table.payments.write(PAY_ID, updates.create(new, "queue"))


def without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return *item* without some of its attributes."""
    return {name: value for name, value in item.items() if name not in names}


def assert_refused(table: Table, update: Update) -> None:
    """Assert that the write is refused, changes nothing, and returns the stored payment."""
    before = table.item()
    with pytest.raises(PaymentChanged) as changed:
        table.payments.write(PAY_ID, update)
    assert table.item() == before
    assert changed.value.current == (table.payment() if before else None)


# Expressions


def test_attribute_names_may_be_reserved_words(table: Table) -> None:
    """DynamoDB refuses its reserved words where a name is not an alias."""
    table.put({"pk": f"{PARTNER}#{PAY_ID}", "status": "old"})
    update = Update()
    update.require("#status = :old", old="old")
    update.set(name="new")
    update.set_if_absent(year=1)
    update.increment("count")
    update.append("list", {"a": 1})
    update.remove("status")
    key = {"pk": {"S": f"{PARTNER}#{PAY_ID}"}}
    table.client.update_item(TableName=table.name, Key=key, **update.arguments())
    expected = {"name": "new", "year": 1, "count": 1, "list": [{"a": 1}]}
    assert without(table.item(), "pk") == expected


def test_none_as_read_requires_an_absent_attribute() -> None:
    """To moto a missing attribute equals null, so it cannot test this."""
    update = Update()
    update.require_unchanged(workAt=None)
    arguments = update.arguments()
    assert arguments["ConditionExpression"] == "(attribute_not_exists(#workAt))"
    assert arguments["ExpressionAttributeValues"] == {}


# Register


def test_create_stores_the_whole_payment(table: Table) -> None:
    """With the registration, and a watchdog in case the first message is lost."""
    after = create(table, FULL)
    assert table.item() == CREATED | REGISTERED
    assert after == table.payment()


def test_create_omits_fields_that_are_not_registered(table: Table) -> None:
    """Absent, never null."""
    create(table)
    assert table.item() == CREATED


def test_create_never_replaces_a_payment(table: Table) -> None:
    """PaymentChanged has the stored payment."""
    create(table, FULL)
    new = new_payment(PARTNER, PAY_ID, Registration(), NOW + HOUR)
    assert_refused(table, updates.create(new, "api"))


def test_amend_sets_the_registration_and_nothing_else(table: Table) -> None:
    """The planned check and the index stay as they are."""
    table.payments.write(PAY_ID, updates.amend(create(table), FULL))
    assert table.item() == CREATED | REGISTERED


@pytest.mark.parametrize("field", ["orderId", "expectedAmount", "currency"])
@pytest.mark.parametrize("read_before", [Registration(), FULL])
def test_amend_requires_the_registration_as_it_was_read(
    table: Table, field: str, read_before: Registration
) -> None:
    """Where a field changed meanwhile, the caller decides again."""
    stored = create(table, read_before)
    table.change(**{field: "OTHER"})
    assert_refused(table, updates.amend(stored, FULL))


@pytest.mark.parametrize("status", [U, E, F, R, S])
def test_amend_requires_the_status_as_it_was_read(table: Table, status: Status) -> None:
    """After a success only what agrees with the event may be registered (P2)."""
    stored = create(table)
    table.change(status=status.value, rank=status.rank)
    assert_refused(table, updates.amend(stored, FULL))


def test_amend_creates_no_item(table: Table) -> None:
    """An item that was deleted meanwhile is not written in part."""
    stored = create(table)
    table.delete()
    assert_refused(table, updates.amend(stored, FULL))


def ended(table: Table, status: Status = U) -> Payment:
    """Store a payment that ended without a success and has no planned check, and return it."""
    create(table)
    table.change(
        status=status.value,
        rank=status.rank,
        attempt=32,
        step=41,
        nextCheckAt=None,
        workShard=None,
        workAt=None,
        lastError={"kind": "unavailable", "at": NOW, "tries": 9, "since": NOW},
        attention=f"{PARTNER}#UNRESOLVED" if status is U else None,
        attentionSince=NOW if status is U else None,
        expiresAt=None if status is U else NOW // 1000,
    )
    return table.payment()


def restart(stored: Payment, now: int, registration: Registration | None = None) -> Update:
    """Return the write of a restart by the API."""
    return updates.restart(stored, registration or stored.registration, now, "api")


@pytest.mark.parametrize("status", [U, E, F])
def test_restart_starts_the_schedule_again(table: Table, status: Status) -> None:
    """PENDING, ``attempt`` 0, a new ``giveUpAt``, nobody called; ``step`` goes on."""
    now = NOW + 20 * DAY
    table.payments.write(PAY_ID, restart(ended(table, status), now, FULL))
    change = {"at": now, "from": status.value, "to": "PENDING", "way": "api"}
    assert table.item() == CREATED | REGISTERED | {
        "step": 41,
        "nextCheckAt": now,
        "giveUpAt": now + 9 * DAY,
        "workAt": now + 15 * MINUTE,
        "history": [*CREATED["history"], change],
    }


def test_each_start_has_a_give_up_at_of_its_own(table: Table) -> None:
    """Also in the millisecond of the one before: it tells old answers from new ones."""
    after = table.payments.write(PAY_ID, restart(ended(table), NOW))
    assert after.give_up_at == NOW + 9 * DAY + 1


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"giveUpAt": NOW},
        {"attention": None},
        {"status": "FAILED"},
        {"status": "PENDING"},
        {"status": "SUCCEEDED"},
        {"expectedAmount": "5"},
        {"orderId": "B"},
        {"currency": "EUR"},
    ],
)
def test_restart_requires_the_payment_as_it_was_read(
    table: Table, meanwhile: dict[str, Any]
) -> None:
    """Of two messages that restart a payment, one does."""
    stored = ended(table)
    table.change(**meanwhile)
    assert_refused(table, restart(stored, NOW + DAY))


# Claim a live check


@pytest.mark.parametrize("last", [None, NOW - HOUR])
def test_claim_live_sets_last_checked_at_and_nothing_else(table: Table, last: int | None) -> None:
    """The first claim wins."""
    create(table)
    table.change(lastCheckedAt=last)
    claim = updates.claim_live(table.payment(), NOW + SECOND)
    table.payments.write(PAY_ID, claim)
    assert table.item() == CREATED | {"lastCheckedAt": NOW + SECOND}
    assert_refused(table, claim)


@pytest.mark.parametrize(("last", "now"), [(None, NOW), (NOW, NOW + 1), (NOW, None)])
def test_claim_live_requires_last_checked_at_as_it_was_read(
    table: Table, last: int | None, now: int | None
) -> None:
    """Another caller has checked meanwhile."""
    create(table)
    table.change(lastCheckedAt=last)
    stored = table.payment()
    table.change(lastCheckedAt=now)
    assert_refused(table, updates.claim_live(stored, NOW + HOUR))


def test_claim_live_creates_no_item(table: Table) -> None:
    """An item that was deleted meanwhile stays deleted."""
    stored = create(table)
    table.delete()
    assert_refused(table, updates.claim_live(stored, NOW))


# Record a check from the queue

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


def step(table: Table, plan: CheckPlan, pay_rst: str | None = "wait", number: int = 1) -> Update:
    """Return the write of step *number* of the payment as it is now."""
    answer = None if pay_rst is None else reply(pay_rst)
    return updates.record_step(table.payment(), plan, answer, now=NOW + SECOND, step=number)


def test_record_step_does_not_touch_the_index(table: Table) -> None:
    """In the fast phase reply, counters and plan are written, the index is not."""
    create(table)
    table.payments.write(PAY_ID, step(table, SOON))
    assert table.item() == CREATED | CHECKED
    touched = step(table, SOON, number=2).arguments()["UpdateExpression"]
    assert not any(name in touched for name in WORK)


def test_record_step_moves_the_watchdog_where_the_plan_says_so(table: Table) -> None:
    """Also of a payment that has none."""
    create(table)
    table.change(workAt=None, workShard=None)
    table.payments.write(PAY_ID, step(table, replace(SOON, work_at=NOW + HOUR)))
    assert table.item() == CREATED | CHECKED | {"workAt": NOW + HOUR}


def test_record_step_without_a_reply_keeps_the_last_reply(table: Table) -> None:
    """``lastError`` says what went wrong."""
    create(table)
    table.payments.write(PAY_ID, step(table, SOON))
    down = replace(SOON, error=CheckError("unavailable", NOW + SECOND, 2, NOW, "http", 503))
    table.payments.write(PAY_ID, step(table, down, None, number=2))
    error = {"kind": "unavailable", "at": NOW + SECOND, "tries": 2, "since": NOW}
    assert table.item() == CREATED | CHECKED | {
        "checks": 2,
        "step": 2,
        "lastError": error | {"how": "http", "httpStatus": 503},
        "lastUnansweredAt": NOW + SECOND,
    }


@pytest.mark.parametrize(
    ("pay_rst", "name"), [("wait", "lastAnsweredAt"), (None, "lastUnansweredAt")]
)
def test_the_times_of_answers_never_go_back(table: Table, pay_rst: str | None, name: str) -> None:
    """A slow answer does not undo what a faster one has told (``stale`` does not flap)."""
    create(table)
    table.change(**{name: NOW + HOUR})
    table.payments.write(PAY_ID, step(table, SOON, pay_rst))
    assert table.item()[name] == NOW + HOUR


def test_a_reply_removes_the_last_error(table: Table) -> None:
    """``lastError`` is about the last check."""
    create(table)
    table.change(lastError={"kind": "bad_reply", "at": NOW, "tries": 1, "httpStatus": 404})
    table.payments.write(PAY_ID, step(table, SOON))
    assert table.item() == CREATED | CHECKED


def test_a_change_of_status_is_in_the_history(table: Table) -> None:
    """Time, statuses, ``payRst`` and trigger."""
    create(table)
    late = CheckPlan(F, 1, None, "sweeper", NOW + HOUR, NOW + HOUR)
    table.payments.write(PAY_ID, step(table, late, "fail"))
    change = {"at": NOW + SECOND, "from": "PENDING", "to": "FAILED", "way": "queue"}
    assert table.item() == CREATED | CHECKED | {
        "status": "FAILED",
        "rank": 20,
        "reply": CHECKED["reply"] | {"payRst": "fail"},
        "history": [*CREATED["history"], change | {"payRst": "fail"}],
        "nextCheckAt": NOW + HOUR,
        "workAt": NOW + HOUR,
    }


def test_the_last_check_removes_the_payment_from_the_index(table: Table) -> None:
    """The status, and what calls a person, are set by the same write."""
    create(table)
    table.payments.write(PAY_ID, step(table, CheckPlan(U, 27), None))
    change = {"at": NOW + SECOND, "from": "PENDING", "to": "UNRESOLVED", "way": "queue"}
    expected = CREATED | CHECKED | {"status": "UNRESOLVED", "rank": 15, "attempt": 27}
    expected |= {"history": [*CREATED["history"], change], "lastUnansweredAt": NOW + SECOND}
    expected |= {"attention": f"{PARTNER}#UNRESOLVED", "attentionSince": NOW + SECOND}
    assert table.item() == without(expected, "reply", "lastAnsweredAt", "nextCheckAt", *WORK)


def test_a_payment_at_rest_may_be_deleted_later(table: Table) -> None:
    """By DynamoDB, at the time of the plan, in seconds."""
    create(table)
    table.payments.write(PAY_ID, step(table, CheckPlan(E, 32, expires_at=1_800_000_000)))
    item = table.item()
    assert (item["status"], item["expiresAt"]) == ("EXPIRED", 1_800_000_000)
    assert "attention" not in item


def test_a_planned_check_keeps_the_payment(table: Table) -> None:
    """Nothing is deleted that has a check left."""
    create(table)
    table.change(expiresAt=1_800_000_000)
    table.payments.write(PAY_ID, step(table, SOON))
    assert "expiresAt" not in table.item()


@pytest.mark.parametrize("status", [U, R])
@pytest.mark.parametrize("left_for", [E, F])
def test_leaving_a_status_that_calls_a_person_ends_the_attention(
    table: Table, status: Status, left_for: Status
) -> None:
    """The person need not look any more."""
    create(table)
    since = {"attention": f"{PARTNER}#{status.value}", "attentionSince": NOW}
    table.change(status=status.value, rank=status.rank, **since)
    plan = CheckPlan(max(left_for, status, key=lambda each: each.rank), 1)
    table.payments.write(PAY_ID, step(table, plan))
    assert ("attention" in table.item()) is (plan.status is status)


def test_a_check_that_leaves_the_status_puts_no_attention_back(table: Table) -> None:
    """Somebody has closed it."""
    create(table)
    table.change(status="REVIEW", rank=25)
    table.payments.write(PAY_ID, step(table, CheckPlan(R, 1)))
    assert "attention" not in table.item()


def test_late_checks_move_give_up_at_where_the_plan_says_so(table: Table) -> None:
    """They may come after it."""
    create(table)
    table.payments.write(PAY_ID, step(table, replace(SOON, status=F, give_up_at=NOW + 11 * DAY)))
    assert table.item()["giveUpAt"] == NOW + 11 * DAY


def test_no_answer_to_an_older_question_is_recorded(table: Table) -> None:
    """The payment was started again: ``giveUpAt`` is another (for queued and live checks)."""
    stored = create(table)
    table.change(giveUpAt=NOW + 10 * DAY)
    for update in (
        updates.record_step(stored, SOON, reply("x"), now=NOW, step=1),
        updates.record_live(stored, CheckPlan(P, 0), reply("x"), now=NOW, trigger="api"),
    ):
        assert_refused(table, update)


def test_the_history_keeps_its_first_entry_and_the_last_50(table: Table) -> None:
    """An item has 400 KB."""
    create(table)
    entries = [{"at": NOW + n, "from": "FAILED", "to": "PENDING", "way": "api"} for n in range(50)]
    table.change(history=[*CREATED["history"], *entries])
    table.payments.write(PAY_ID, step(table, replace(SOON, status=F), "fail"))
    history = table.item()["history"]
    assert history[:-1] == [*CREATED["history"], *entries[1:]]
    assert history[-1]["to"] == "FAILED"


@pytest.mark.parametrize(("stored", "number"), [(0, 1), (0, 7), (6, 7)])
def test_a_step_is_recorded_once(table: Table, stored: int, number: int) -> None:
    """Also where the sweeper has skipped steps."""
    create(table)
    table.change(step=stored)
    update = step(table, SOON, number=number)
    table.payments.write(PAY_ID, update)
    assert table.item()["step"] == number
    assert_refused(table, update)


@pytest.mark.parametrize(("stored", "number"), [(7, 7), (8, 7), (1, 1)])
def test_a_repeated_step_is_refused(table: Table, stored: int, number: int) -> None:
    """A repeated message, or the slower of two messages for one step."""
    create(table)
    table.change(step=stored)
    assert_refused(table, step(table, SOON, number=number))


@pytest.mark.parametrize("status", [P, U, E, F, R])
@pytest.mark.parametrize("rank", [10, 15, 16, 20, 25, 30])
def test_no_check_lowers_the_rank(table: Table, status: Status, rank: int) -> None:
    """For queued and live checks, each pair of statuses, whatever was read before."""
    create(table)
    plan, stored_status = CheckPlan(status, 1), next(s for s in Status if s.rank == rank)
    before = replace(table.payment(), status=stored_status)
    table.change(rank=rank, status=stored_status.value)
    for update in (
        updates.record_live(before, plan, reply("x"), now=NOW, trigger="api"),
        updates.record_step(before, plan, reply("x"), now=NOW, step=1),
    ):
        table.change(rank=rank, status=stored_status.value, giveUpAt=before.give_up_at)
        if status.rank < rank:
            assert_refused(table, update)
        else:
            assert table.payments.write(PAY_ID, update).status is status


@pytest.mark.parametrize("status", [U, E, F, R])
def test_a_change_of_status_requires_the_status_as_it_was_read(
    table: Table, status: Status
) -> None:
    """Otherwise the history would repeat a change, or have one that never was."""
    stored = create(table)
    table.change(status=status.value, rank=status.rank)
    for update in (
        updates.record_step(stored, CheckPlan(status, 1), reply("x"), now=NOW, step=1),
        updates.record_live(stored, CheckPlan(status, 1), reply("x"), now=NOW, trigger="api"),
    ):
        assert_refused(table, update)


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"orderId": "OTHER"},
        {"expectedAmount": "5"},
        {"currency": "EUR"},
        {"acceptedPayAmount": "$5"},
        {"acceptedAbsent": True},
    ],
)
def test_review_requires_what_is_registered_and_accepted_as_it_was_read(
    table: Table, meanwhile: dict[str, Any]
) -> None:
    """What decided may have changed."""
    stored = create(table)
    table.change(**meanwhile)
    plan = CheckPlan(R, 1)
    assert_refused(table, updates.record_step(stored, plan, PAID, now=NOW, step=1))
    assert_refused(table, updates.record_live(stored, plan, PAID, now=NOW, trigger="api"))


@pytest.mark.parametrize("field", ["orderId", "expectedAmount", "currency"])
@pytest.mark.parametrize("status", [P, U, F])
def test_other_statuses_do_not_require_the_registration_as_it_was_read(
    table: Table, field: str, status: Status
) -> None:
    """A PUT between read and write is no reason to decide again."""
    stored = create(table)
    table.change(**{field: "OTHER"})
    update = updates.record_step(stored, CheckPlan(status, 1), reply("x"), now=NOW, step=1)
    assert table.payments.write(PAY_ID, update).status is status
    assert table.item()[field] == "OTHER"


# Record a live check


def test_a_live_check_leaves_step_attempt_and_plan(table: Table) -> None:
    """They belong to the checks from the queue."""
    stored = create(table)
    update = updates.record_live(
        stored, CheckPlan(P, 0), reply("wait"), now=NOW + SECOND, trigger="api"
    )
    table.payments.write(PAY_ID, update)
    unchanged = {name: CREATED[name] for name in ("step", "attempt", "nextCheckAt")}
    assert table.item() == CREATED | CHECKED | unchanged


def test_a_live_check_can_plan_late_checks(table: Table) -> None:
    """For a payment that has no planned check."""
    stored = ended(table)
    plan = CheckPlan(F, 32, None, "sweeper", NOW + HOUR, NOW + HOUR)
    table.payments.write(
        PAY_ID, updates.record_live(stored, plan, reply("fail"), now=NOW + SECOND, trigger="api")
    )
    change = {"at": NOW + SECOND, "from": "UNRESOLVED", "to": "FAILED", "way": "api"}
    assert table.item() == CREATED | CHECKED | {
        "status": "FAILED",
        "rank": 20,
        "attempt": 32,
        "step": 41,
        "reply": CHECKED["reply"] | {"payRst": "fail"},
        "history": [*CREATED["history"], change | {"payRst": "fail"}],
        "nextCheckAt": NOW + HOUR,
        "workAt": NOW + HOUR,
    }


def test_record_live_creates_no_item(table: Table) -> None:
    """Only a success may create an item."""
    stored = create(table)
    table.delete()
    update = updates.record_live(stored, CheckPlan(P, 0), reply("wait"), now=NOW, trigger="api")
    assert_refused(table, update)


@pytest.mark.parametrize("last", [None, NOW - 1])
def test_a_query_in_vain_is_noted_and_changes_nothing_else(table: Table, last: int | None) -> None:
    """All callers see ``stale``; the chain's tries stay as they are."""
    create(table)
    table.change(lastUnansweredAt=last)
    table.payments.write(PAY_ID, updates.note_unanswered(NOW))
    assert table.item() == CREATED | {"lastUnansweredAt": NOW}
    assert table.payment().stale


@pytest.mark.parametrize("meanwhile", [{"rank": 30}, {"lastUnansweredAt": NOW}])
def test_a_query_in_vain_is_not_noted_where_more_is_known(
    table: Table, meanwhile: dict[str, Any]
) -> None:
    """It is paid, or a later query failed as well."""
    create(table)
    table.change(**meanwhile)
    assert_refused(table, updates.note_unanswered(NOW))


# Succeed


def succeed(stored: Payment, plan: CheckPlan | None = None) -> Update:
    """Return the write of a success that comes a second after NOW."""
    return updates.succeed(
        stored, plan or CheckPlan(S, 1), PAID, EVENT, now=NOW + SECOND, trigger="queue"
    )


OUTBOX: dict[str, Any] = {
    "status": "SUCCEEDED",
    "rank": 30,
    "checks": 1,
    "attempt": 1,
    "lastCheckedAt": NOW + SECOND,
    "lastAnsweredAt": NOW + SECOND,
    "reply": {"partnerCode": PARTNER, "payId": PAY_ID, "payRst": "success", "payAmount": "$19.99"},
    "history": [
        *CREATED["history"],
        {
            "at": NOW + SECOND,
            "from": "PENDING",
            "to": "SUCCEEDED",
            "way": "queue",
            "payRst": "success",
        },
    ],
    "eventId": "the-id",
    "event": '{"a":1}',
    "eventState": "PENDING",
    "workShard": f"EVENT#{SHARD}",
    "workAt": NOW + SECOND + MINUTE,
}


def test_a_success_and_its_event_are_one_write(table: Table) -> None:
    """Status, reply, history, event and index; no check is planned any more."""
    stored = create(table, FULL)
    table.change(lastError={"kind": "unavailable", "at": NOW, "tries": 1}, expiresAt=NOW // 1000)
    table.payments.write(PAY_ID, succeed(stored))
    assert table.item() == without(CREATED | REGISTERED | OUTBOX, "nextCheckAt")


def test_a_success_creates_the_item_where_there_is_none(table: Table) -> None:
    """A GET of an unregistered payId that is paid: the item is complete."""
    new = new_payment(PARTNER, PAY_ID, Registration(), NOW)
    table.payments.write(PAY_ID, succeed(new))
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
    """SUCCEEDED is a terminal status."""
    stored = create(table)
    table.change(status=status.value, rank=status.rank)
    assert table.payments.write(PAY_ID, succeed(replace(stored, status=status))).settled


@pytest.mark.parametrize("status", [U, E, F, R])
def test_a_success_requires_the_status_as_it_was_read(table: Table, status: Status) -> None:
    """The history continues from the stored status."""
    stored = create(table)
    table.change(status=status.value, rank=status.rank)
    assert_refused(table, succeed(stored))


def test_a_payment_succeeds_once(table: Table) -> None:
    """A second success changes nothing: one event, one body (P3)."""
    stored = create(table)
    table.payments.write(PAY_ID, succeed(stored))
    assert_refused(table, succeed(stored))


@pytest.mark.parametrize("meanwhile", [{"rank": 30}, {"eventId": "other"}])
def test_a_success_requires_a_lower_rank_and_no_event_id(
    table: Table, meanwhile: dict[str, Any]
) -> None:
    """Each of the two alone refuses the write."""
    stored = create(table)
    table.change(**meanwhile)
    assert_refused(table, succeed(stored))


@pytest.mark.parametrize("field", ["orderId", "expectedAmount", "currency"])
@pytest.mark.parametrize(("before", "after"), [(None, "OTHER"), (FULL, "OTHER"), (FULL, None)])
def test_a_success_requires_the_registration_as_it_was_read(
    table: Table, field: str, before: Registration | None, after: str | None
) -> None:
    """Set, changed or removed since: the amount may be wrong now (P2)."""
    stored = create(table, before)
    table.change(**{field: after})
    assert_refused(table, succeed(stored))


@pytest.mark.parametrize("meanwhile", [{"acceptedPayAmount": "$5"}, {"acceptedAbsent": True}])
def test_a_success_requires_what_was_accepted_as_it_was_read(
    table: Table, meanwhile: dict[str, Any]
) -> None:
    """The decision was made with it (P2)."""
    stored = create(table, FULL)
    table.change(**meanwhile)
    assert_refused(table, succeed(stored))


def test_a_success_counts_whenever_it_was_asked_for(table: Table) -> None:
    """Also an answer to a question from before a restart (P1)."""
    stored = create(table, FULL)
    table.change(giveUpAt=NOW + 20 * DAY)
    assert table.payments.write(PAY_ID, succeed(stored)).settled


# The outbox


def with_event(table: Table) -> None:
    """Store a payment whose event is unsent."""
    table.payments.write(PAY_ID, succeed(create(table)))


def test_mark_sent_removes_the_event_from_the_index(table: Table) -> None:
    """The event itself stays in the item, as it was sent."""
    with_event(table)
    table.payments.write(PAY_ID, updates.mark_sent(EVENT, NOW + HOUR))
    sent = OUTBOX | {"eventState": "SENT", "eventSentAt": NOW + HOUR}
    assert table.item() == without(CREATED | sent, "nextCheckAt", *WORK)


def test_a_sent_event_may_be_deleted_later(table: Table) -> None:
    """In the write that marks it, never before."""
    with_event(table)
    table.payments.write(PAY_ID, updates.mark_sent(EVENT, NOW, 1_800_000_000))
    assert table.item()["expiresAt"] == 1_800_000_000


def test_postpone_changes_work_at(table: Table) -> None:
    """And nothing else."""
    with_event(table)
    table.payments.write(PAY_ID, updates.postpone_event(EVENT, NOW + HOUR))
    assert table.item() == without(CREATED | OUTBOX | {"workAt": NOW + HOUR}, "nextCheckAt")


@pytest.mark.parametrize(
    "meanwhile",
    [{"eventState": "SENT"}, {"eventId": "other"}, {"eventId": None, "eventState": None}],
)
def test_only_this_unsent_event_is_marked_or_postponed(
    table: Table, meanwhile: dict[str, Any]
) -> None:
    """Publisher or sweeper was faster, or it is another event."""
    with_event(table)
    table.change(**meanwhile)
    assert_refused(table, updates.mark_sent(EVENT, NOW))
    assert_refused(table, updates.postpone_event(EVENT, NOW))


# Writes of the sweeper


def test_claim_due_moves_the_watchdog_by_ten_minutes(table: Table) -> None:
    """Before the message is sent."""
    stored = create(table)
    table.payments.write(PAY_ID, updates.claim_due(stored, NOW + HOUR))
    assert table.item() == CREATED | {"workAt": NOW + HOUR + 10 * MINUTE}


@pytest.mark.parametrize(
    "meanwhile", [{"workAt": NOW}, {"workShard": "EVENT#0"}, {"workAt": None, "workShard": None}]
)
def test_claim_due_and_give_up_require_the_work_as_it_was_read(
    table: Table, meanwhile: dict[str, Any]
) -> None:
    """Another sweeper, a check or a success was faster."""
    stored = create(table)
    table.change(**meanwhile)
    assert_refused(table, updates.claim_due(stored, NOW + 10 * DAY))
    assert_refused(table, updates.give_up(stored, NOW + 10 * DAY))


def test_give_up_makes_the_payment_unresolved(table: Table) -> None:
    """With an entry in the history, for a person; no check is planned any more."""
    stored = create(table)
    now = NOW + 9 * DAY + HOUR
    table.payments.write(PAY_ID, updates.give_up(stored, now))
    change = {"at": now, "from": "PENDING", "to": "UNRESOLVED", "way": "sweeper"}
    expected = CREATED | {"status": "UNRESOLVED", "rank": 15}
    expected |= {"history": [*CREATED["history"], change]}
    expected |= {"attention": f"{PARTNER}#UNRESOLVED", "attentionSince": now}
    assert table.item() == without(expected, "nextCheckAt", *WORK)


LATEST = NOW + 9 * DAY + HOUR
"""The check at ``giveUpAt`` has an hour."""


@pytest.mark.parametrize(
    ("meanwhile", "now"),
    [
        ({}, LATEST - 1),
        ({"giveUpAt": NOW + 10 * DAY}, LATEST),
        ({"rank": 20, "status": "FAILED"}, LATEST),
        ({"rank": 25, "status": "REVIEW"}, LATEST),
        ({"rank": 30, "status": "SUCCEEDED"}, LATEST),
    ],
)
def test_give_up_requires_an_open_payment_an_hour_after_give_up_at(
    table: Table, meanwhile: dict[str, Any], now: int
) -> None:
    """Also where it was restarted, failed or paid since it was read."""
    stored = create(table)
    table.change(**meanwhile)
    assert_refused(table, updates.give_up(stored, now))


# Writes of an operator


def in_review(table: Table, **more: Any) -> Payment:
    """Store a payment in REVIEW that was reported with *more*, and return it."""
    create(table, FULL)
    table.change(
        status="REVIEW",
        rank=25,
        attempt=9,
        step=9,
        lastError={"kind": "unavailable", "at": NOW, "tries": 1, "since": NOW},
        reply={"partnerCode": PARTNER, "payId": PAY_ID, "payRst": "success"} | more,
        expiresAt=NOW // 1000,
        attention=f"{PARTNER}#REVIEW",
        attentionSince=NOW,
    )
    return table.payment()


@pytest.mark.parametrize(
    ("reported", "accepted"),
    [({"payAmount": "19,99 €"}, {"acceptedPayAmount": "19,99 €"}), ({}, {"acceptedAbsent": True})],
)
def test_accept_takes_what_the_gateway_reports(
    table: Table, reported: dict[str, str], accepted: dict[str, Any]
) -> None:
    """As text, or its absence; a check is due at once, by a new schedule."""
    stored = in_review(table, **reported)
    table.payments.write(PAY_ID, operator_updates.accept(stored, "coupon", NOW + HOUR))
    item = table.item()
    assert {name: item[name] for name in accepted} == accepted
    assert not {"lastError", "expiresAt"} & set(item)
    assert (item["status"], item["attempt"], item["step"]) == ("REVIEW", 0, 9)
    assert (item["giveUpAt"], item["nextCheckAt"]) == (NOW + 9 * DAY + HOUR, NOW + HOUR)
    assert item["workAt"] == NOW + HOUR
    assert (item["attention"], item["attentionSince"]) == (f"{PARTNER}#REVIEW", NOW)
    entry = {"at": NOW + HOUR, "from": "REVIEW", "to": "REVIEW", "way": "operator"}
    entry |= {"reason": "coupon", "amountFrom": "19.99 USD"}
    if reported:
        entry["amountTo"] = reported["payAmount"]
    assert item["history"][-1] == entry


def test_what_is_accepted_replaces_what_was_accepted_before(table: Table) -> None:
    """One of the two at a time."""
    stored = in_review(table)
    table.change(acceptedPayAmount="$5")
    stored = replace(stored, accepted_amount="$5")
    after = table.payments.write(PAY_ID, operator_updates.accept(stored, "", NOW))
    assert (after.accepted_amount, after.accepted_absent) == (None, True)
    table.change(reply=PAID.fields)
    stored = table.payment()
    after = table.payments.write(PAY_ID, operator_updates.accept(stored, "", NOW))
    assert (after.accepted_amount, after.accepted_absent) == ("$19.99", False)


def test_accept_calls_a_person_again_where_the_attention_was_closed(table: Table) -> None:
    """If the check finds another amount, somebody has to know."""
    in_review(table)
    table.change(attention=None, attentionSince=None)
    table.payments.write(PAY_ID, operator_updates.accept(table.payment(), "", NOW + HOUR))
    assert table.item()["attentionSince"] == NOW + HOUR


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"status": "SUCCEEDED"},
        {"reply": {"payRst": "success", "payAmount": "$1"}},
        {"expectedAmount": "5"},
        {"giveUpAt": NOW},
    ],
)
def test_accept_requires_what_was_shown(table: Table, meanwhile: dict[str, Any]) -> None:
    """Another answer, another registration, or another start since (P2)."""
    stored = in_review(table, payAmount="$5")
    table.change(**meanwhile)
    assert_refused(table, operator_updates.accept(stored, "coupon", NOW))


def test_close_ends_the_attention_and_says_why(table: Table) -> None:
    """Status and plan stay."""
    stored = in_review(table)
    before = table.item()
    table.payments.write(PAY_ID, operator_updates.close(stored, "refunded", NOW + HOUR, 17))
    entry = {"at": NOW + HOUR, "from": "REVIEW", "to": "REVIEW", "way": "operator"}
    expected = before | {"history": [*before["history"], entry | {"reason": "refunded"}]}
    expected |= {"expiresAt": 17}
    assert table.item() == without(expected, "attention", "attentionSince")


@pytest.mark.parametrize(
    "meanwhile",
    [{"attention": None}, {"attentionSince": NOW + 1}, {"workAt": 5}, {"giveUpAt": 5}],
)
def test_close_requires_the_case_that_was_shown(table: Table, meanwhile: dict[str, Any]) -> None:
    """A new case stays open."""
    stored = in_review(table)
    table.change(**meanwhile)
    assert_refused(table, operator_updates.close(stored, "refunded", NOW))


def test_at_rest_is_what_has_no_work_and_calls_nobody(table: Table) -> None:
    """Only such an item may be erased."""
    names = {"#workShard": "workShard", "#attention": "attention"}
    for attributes, erased in (({"workShard": "EVENT#1"}, 1), ({"attention": "x"}, 1), ({}, 0)):
        table.put({"pk": f"{PARTNER}#{PAY_ID}"} | attributes)
        with suppress(table.client.exceptions.ConditionalCheckFailedException):
            table.client.delete_item(
                TableName=table.name,
                Key={"pk": {"S": f"{PARTNER}#{PAY_ID}"}},
                ConditionExpression=operator_updates.AT_REST,
                ExpressionAttributeNames=names,
            )
        assert len(table.scan()) == erased
