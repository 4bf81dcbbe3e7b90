"""Contract of the page's timeline: records of several sources in one order."""

from decimal import Decimal

from sandbox.gateway import RecordedRequest
from sandbox.page.event_listener import Delivery
from sandbox.page.log_lines import LogLine
from sandbox.page.subscriber_view import SubscriberEntry
from sandbox.page.timeline import (
    MessageCopy,
    Records,
    describe_subscriber,
    item_document,
    timeline,
)

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
LOG = [
    LogLine(1110, "Checks", {"payId": "p-1", "status": "PENDING", "answer": "Reply"}),
    LogLine(1300, "Checks", {"payId": "p-1", "status": "PENDING"}),
    LogLine(5060, "Api", {"payId": "p-1", "status": "SUCCEEDED"}),
]
ENTRIES = [
    SubscriberEntry(5050, "p-1", "activated"),
    SubscriberEntry(9050, "p-1", "activated before"),
]


RECORDS = Records(ITEM, REQUESTS, DELIVERIES, COPIES, LOG, ENTRIES)


def titles(records: Records) -> list[str]:
    """The titles in their order."""
    return [entry.title for entry in timeline(records)]


def test_causes_come_before_their_effects() -> None:
    """Also where gateway, table and bus have the same hundredth of a second."""
    assert [(entry.at, entry.title) for entry in timeline(RECORDS)] == [
        (1000, "Registered: PENDING"),
        (1100, "Not paid yet"),
        (1200, "Duplicate message sent"),
        (1300, "Message ignored"),
        (5000, "Paid, $19.99"),
        (5000, "Status SUCCEEDED"),
        (5005, "Event arrived"),
        (5010, "Event marked as sent"),
        (5050, "Order activated"),
        (5060, "API call answered: SUCCEEDED"),
        (9000, "Event arrived again, delivery 2"),
        (9050, "Duplicate ignored"),
    ]


def test_a_tie_is_broken_in_the_same_way_each_time() -> None:
    """The event arrives before it is marked as sent, whichever clock was read first."""
    for sent_at in (5001, 5003, 5004):
        item = ITEM | {"eventSentAt": Decimal(sent_at)}
        found = titles(Records(item, REQUESTS[1:], [Delivery(5003, {"detail": DETAIL})]))
        assert found[1:] == [
            "Paid, $19.99",
            "Status SUCCEEDED",
            "Event arrived",
            "Event marked as sent",
        ]


def test_a_query_that_is_sent_once_more_is_one_entry() -> None:
    """With the answer to the second; a later query has another sign."""
    requests = [
        RecordedRequest(1.0, "p-1", "ok", "refusing", "s"),
        RecordedRequest(1.01, "p-1", "ok", "pending", "s"),
        RecordedRequest(2.0, "p-1", "ok", "refusing", "t"),
    ]
    first, second = timeline(Records({}, requests))
    assert first.title == "Not paid yet"
    assert first.text.endswith("; sent once more on a fresh connection")
    assert (second.title, "once more" in second.text) == ("No answer: connection cut", False)


def test_a_played_reply_is_shown_with_its_status() -> None:
    """Its meaning is payresult's to say."""
    (entry,) = timeline(Records({}, [RecordedRequest(1, "p-1", "ok", "played", "s", 418)]))
    assert entry.title == "Your reply: HTTP 418"


def test_an_entry_keeps_its_key_when_others_are_added() -> None:
    """The page uses it to find the new ones."""
    before = {entry.key for entry in timeline(Records(ITEM, REQUESTS[:1]))}
    after = [entry.key for entry in timeline(RECORDS)]
    assert before < set(after)
    assert len(after) == len(set(after))


def test_a_rejected_query_and_an_unknown_log_line_are_shown_unchanged() -> None:
    """Unexpected values are not hidden."""
    request = RecordedRequest(1.0, "p-1", "wrong sign", "rejected", "s")
    entries = [SubscriberEntry(2000, "p-1", "failed")]
    query, line = timeline(Records({}, [request], subscriber=entries))
    assert query.title == "Query rejected: wrong sign"
    assert (line.title, line.text) == ("failed", "from its log")


def test_without_a_log_of_the_gateway_the_latest_answer_is_shown() -> None:
    """The item has one: its payRst, or its error."""
    item = {"checks": 3, "lastCheckedAt": 7000, "reply": {"payRst": "waiting"}}
    answered = timeline(Records(item))
    failed = timeline(Records(item | {"lastError": {"kind": "unavailable"}}))
    assert [(entry.title, entry.text) for entry in answered + failed] == [
        ("The latest answer", "payRst “waiting”"),
        ("The latest answer", "unavailable"),
    ]
    assert timeline(Records({})) == []


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
    noted = [SubscriberEntry(1, "p-2", "refund noted")]
    told = "Noted for a refund: another payment of its order was first."
    assert describe_subscriber(noted, activation) == told
