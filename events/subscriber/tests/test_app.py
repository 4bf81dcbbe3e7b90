"""Contract of the subscriber: an order is activated once, whichever events and copies arrive."""

import copy
import importlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws
from shop import EVENT, REGION, TABLES, TOPIC, Shop, event

DAY = 24 * 3600
RECEIPT = {"payId": "20190321192436", "orderId": "A-17", "amount": "19.99", "currency": "USD"}


ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "ENVIRONMENT": "prod",
    "RECEIPTS_TOPIC": TOPIC,
    **{name: name for name in TABLES},
}


@pytest.fixture(scope="module")
def loaded() -> Iterator[Shop]:
    """The function, loaded as in a cold start."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.syspath_prepend(str(Path(__file__).parents[1] / "function"))
        yield Shop(importlib.import_module("app"))


@pytest.fixture
def shop(loaded: Shop) -> Iterator[Shop]:
    """The same with empty tables."""
    with mock_aws():
        loaded.open()
        yield loaded


def another_copy(original: dict[str, Any] = EVENT) -> dict[str, Any]:
    """The same event as a replay of the archive sends it, months later."""
    later = {"id": "f0f0f0f0", "time": "2027-12-24T10:00:00Z", "replay-name": "fixed"}
    return copy.deepcopy(original) | later


def changed(part: str, **fields: Any) -> dict[str, Any]:
    """The event with *fields* of *part* of its detail replaced."""
    made = copy.deepcopy(EVENT)
    made["detail"][part] |= fields
    return made


@contextmanager
def refusing(client: Any, call: str, answer: dict[str, Any]) -> Iterator[None]:
    """AWS refuses *call* of *client* with *answer*."""

    def refuse(**_: object) -> tuple[SimpleNamespace, dict[str, Any]]:
        return SimpleNamespace(status_code=400), answer

    client.meta.events.register(f"before-call.{call}", refuse)
    yield
    client.meta.events.unregister(f"before-call.{call}", refuse)


def test_a_paid_order_is_activated_and_its_receipt_sent(shop: Shop) -> None:
    """The claim, the activation and the receipt all name the payment."""
    assert shop.deliver(EVENT) == []
    (activation,) = shop.rows("ACTIVATIONS_TABLE")
    assert activation.pop("activatedAt")
    assert activation == {
        "pk": "ORDER#A-17",
        "orderId": "A-17",
        "payId": "20190321192436",
        "eventId": EVENT["detail"]["metadata"]["eventId"],
    }
    (claim,) = shop.rows("CLAIMS_TABLE")
    assert claim["pk"] == "PaymentSucceeded:prod:P000818:20190321192436"
    assert shop.sent() == [RECEIPT]


def test_copies_change_nothing(shop: Shop) -> None:
    """In the same batch or another one, with EventBridge's id and time as they come."""
    shop.deliver(EVENT, another_copy())
    before = shop.rows("ACTIVATIONS_TABLE")
    assert shop.deliver(another_copy()) == []
    assert shop.rows("ACTIVATIONS_TABLE") == before
    assert shop.sent() == [RECEIPT]


def test_a_replay_at_the_end_of_the_archive_changes_nothing(shop: Shop) -> None:
    """429 days is the latest for a copy without an operator's action; claims never expire."""
    shop.deliver(EVENT)
    shop.sent()
    before = shop.rows("ACTIVATIONS_TABLE")
    (kept,) = shop.rows("RECEIPTS_TABLE")
    shop.change_receipt(expiration=kept["expiration"] - 429 * DAY)
    assert shop.deliver(another_copy()) == []
    assert shop.rows("ACTIVATIONS_TABLE") == before
    assert shop.sent() == []


def test_a_break_between_the_two_effects_is_made_good(shop: Shop) -> None:
    """The next delivery finds the order activated, and still sends the receipt."""
    shop.lose_topic()
    assert shop.deliver(EVENT) == [0]
    before = shop.rows("ACTIVATIONS_TABLE")
    assert len(before) == 1
    shop.restore_topic()
    assert shop.deliver(EVENT) == []
    assert shop.rows("ACTIVATIONS_TABLE") == before
    assert shop.sent() == [RECEIPT]


def test_a_copy_waits_while_another_one_sends_the_receipt(shop: Shop) -> None:
    """It fails, so the queue delivers it again; once the other run has ended, it takes over."""
    shop.deliver(EVENT)
    shop.sent()
    now = int(time.time() * 1000)
    shop.change_receipt(status="INPROGRESS", in_progress_expiration=now + 30_000)
    assert shop.deliver(another_copy()) == [0]
    assert shop.sent() == []
    shop.change_receipt(in_progress_expiration=now - 1)
    assert shop.deliver(another_copy()) == []
    assert shop.sent() == [RECEIPT]


def test_a_copy_that_meets_another_one_in_the_transaction_comes_again(shop: Shop) -> None:
    """DynamoDB then cancels one of the two, and does not say which one succeeds."""
    conflict = {
        "Error": {"Code": "TransactionCanceledException", "Message": "conflict"},
        "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}],
    }
    with refusing(shop.app.dynamodb, "dynamodb.TransactWriteItems", conflict):
        assert shop.deliver(EVENT) == [0]
    assert shop.sent() == []
    assert shop.deliver(EVENT) == []
    assert shop.sent() == [RECEIPT]


def test_a_bad_message_fails_alone(shop: Shop) -> None:
    """The other messages of the batch are processed and not delivered again."""
    events = [event("p1", orderId="A-1"), "not JSON", event("p3", orderId="A-3")]
    assert shop.deliver(*events) == [1]
    assert [row["pk"] for row in shop.rows("ACTIVATIONS_TABLE")] == ["ORDER#A-1", "ORDER#A-3"]


