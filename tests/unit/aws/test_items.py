"""Contract of the table: a payment is stored as an item, and read back unchanged."""

import re
from decimal import Decimal
from typing import Any
from zlib import crc32

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given, settings
from hypothesis import strategies as st

from payresult.aws import items
from payresult.aws.items import to_payment
from payresult.domain.payment import (
    CheckError,
    Payment,
    Registration,
    Status,
    StatusChange,
)
from payresult.domain.reply import Reply
from payresult.errors import UnreadableItem
from payresult.schemas.fields import CODE
from payresult.schemas.fields import PAY_ID as PAY_ID_PATTERN
from tests.support.factories import NOW, PARTNER, PAY_ID

MINIMAL = {
    "pk": f"{PARTNER}#{PAY_ID}",
    "partnerCode": PARTNER,
    "payId": PAY_ID,
    "schemaVersion": 1,
    "status": "PENDING",
    "createdAt": NOW,
    "giveUpAt": NOW + 1,
}


serialize = TypeSerializer().serialize
deserialize = TypeDeserializer().deserialize


def read(**attributes: Any) -> Payment:
    """Return the payment of the minimal item with *attributes*, whoever may have written them."""
    return to_payment({name: serialize(value) for name, value in (MINIMAL | attributes).items()})


def test_a_minimal_item_is_a_payment() -> None:
    """Absent attributes have their defaults."""
    assert read() == Payment(PARTNER, PAY_ID, Status.PENDING, Registration(), NOW, NOW + 1)


def test_a_complete_item_is_a_payment() -> None:
    """Every attribute is read."""
    everything = read(
        orderId="A-17",
        expectedAmount="19.99",
        currency="USD",
        status="SUCCEEDED",
        rank=30,
        reply={"payRst": "success"},
        checks=7,
        attempt=5,
        step=6,
        lastCheckedAt=NOW + 2,
        nextCheckAt=NOW + 3,
        lastError={
            "kind": "bad_reply",
            "at": NOW + 4,
            "tries": 2,
            "since": NOW + 3,
            "how": "http",
            "httpStatus": 404,
        },
        history=[
            {"at": NOW, "to": "PENDING", "way": "queue"},
            {"at": NOW + 1, "from": "PENDING", "to": "FAILED", "way": "api", "payRst": "fail"},
        ],
        eventId="id",
        event="{}",
        eventState="SENT",
        eventSentAt=NOW + 5,
        workShard="EVENT#0",
        workAt=NOW + 6,
        lastAnsweredAt=NOW + 7,
        lastUnansweredAt=NOW + 8,
        acceptedPayAmount="$5",
        acceptedAbsent=True,
        attention="P000818#REVIEW",
        attentionSince=NOW + 9,
        expiresAt=NOW // 1000,
    )
    assert everything == Payment(
        PARTNER,
        PAY_ID,
        Status.SUCCEEDED,
        Registration("A-17", "19.99", "USD"),
        NOW,
        NOW + 1,
        checks=7,
        attempt=5,
        step=6,
        reply={"payRst": "success"},
        last_checked_at=NOW + 2,
        next_check_at=NOW + 3,
        last_error=CheckError("bad_reply", NOW + 4, 2, NOW + 3, "http", 404),
        history=(
            StatusChange(NOW, None, Status.PENDING, "queue"),
            StatusChange(NOW + 1, Status.PENDING, Status.FAILED, "api", "fail"),
        ),
        event_id="id",
        event="{}",
        event_state="SENT",
        event_sent_at=NOW + 5,
        work_shard="EVENT#0",
        work_at=NOW + 6,
        last_answered_at=NOW + 7,
        last_unanswered_at=NOW + 8,
        accepted_amount="$5",
        accepted_absent=True,
        attention="P000818#REVIEW",
        attention_since=NOW + 9,
        expires_at=NOW // 1000,
    )


def test_an_error_of_an_earlier_version_began_when_it_was_written() -> None:
    """It did not tell how, nor since when."""
    error = read(lastError={"kind": "unavailable", "at": NOW, "tries": 3}).last_error
    assert error == CheckError("unavailable", NOW, 3, NOW)


