"""The timeline of one payment, from the records of several sources. Pure; texts for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sandbox.gateway import RecordedRequest
from sandbox.page.event_listener import Delivery
from sandbox.page.subscriber_view import SubscriberEntry
from sandbox.provider import PRICE, WRONG_PRICE

_ANSWERS = {
    "pending": "HTTP 200, payRst “waiting”: not paid yet",
    "paid": f"HTTP 200, payRst “success”, {PRICE}",
    "wrong": f"HTTP 200, payRst “success”, but {WRONG_PRICE}",
    "failing": "HTTP 500",
    "busy": "HTTP 429, Retry-After 2 s",
    "refusing": "connection reset",
    "slow": "no reply for 8 s; payresult times out after 5 s",
    "nonsense": "HTTP 200 with an HTML page",
    "unclear": "HTTP 200, JSON without a payment in it",
}
_TRIGGERS = {
    "api": "by the HTTP API",
    "queue": "by the queue",
    "sweeper": "by the sweeper",
    "operator": "by an operator",
}
_SUBSCRIBER_ENTRIES = {
    "activated": ("Order activated", "claim and activation in one transaction"),
    "activated before": ("Duplicate ignored", "the order is activated already"),
}


class Entry(NamedTuple):
    """One line: time (epoch milliseconds), source (`kind`), title and details.

    `key` does not change between two calls, so that a page can tell which lines are new.
    """

    key: str
    at: int
    kind: str
    title: str
    text: str


class MessageCopy(NamedTuple):
    """A duplicate that was sent: time (epoch milliseconds), payment, queue and body."""

    at: int
    pay_id: str
    queue: str
    body: str


def timeline(
    item: Mapping[str, Any],
    requests: Iterable[RecordedRequest] | None,
    deliveries: Sequence[Delivery],
    copies: Iterable[MessageCopy],
    entries: Iterable[SubscriberEntry],
) -> list[Entry]:
    """The entries of a payment, oldest first; causes before effects in the same millisecond.

    *requests* is None for an external gateway, whose requests are not recorded.
    """
    checks = _latest_check(item) if requests is None else _checks(requests)
    causes = chain(_copies(copies), checks, _status_changes(item))
    effects = chain(_sent_event(item), _arrivals(deliveries), _subscriber_entries(entries))
    return sorted(chain(causes, effects), key=lambda entry: entry.at)


def _status_changes(item: Mapping[str, Any]) -> Iterator[Entry]:
    for number, change in enumerate(item.get("history", ())):
        title = f"Status {change['to']}" if "from" in change else f"Registered: {change['to']}"
        cause = f", payRst “{change['payRst']}”" if "payRst" in change else ""
        text = _TRIGGERS.get(change["way"], change["way"]) + cause
        yield Entry(f"stored-{number}", int(change["at"]), "stored", title, text)


def _checks(requests: Iterable[RecordedRequest]) -> Iterator[Entry]:
    for number, each in enumerate(requests, start=1):
        answer = f"HTTP {each.status}" if each.status else _ANSWERS.get(each.answer, each.answer)
        text = f"POST /resultQuery, request {each.verdict}; {answer}"
        title = f"Check {number}: {each.answer}"
        yield Entry(f"check-{number}", int(each.at * 1000), "gateway", title, text)


def _latest_check(item: Mapping[str, Any]) -> Iterator[Entry]:
    """The only check that the item has."""
    if "lastCheckedAt" in item:
        error, reply = item.get("lastError"), item.get("reply", {})
        text = error["kind"] if error else f"payRst “{reply.get('payRst')}”"
        title = f"Check {item.get('checks', 0)}, the latest"
        at = int(item["lastCheckedAt"])
        yield Entry(f"check-{item.get('checks')}", at, "gateway", title, text)


def _sent_event(item: Mapping[str, Any]) -> Iterator[Entry]:
    if "eventSentAt" in item:
        text = "written after the bus has accepted it; prevents a second send"
        yield Entry("sent", int(item["eventSentAt"]), "stored", "Event marked as sent", text)


def _arrivals(deliveries: Sequence[Delivery]) -> Iterator[Entry]:
    for number, each in enumerate(deliveries, start=1):
        again = f" again, delivery {number}" if number > 1 else ""
        text = f"PaymentSucceeded, eventId {each.event_id}"
        yield Entry(f"arrived-{number}", each.at, "event", f"Event arrived{again}", text)


def _copies(copies: Iterable[MessageCopy]) -> Iterator[Entry]:
    for number, each in enumerate(copies, start=1):
        text = f"to {each.queue}: {each.body}"
        yield Entry(f"copy-{number}", each.at, "fault", "Duplicate message sent", text)


def _subscriber_entries(entries: Iterable[SubscriberEntry]) -> Iterator[Entry]:
    for number, each in enumerate(entries, start=1):
        title, text = _SUBSCRIBER_ENTRIES.get(each.message, (each.message, "from its log"))
        yield Entry(f"subscriber-{number}", each.at, "subscriber", title, text)


def describe_subscriber(entries: Sequence[SubscriberEntry], activation: Mapping[str, Any]) -> str:
    """What the subscriber did, in one sentence."""
    if not activation:
        return "No activation yet."
    order = activation.get("orderId", "the payment")
    count = sum(entry.message == "activated before" for entry in entries)
    ignored = f"; {count} duplicate{'' if count == 1 else 's'} ignored" if count else ""
    return f"Activated {order} once{ignored}."


def item_document(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item as JSON values, without the event, which the page shows separately."""
    return {name: _plain(value) for name, value in sorted(item.items()) if name != "event"}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isinstance(value, str) else int(value)
