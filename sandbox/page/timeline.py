"""The timeline of one payment, from the records of several sources. Pure; texts for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sandbox.gateway import RecordedRequest
from sandbox.page.event_listener import Delivery
from sandbox.page.log_lines import LogLine
from sandbox.page.subscriber_view import SubscriberEntry
from sandbox.provider import PRICE, WRONG_PRICE

_ANSWERS = {
    "pending": ("Not paid yet", "payRst “waiting”"),
    "paid": (f"Paid, {PRICE}", "payRst “success”"),
    "wrong": (f"Paid, but {WRONG_PRICE}", "payRst “success”"),
    "failing": ("No answer: HTTP 500", "an error of the gateway"),
    "busy": ("No answer: HTTP 429", "Retry-After 2 s"),
    "refusing": ("No answer: connection cut", "reset before a reply"),
    "slow": ("No answer in time", "no reply for 8 s; payresult waits for 5 s"),
    "nonsense": ("No answer: an HTML page", "HTTP 200, but no JSON"),
    "unclear": ("No answer: JSON without a payment", "HTTP 200"),
}
"""What the gateway answered, and how."""

_SAME_QUERY_SECONDS = 0.5
"""A query that is sent once more, on a fresh connection, follows at once and has the same sign."""

_TRIGGERS = {
    "api": "by the HTTP API",
    "queue": "by the queue",
    "sweeper": "by the sweeper",
    "operator": "by an operator",
}
_SUBSCRIBER_ENTRIES = {
    "activated": ("Order activated", "claim and activation in one transaction"),
    "activated before": ("Duplicate ignored", "the order is activated already"),
    "refund noted": ("Refund noted", "the order was paid with another payId before"),
    "refund noted before": ("Duplicate ignored", "the refund is noted already"),
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


@dataclass(frozen=True, slots=True)
class Records:
    """What is recorded of one payment; `requests` is None for an external gateway."""

    item: Mapping[str, Any]
    requests: Sequence[RecordedRequest] | None = None
    deliveries: Sequence[Delivery] = ()
    copies: Sequence[MessageCopy] = ()
    log: Sequence[LogLine] = ()
    subscriber: Sequence[SubscriberEntry] = ()


def timeline(records: Records) -> list[Entry]:
    """The entries of a payment, oldest first.

    Those of the same hundredth of a second, which the page shows as one time, are in the order in
    which one leads to the other.
    """
    item, requests = records.item, records.requests
    causes_first = (
        _registration(item),
        _copies(records.copies),
        _latest_answer(item) if requests is None else _answers(requests),
        _status_changes(item),
        _arrivals(records.deliveries),
        _sent_event(item),
        _subscriber_entries(records.subscriber),
        _log_entries(records.log),
    )
    ranked = [(rank, each) for rank, entries in enumerate(causes_first) for each in entries]
    start = min((each.at for _, each in ranked), default=0)
    ranked.sort(key=lambda pair: (round((pair[1].at - start) / 10), pair[0], pair[1].at))
    return [each for _, each in ranked]


def _registration(item: Mapping[str, Any]) -> Iterator[Entry]:
    for number, change in enumerate(item.get("history", ())[:1]):
        if "from" not in change:
            yield _status_change(number, change)


def _status_changes(item: Mapping[str, Any]) -> Iterator[Entry]:
    for number, change in enumerate(item.get("history", ())):
        if "from" in change or number:
            yield _status_change(number, change)


def _status_change(number: int, change: Mapping[str, Any]) -> Entry:
    title = f"Status {change['to']}" if "from" in change else f"Registered: {change['to']}"
    cause = f", payRst “{change['payRst']}”" if "payRst" in change else ""
    text = _TRIGGERS.get(change["way"], change["way"]) + cause
    return Entry(f"stored-{number}", int(change["at"]), "stored", title, text)


def _answers(requests: Iterable[RecordedRequest]) -> Iterator[Entry]:
    for number, (each, sent_again) in enumerate(_queries(requests), start=1):
        title, text = _ANSWERS.get(each.answer, (each.answer, ""))
        if each.answer == "played":
            title, text = f"Your reply: HTTP {each.status}", "played by the gateway"
        elif each.answer == "rejected":
            title, text = f"Query rejected: {each.verdict}", "by the rules of the provider's page"
        again = "; sent once more on a fresh connection" if sent_again else ""
        detail = f"POST /resultQuery, sign {each.verdict}; {text}{again}"
        yield Entry(f"answer-{number}", int(each.at * 1000), "gateway", title, detail)


def _queries(requests: Iterable[RecordedRequest]) -> list[tuple[RecordedRequest, bool]]:
    """The requests, each with whether it was sent twice: then the second has the answer."""
    found: list[tuple[RecordedRequest, bool]] = []
    for each in requests:
        last = found[-1][0] if found else None
        repeated = (
            last is not None
            and (last.sign, last.answer) == (each.sign, "refusing")
            and each.at - last.at < _SAME_QUERY_SECONDS
        )
        if repeated:
            found.pop()
        found.append((each, repeated))
    return found


def _latest_answer(item: Mapping[str, Any]) -> Iterator[Entry]:
    """The only answer that the item has."""
    if "lastCheckedAt" in item:
        error, reply = item.get("lastError"), item.get("reply", {})
        text = error["kind"] if error else f"payRst “{reply.get('payRst')}”"
        at = int(item["lastCheckedAt"])
        yield Entry(f"answer-{item.get('checks')}", at, "gateway", "The latest answer", text)


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


def _log_entries(lines: Iterable[LogLine]) -> Iterator[Entry]:
    """Calls of the API, and messages of the checks queue that led to no query."""
    for number, each in enumerate(lines, start=1):
        asked, status = "answer" in each.fields, each.fields.get("status")
        if each.function == "Api":
            text = "the gateway was asked" if asked else "without asking the gateway"
            title = f"API call answered: {status or each.fields.get('error', 'error')}"
            yield Entry(f"log-{number}", each.at, "api", title, text)
        elif each.function == "Checks" and not asked and "error" not in each.fields:
            text = "the payment is settled" if status == "SUCCEEDED" else "its step was done before"
            yield Entry(f"log-{number}", each.at, "queue", "Message ignored", text)


def describe_subscriber(entries: Sequence[SubscriberEntry], activation: Mapping[str, Any]) -> str:
    """What the subscriber did, in one sentence."""
    if any(entry.message == "refund noted" for entry in entries):
        return "Noted for a refund: another payment of its order was first."
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
