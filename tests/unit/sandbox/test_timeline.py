"""Contract of the page's timeline: records of several sources in one order."""

from decimal import Decimal

from sandbox.gateway import RecordedRequest
from sandbox.page.event_listener import Delivery
from sandbox.page.subscriber_view import SubscriberEntry
from sandbox.page.timeline import MessageCopy, describe_subscriber, item_document, timeline

ITEM = {
    "payId": "p-1",
    "event": "{}",
    "eventSentAt": Decimal(5010),
    "reply": {"payRst": "success"},
    "history": [
        {"at": Decimal(1000), "to": "PENDING", "way": "api"},
        {
            "at": Decimal(5000),
            "from": "PENDING",
            "to": "SUCCEEDED",
            "way": "queue",
            "payRst": "success",
        },
    ],
}
REQUESTS = [
    RecordedRequest(1.1, "p-1", "ok", "pending", "s"),
    RecordedRequest(5.0001, "p-1", "ok", "paid", "s"),
]
DETAIL = {"metadata": {"eventId": "e-1"}, "data": {"payId": "p-1"}}
DELIVERIES = [Delivery(5005, {"detail": DETAIL}), Delivery(9000, {"detail": DETAIL})]
COPIES = [MessageCopy(1200, "p-1", "the checks queue", '{"payId": "p-1", "step": 2}')]
ENTRIES = [
    SubscriberEntry(5050, "p-1", "activated"),
    SubscriberEntry(9050, "p-1", "activated before"),
]


def test_causes_come_before_their_effects() -> None:
    """Also where gateway, table and bus have the same millisecond."""
    entries = timeline(ITEM, REQUESTS, DELIVERIES, COPIES, ENTRIES)

    assert [(entry.at, entry.title) for entry in entries] == [
        (1000, "Registered: PENDING"),
        (1100, "Check 1: pending"),
        (1200, "Duplicate message sent"),
        (5000, "Check 2: paid"),
        (5000, "Status SUCCEEDED"),
        (5005, "Event arrived"),
        (5010, "Event marked as sent"),
        (5050, "Order activated"),
        (9000, "Event arrived again, delivery 2"),
        (9050, "Duplicate ignored"),
    ]


def test_a_played_reply_is_shown_with_its_status() -> None:
    """Its meaning is payresult's to say."""
    (entry,) = timeline({}, [RecordedRequest(1, "p-1", "ok", "played", "s", 418)], [], [], [])

    assert (entry.title, entry.text) == (
        "Check 1: played",
        "POST /resultQuery, request ok; HTTP 418",
    )


def test_an_entry_keeps_its_key_when_others_are_added() -> None:
    """The page uses it to find the new ones."""
    before = {entry.key for entry in timeline(ITEM, REQUESTS[:1], [], [], [])}
    after = [entry.key for entry in timeline(ITEM, REQUESTS, DELIVERIES, COPIES, ENTRIES)]

    assert before < set(after)
    assert len(after) == len(set(after))


def test_a_rejected_request_and_an_unknown_log_line_are_shown_unchanged() -> None:
    """Unexpected values are not hidden."""
    request = RecordedRequest(1.0, "p-1", "wrong sign", "rejected", "s")
    entries = timeline({}, [request], [], [], [SubscriberEntry(2000, "p-1", "failed")])

    assert entries[0].text == "POST /resultQuery, request wrong sign; rejected"
    assert (entries[1].title, entries[1].text) == ("failed", "from its log")


def test_without_a_log_of_the_gateway_the_latest_check_is_shown() -> None:
    """The item has one: its payRst, or its error."""
    item = {"checks": 3, "lastCheckedAt": 7000, "reply": {"payRst": "waiting"}}
    answered = timeline(item, None, [], [], [])
    failed = timeline(item | {"lastError": {"kind": "unavailable"}}, None, [], [], [])

    assert [(entry.title, entry.text) for entry in answered + failed] == [
        ("Check 3, the latest", "payRst “waiting”"),
        ("Check 3, the latest", "unavailable"),
    ]
    assert timeline({}, None, [], [], []) == []


def test_the_item_is_shown_without_its_event() -> None:
    """The page shows the event separately; numbers are JSON numbers."""
    shown = item_document(ITEM)

    assert "event" not in shown
    assert shown["eventSentAt"] == 5010
    assert shown["history"][0] == {"at": 1000, "to": "PENDING", "way": "api"}


def test_the_subscriber_is_described_in_a_sentence() -> None:
    """No activation, one, and one with duplicates."""
    activation = {"orderId": "A-17"}

    assert describe_subscriber([], {}) == "No activation yet."
    assert describe_subscriber(ENTRIES[:1], activation) == "Activated A-17 once."
    assert describe_subscriber(ENTRIES, {}) == "No activation yet."
    with_duplicate = "Activated A-17 once; 1 duplicate ignored."
    assert describe_subscriber(ENTRIES, activation) == with_duplicate
