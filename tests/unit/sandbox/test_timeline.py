"""The sandbox page's time line: what was recorded in different places, in one order."""

from decimal import Decimal

from sandbox.gateway import Seen
from sandbox.page.event_listener import Delivery
from sandbox.page.subscriber_view import Act
from sandbox.page.timeline import Copy, shown_item, timeline, told_of_acts

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
SEEN = [Seen(1.1, "p-1", "ok", "pending", "s"), Seen(5.0001, "p-1", "ok", "paid", "s")]
DETAIL = {"metadata": {"eventId": "e-1"}, "data": {"payId": "p-1"}}
DELIVERIES = [Delivery(5005, {"detail": DETAIL}), Delivery(9000, {"detail": DETAIL})]
COPIES = [Copy(1200, "p-1", "the checks queue", '{"payId": "p-1", "step": 2}')]
ACTS = [Act(5050, "p-1", "activated"), Act(9050, "p-1", "activated before")]


def test_causes_come_before_their_effects() -> None:
    """Also where gateway, table and bus have the same millisecond."""
    line = timeline(ITEM, SEEN, DELIVERIES, COPIES, ACTS)

    assert [(entry.at, entry.title) for entry in line] == [
        (1000, "Registered: PENDING"),
        (1100, "Check 1: pending"),
        (1200, "Message sent again"),
        (5000, "Check 2: paid"),
        (5000, "Status SUCCEEDED"),
        (5005, "Event arrived"),
        (5010, "Event noted as sent"),
        (5050, "Order activated"),
        (9000, "Event arrived again, delivery 2"),
        (9050, "Nothing to do"),
    ]


def test_an_entry_keeps_its_key_while_others_come() -> None:
    """The page knows by it what is new."""
    before = {entry.key for entry in timeline(ITEM, SEEN[:1], [], [], [])}
    after = [entry.key for entry in timeline(ITEM, SEEN, DELIVERIES, COPIES, ACTS)]

    assert before < set(after)
    assert len(after) == len(set(after))


def test_a_rejected_query_and_an_unknown_act_are_told_as_they_are() -> None:
    """What is not foreseen is not hidden."""
    seen = Seen(1.0, "p-1", "wrong sign", "rejected", "s")
    line = timeline({}, [seen], [], [], [Act(2000, "p-1", "failed")])

    assert line[0].text == "POST /resultQuery, sign wrong sign; got rejected"
    assert (line[1].title, line[1].text) == ("failed", "as its log says")


def test_without_a_log_of_the_gateway_the_latest_check_is_told() -> None:
    """The item remembers one: what it brought, or why it brought nothing."""
    item = {"checks": 3, "lastCheckedAt": 7000, "reply": {"payRst": "waiting"}}
    told = timeline(item, None, [], [], [])
    troubled = timeline(item | {"lastError": {"kind": "unavailable"}}, None, [], [], [])

    assert [(entry.title, entry.text) for entry in told + troubled] == [
        ("Check 3, the latest", "payRst “waiting”"),
        ("Check 3, the latest", "unavailable"),
    ]
    assert timeline({}, None, [], [], []) == []


def test_the_item_is_shown_without_its_event() -> None:
    """Which stands by itself; and numbers are numbers."""
    shown = shown_item(ITEM)

    assert "event" not in shown
    assert shown["eventSentAt"] == 5010
    assert shown["history"][0] == {"at": 1000, "to": "PENDING", "way": "api"}


def test_the_subscriber_is_told_in_a_sentence() -> None:
    """Nothing, once, and once in spite of copies."""
    activation = {"orderId": "A-17"}

    assert told_of_acts([], {}) == "Has not acted so far."
    assert told_of_acts(ACTS[:1], activation) == "Activated A-17 once."
    assert told_of_acts(ACTS, {}) == "Has not acted so far."
    once_more = "Activated A-17 once; 1 more delivery changed nothing."
    assert told_of_acts(ACTS, activation) == once_more