def test_unknown_fields_are_ignored(shop: Shop) -> None:
    """Version 1 gains optional ones."""
    later = changed("data", colour="blue", packageUnit="decade")
    later["detail"]["metadata"]["traceId"] = "1-2"
    later["detail"]["more"] = {}
    assert shop.deliver(later) == []
    assert shop.sent() == [RECEIPT]


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(changed("metadata", environment="test"), id="another environment"),
        pytest.param(changed("metadata", schemaVersion="2"), id="another version"),
        pytest.param(changed("metadata", idempotencyKey="k\n"), id="a key of another form"),
        pytest.param(changed("data", payRst="pending"), id="not paid"),
        pytest.param(changed("data", payId="a b"), id="no payId"),
        pytest.param(changed("data", duplicateOf="a b"), id="a duplicate of no payId"),
        pytest.param(changed("data", payId=f"{RECEIPT['payId']}\n"), id="a line feed at the end"),
        pytest.param(changed("data", amount=19.99), id="a number for an amount"),
        pytest.param(event(observedAt=None), id="a field missing"),
        pytest.param(EVENT | {"detail": [EVENT["detail"]]}, id="a list"),
        pytest.param(EVENT["detail"], id="no envelope"),
        pytest.param([], id="no object"),
        pytest.param("", id="empty"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param(json.dumps(EVENT)[:-1], id="cut off"),
    ],
)
def test_what_is_no_event_of_ours_is_refused(shop: Shop, refused: Any) -> None:
    """It fails each time, so it goes to the dead-letter queue, and has no effect."""
    assert shop.deliver(refused) == [0]
    assert shop.rows("CLAIMS_TABLE") == shop.rows("ACTIVATIONS_TABLE") == []
    assert shop.sent() == shop.rows("RECEIPTS_TABLE") == []


REFUND = {
    "pk": "PaymentSucceeded:prod:P000818:second",
    "payId": "second",
    "orderId": "A-17",
    "duplicateOf": "first",
    "amount": "19.99",
    "currency": "USD",
}


@pytest.mark.parametrize("order", [["first", "second"], ["second", "first"]])
def test_the_second_payment_of_an_order_is_noted_for_its_refund(
    shop: Shop, order: list[str]
) -> None:
    """Whichever event comes first, and however often: one activation, one receipt, one refund."""
    events = {"first": event("first"), "second": event("second", duplicateOf="first")}
    for pay_id in order * 2:
        assert shop.deliver(events[pay_id]) == []
    assert [row["payId"] for row in shop.rows("ACTIVATIONS_TABLE")] == ["first"]
    assert [receipt["payId"] for receipt in shop.sent()] == ["first"]
    assert shop.rows("REFUNDS_TABLE") == [REFUND]


def test_a_refund_that_was_not_noted_comes_again(shop: Shop) -> None:
    """The table is out of order for a moment."""
    duplicate = event("second", duplicateOf="first")
    down = {"Error": {"Code": "InternalServerError", "Message": "down"}}
    with refusing(shop.app.dynamodb, "dynamodb.PutItem", down):
        assert shop.deliver(duplicate) == [0]
    assert shop.deliver(duplicate) == []
    assert shop.rows("REFUNDS_TABLE") == [REFUND]


def test_another_payment_of_an_activated_order_is_left_to_a_person(shop: Shop) -> None:
    """Not marked as a duplicate: nothing is activated twice, and the event is not claimed."""
    shop.deliver(event("first"))
    shop.sent()
    assert shop.deliver(event("second")) == [0]
    assert [row["payId"] for row in shop.rows("ACTIVATIONS_TABLE")] == ["first"]
    assert len(shop.rows("CLAIMS_TABLE")) == 1
    assert shop.sent() == []


def test_without_an_order_the_payment_is_what_is_activated(shop: Shop) -> None:
    """Two such payments are two activations."""
    assert shop.deliver(event("p1", orderId=None), event("p2", orderId=None)) == []
    rows = shop.rows("ACTIVATIONS_TABLE")
    assert [row["pk"] for row in rows] == ["PAYMENT#P000818#p1", "PAYMENT#P000818#p2"]
    assert not any("orderId" in row for row in rows)


def test_logs_say_what_happened_without_customers_text(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """The payment or message, and the rule; no text of a customer."""
    shop.deliver(
        changed("data", servicePlanShowName="canary"),
        changed("data", servicePlanShowName=["canary"]),
        changed("metadata", environment="canary"),
        "canary",
    )
    shop.deliver(another_copy())
    shop.deliver(*[event("second", duplicateOf="first")] * 2)
    quoting = {"Error": {"Code": "InvalidParameter", "Message": "canary"}}
    with refusing(shop.app.sns, "sns.Publish", quoting):
        shop.deliver(event("another", orderId="A-18"))
    own = shop.app.logger.name  # other threads of the process may log, too
    told = [vars(each) for each in caplog.records if each.name == own]
    assert [(line["message"], line.get("payId"), line.get("why")) for line in told] == [
        ("activated", "20190321192436", None),
        ("failed", None, "data.data.servicePlanShowName breaks the rule type"),
        ("failed", None, "an event of another environment"),
        ("failed", None, "not an event from EventBridge"),
        ("activated before", "20190321192436", None),
        ("refund noted", "second", None),
        ("refund noted before", "second", None),
        ("failed", None, "InvalidParameterException"),
    ]
    assert "canary" not in str(told)
