"""P1, P2: what an operator writes: the attributes it sets, and its condition."""

from collections.abc import Callable
from typing import Any

import pytest

from payresult.aws import operator_updates
from payresult.aws.expressions import Update
from payresult.domain.payment import Payment, Status
from tests.support.factories import DAY, HOUR, MINUTE, NOW, PARTNER, PAY_ID
from tests.support.tables import Table
from tests.support.writes import (
    CREATED,
    OTHER_REGISTRATION,
    REGISTERED,
    assert_refused,
    change,
    create,
    of,
    without,
)

P, U, E, F, R, S = Status


def in_review(table: Table, pay_amount: str | None = None, **changed: Any) -> Payment:
    """Store a payment in REVIEW that was reported with *pay_amount*, and return it."""
    reported = {} if pay_amount is None else {"payAmount": pay_amount}
    attributes: dict[str, Any] = {
        **of(R),
        "attempt": 9,
        "step": 9,
        "lastError": {"kind": "unavailable", "at": NOW, "tries": 1, "since": NOW},
        "reply": {"partnerCode": PARTNER, "payId": PAY_ID, "payRst": "success"} | reported,
        "expiresAt": NOW // 1000,
        "attention": f"{PARTNER}#REVIEW",
        "attentionSince": NOW,
    }
    return create(table, **REGISTERED | attributes | changed)


def accept(stored: Payment) -> Update:
    """Return the write of an operator who accepts an hour after NOW."""
    return operator_updates.accept(stored, "coupon", NOW + HOUR)


def close(stored: Payment, expires_at: int | None = None) -> Update:
    """Return the write of an operator who closes the case an hour after NOW."""
    return operator_updates.close(stored, "refunded", NOW + HOUR, expires_at)


@pytest.mark.parametrize(
    ("reported", "before", "accepted", "entry"),
    [
        ("19,99 €", {"acceptedAbsent": True}, (None, "19,99 €"), {"amountTo": "19,99 €"}),
        (None, {"acceptedPayAmount": "$5"}, (True, None), {}),
    ],
)
def test_accept_takes_what_the_gateway_reports(
    table: Table,
    reported: str | None,
    before: dict[str, Any],
    accepted: tuple[bool | None, str | None],
    entry: dict[str, str],
) -> None:
    """As text, or its absence, one at a time; a check is due at once, by a new schedule."""
    stored = in_review(table, reported, **before)
    table.payments.write(PAY_ID, accept(stored))
    item = table.item()
    assert (item.get("acceptedAbsent"), item.get("acceptedPayAmount")) == accepted
    assert not {"lastError", "expiresAt"} & set(item)
    assert (item["status"], item["attempt"], item["step"]) == ("REVIEW", 0, 9)
    assert (item["giveUpAt"], item["nextCheckAt"]) == (NOW + 9 * DAY + HOUR, NOW + HOUR)
    assert (item["workShard"], item["workAt"]) == (CREATED["workShard"], NOW + HOUR)
    assert (item["attention"], item["attentionSince"]) == (f"{PARTNER}#REVIEW", NOW)
    said = {"reason": "coupon", "amountFrom": "19.99 USD"} | entry
    assert item["history"][-1] == change(NOW + HOUR, R, R, "operator", **said)


def test_accept_calls_a_person_again_where_the_attention_was_closed(table: Table) -> None:
    """If the check finds another amount, somebody has to know."""
    stored = in_review(table, attention=None, attentionSince=None)
    after = table.payments.write(PAY_ID, accept(stored))
    assert (after.attention, after.attention_since) == (f"{PARTNER}#REVIEW", NOW + HOUR)


def test_accept_where_nothing_was_registered(table: Table) -> None:
    """The history has no amount that it replaces."""
    stored = in_review(table, "$5", expectedAmount=None, currency=None)
    after = table.payments.write(PAY_ID, accept(stored))
    assert (after.history[-1].amount_from, after.history[-1].amount_to) == (None, "$5")


def test_close_keeps_a_payment_that_has_checks_left(table: Table) -> None:
    """Its last check says when it may be deleted."""
    table.payments.write(PAY_ID, close(in_review(table, expiresAt=None)))
    assert "expiresAt" not in table.item()


def sent(table: Table) -> Payment:
    """Store a payment whose event was sent, and return it."""
    event: dict[str, Any] = {
        "eventId": "id",
        "event": "{}",
        "eventState": "SENT",
        "eventSentAt": NOW,
    }
    return create(table, **of(S), **event, expiresAt=NOW // 1000)


def test_republish_makes_the_event_unsent_and_keeps_the_payment(table: Table) -> None:
    """Nothing is deleted whose event is unsent."""
    after = table.payments.write(PAY_ID, operator_updates.republish(sent(table), NOW + HOUR))
    assert (after.event_state, after.expires_at) == ("PENDING", None)
    assert (after.work_shard, after.work_at) == ("EVENT#2", NOW + HOUR + MINUTE)
    entry = {"at": NOW + HOUR, "from": "SUCCEEDED", "to": "SUCCEEDED", "way": "operator"}
    assert table.item()["history"][-1] == entry


@pytest.mark.parametrize(
    "meanwhile", [{"eventSentAt": NOW + 1}, {"eventState": "PENDING"}, {"eventId": "other"}]
)
def test_republish_requires_the_event_as_sent(table: Table, meanwhile: dict[str, Any]) -> None:
    """Somebody else has sent it again since, or it is another one."""
    stored = sent(table)
    table.change(**meanwhile)
    assert_refused(table, operator_updates.republish(stored, NOW + HOUR))


def test_close_ends_the_attention_and_says_why(table: Table) -> None:
    """Status and plan stay."""
    stored = in_review(table)
    before = table.item()
    table.payments.write(PAY_ID, close(stored, 17))
    entry = change(NOW + HOUR, R, R, "operator", reason="refunded")
    expected = before | {"history": [*before["history"], entry], "expiresAt": 17}
    assert table.item() == without(expected, "attention", "attentionSince")


@pytest.mark.parametrize(
    ("write", "meanwhile"),
    [
        # another answer, another registration, or another start since (P2)
        *((accept, {"status": status.value}) for status in (P, U, E, F, S)),
        (accept, {"reply": {"payRst": "success", "payAmount": "$1"}}),
        *((accept, changed) for changed in [{"giveUpAt": NOW}, *OTHER_REGISTRATION]),
        # a new case stays open
        (close, {"attention": None}),
        *((close, {name: 5}) for name in ("attentionSince", "workAt", "giveUpAt")),
    ],
)
def test_accept_and_close_require_it(
    table: Table, write: Callable[[Payment], Update], meanwhile: dict[str, Any]
) -> None:
    """The operator decided by it."""
    stored = in_review(table, "$5")
    table.change(**meanwhile)
    assert_refused(table, write(stored))