VALUES = st.recursive(
    st.text() | st.integers(-(10**38) + 1, 10**38 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=25)
@given(st.dictionaries(st.text(), VALUES, max_size=3))
def test_values_are_read_as_they_were_written(values: dict[str, Any]) -> None:
    """All types that are stored, nested to any depth."""
    written = items.to_item(values)
    assert {name: deserialize(value) for name, value in written.items()} == values


@pytest.mark.parametrize("value", [1.5, object()])
def test_values_that_dynamodb_cannot_store_raise_type_error(value: object) -> None:
    """Only a bug could pass one."""
    with pytest.raises(TypeError):
        items.to_item({"status": value})


@pytest.mark.parametrize(
    "value", [None, True, b"1", {"a", "b"}, {1, 2}, {b"1"}, Decimal("1.5"), [None, {"a": False}]]
)
def test_unknown_attributes_may_have_any_type(value: object) -> None:
    """Somebody else added one; the payment stays readable."""
    assert read(note=value) == read()


def test_numbers_are_read_as_int() -> None:
    """TypeDeserializer returns Decimal, which json cannot write."""
    assert all(type(n) is int for n in (read().created_at, read(checks=3).checks))


def test_what_is_not_known_of_an_error_is_not_stored() -> None:
    """Absent, never null."""
    value = items.check_error_value(CheckError("unavailable", NOW, 1, NOW))
    assert value == {"kind": "unavailable", "at": NOW, "tries": 1, "since": NOW}


def test_what_was_accepted_is_required_as_it_was_read() -> None:
    """The text, its absence, or nothing."""
    assert items.accepted_values(read()) == {"acceptedPayAmount": None, "acceptedAbsent": None}
    absent = items.accepted_values(read(acceptedAbsent=True))
    assert absent == {"acceptedPayAmount": None, "acceptedAbsent": True}


def test_a_long_field_of_a_reply_is_truncated_and_marked() -> None:
    """At 1,024 characters, in the reply and in the history."""
    long = "x" * 1025
    stored = items.reply_value(Reply({"payRst": long, "payAmount": "y" * 1024}))
    assert stored == {"payRst": "x" * 1024 + "…[cut]", "payAmount": "y" * 1024}
    change = StatusChange(NOW, Status.PENDING, Status.FAILED, "queue", long)
    assert items.status_change_value(change)["payRst"] == "x" * 1024 + "…[cut]"


@pytest.mark.parametrize(
    "attributes",
    [
        *(
            {"schemaVersion": 2},
            {"schemaVersion": None},
            {"schemaVersion": "1"},
            {"checks": "three"},
        ),
        *({"status": "PAID"}, {"status": None}, {"createdAt": "soon"}, {"giveUpAt": None}),
        *({"history": 5}, {"history": [5]}, {"history": [{"at": 1}]}, {"workAt": "now"}),
        *({"lastError": {"kind": "bad_reply"}}, {"lastError": "down"}),
    ],
)
def test_an_item_with_a_bad_attribute_is_unreadable(attributes: dict[str, Any]) -> None:
    """The error names the item; a later version may be able to read it."""
    with pytest.raises(UnreadableItem, match=f"^{PARTNER}#{PAY_ID}: "):
        read(**attributes)


@pytest.mark.parametrize("name", [name for name in MINIMAL if name != "pk"])
def test_an_item_without_a_required_attribute_is_unreadable(name: str) -> None:
    """For each required attribute."""
    with pytest.raises(UnreadableItem):
        to_payment(items.to_item({key: MINIMAL[key] for key in MINIMAL if key != name}))


@settings(max_examples=100)
@given(st.from_regex(PAY_ID_PATTERN, fullmatch=True))
def test_the_shard_is_crc32_of_the_pay_id_modulo_8(pay_id: str) -> None:
    """Other versions must find the payment in the same shard."""
    assert items.shard("CHECK", pay_id) == f"CHECK#{crc32(pay_id.encode()) % 8}"
    assert items.shard("EVENT", pay_id) == f"EVENT#{crc32(pay_id.encode()) % 8}"


def test_the_key_joins_partner_code_and_pay_id() -> None:
    """``#`` occurs in neither, so that each key has one reading; a payId may have the rest."""
    assert items.key("P1", "2") == "P1#2"
    assert items.key("P1", "order:A-17~b.c") == "P1#order:A-17~b.c"
    for part in (CODE, PAY_ID_PATTERN):
        assert not any(re.fullmatch(part, text) for text in ("#", "a#b", "a#"))


def test_an_operators_action_is_stored_and_read_back() -> None:
    """With its reason and the amounts before and after."""
    action = StatusChange(
        NOW, Status.REVIEW, Status.REVIEW, "operator", None, "discount", "19.99 USD", "9.99 USD"
    )
    stored = items.status_change_value(action)
    assert stored == {
        "at": NOW,
        "from": "REVIEW",
        "to": "REVIEW",
        "way": "operator",
        "reason": "discount",
        "amountFrom": "19.99 USD",
        "amountTo": "9.99 USD",
    }
    assert read(history=[stored]).history == (action,)
