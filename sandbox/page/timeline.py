"""What happened to one payment, in order. Pure: words for people, made of what was recorded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sandbox.gateway import Seen
from sandbox.page.event_listener import Delivery
from sandbox.page.subscriber_view import Act
from sandbox.provider import PRICE, WRONG_PRICE

_ANSWERS = {
    "pending": "HTTP 200, payRst “waiting”: not paid so far",
    "paid": f"HTTP 200, payRst “success”, {PRICE}",
    "wrong": f"HTTP 200, payRst “success”, but {WRONG_PRICE}",
    "failing": "HTTP 500",
    "busy": "HTTP 429: asks for a pause of 2 s",
    "refusing": "the connection cut, no answer",
    "slow": "silence for 8 s; payresult stops waiting after 5 s",
    "nonsense": "HTTP 200 with a page of HTML",
}
_WAYS = {
    "api": "by the HTTP API",
    "queue": "by the queue",
    "sweeper": "by the sweeper",
    "operator": "by an operator",
}


_ACTS = {
    "activated": ("Order activated", "claim and activation in one transaction"),
    "activated before": ("Nothing to do", "activated before: the event came again"),
}


class Entry(NamedTuple):
    """One line: when (epoch milliseconds), whose doing (`kind`), what, and the particulars.

    `key` is the same each time, so that a page can tell what is new.
    """

    key: str
    at: int
    kind: str
    title: str
    text: str


class Copy(NamedTuple):
    """A message that was sent a second time: when (epoch milliseconds), to whom, what it says."""

    at: int
    pay_id: str
    queue: str
    body: str


def timeline(
    item: Mapping[str, Any],
    seen: Iterable[Seen] | None,
    deliveries: Sequence[Delivery],
    copies: Iterable[Copy],
    acts: Iterable[Act],
) -> list[Entry]:
    """The entries of a payment, oldest first; causes first where milliseconds are the same.

    Where the gateway is not ours and keeps no log for us, *seen* is None.
    """
    checks = _latest(item) if seen is None else _asked(seen)
    causes = chain(_copied(copies), checks, _stored(item))
    effects = chain(_event(item), _arrived(deliveries), _acted(acts))
    return sorted(chain(causes, effects), key=lambda entry: entry.at)


def _stored(item: Mapping[str, Any]) -> Iterator[Entry]:
    for number, change in enumerate(item.get("history", ())):
        title = f"Status {change['to']}" if "from" in change else f"Registered: {change['to']}"
        told = f" on payRst “{change['payRst']}”" if "payRst" in change else ""
        text = _WAYS.get(change["way"], change["way"]) + told
        yield Entry(f"stored-{number}", int(change["at"]), "stored", title, text)


def _asked(seen: Iterable[Seen]) -> Iterator[Entry]:
    for number, each in enumerate(seen, start=1):
        text = (
            f"POST /resultQuery, sign {each.verdict}; got {_ANSWERS.get(each.answer, each.answer)}"
        )
        title = f"Check {number}: {each.answer}"
        yield Entry(f"asked-{number}", int(each.at * 1000), "gateway", title, text)


def _latest(item: Mapping[str, Any]) -> Iterator[Entry]:
    """The one check that the item remembers."""
    if "lastCheckedAt" in item:
        trouble, reply = item.get("lastError"), item.get("reply", {})
        text = trouble["kind"] if trouble else f"payRst “{reply.get('payRst')}”"
        title = f"Check {item.get('checks', 0)}, the latest"
        yield Entry(
            f"check-{item.get('checks')}", int(item["lastCheckedAt"]), "gateway", title, text
        )


def _event(item: Mapping[str, Any]) -> Iterator[Entry]:
    if "eventSentAt" in item:
        text = "written after the bus took it, so that nobody sends it again"
        yield Entry("sent", int(item["eventSentAt"]), "stored", "Event noted as sent", text)


def _arrived(deliveries: Sequence[Delivery]) -> Iterator[Entry]:
    for number, each in enumerate(deliveries, start=1):
        again = f" again, delivery {number}" if number > 1 else ""
        text = f"PaymentSucceeded, eventId {each.event_id}"
        yield Entry(f"arrived-{number}", each.at, "event", f"Event arrived{again}", text)


def _copied(copies: Iterable[Copy]) -> Iterator[Entry]:
    for number, each in enumerate(copies, start=1):
        text = f"to {each.queue}: {each.body}"
        yield Entry(f"copy-{number}", each.at, "fault", "Message sent again", text)


def _acted(acts: Iterable[Act]) -> Iterator[Entry]:
    for number, each in enumerate(acts, start=1):
        title, text = _ACTS.get(each.what, (each.what, "as its log says"))
        yield Entry(f"act-{number}", each.at, "act", title, text)


def told_of_acts(acts: Sequence[Act], activation: Mapping[str, Any]) -> str:
    """What the subscriber did, in one sentence."""
    if not activation:
        return "Has not acted so far."
    order = activation.get("orderId", "the payment")
    again = sum(act.what == "activated before" for act in acts)
    more = f"; {again} more {'delivery' if again == 1 else 'deliveries'} changed nothing"
    return f"Activated {order} once{more if again else ''}."


def shown_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item as JSON can hold it, and without the event, which is shown by itself."""
    return {name: _plain(value) for name, value in sorted(item.items()) if name != "event"}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isinstance(value, str) else int(value)
