"""The promises, each with what speaks for or against it just now. Pure: it only counts.

What is counted comes from outside of the code that promises: the gateway's own log, the items of
the table, the deliveries to a subscriber of the page's own, the dead-letter queue, the logs.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import chain
from statistics import median
from typing import Any, NamedTuple

from sandbox.gateway import Seen
from sandbox.page.event_listener import Delivery

Item = Mapping[str, Any]

LATE_SECONDS = 180
"""From then on, an event that has not come is called lost (P4: even with the stream dead)."""

SOON_SECONDS = 1
MOST_ANSWERED = 27
SETTLED_BY_ANSWER = ("FAILED", "REVIEW", "SUCCEEDED")

_PAY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MEMBERS = {"payId", "payIds", "orderId", "expectedAmount", "currency", "step"}
_ANSWERED = ("paid", "pending", "wrong", "nonsense")


class Promise(NamedTuple):
    """A promise; `kept` is None while nothing has happened that could speak for or against it."""

    name: str
    title: str
    figure: str
    note: str
    kept: bool | None


@dataclass(frozen=True, slots=True)
class World:
    """All that is counted; `seen` is None where the gateway is not ours and keeps no log for us."""

    now: float
    seen: Sequence[Seen] | None
    items: Sequence[Item]
    deliveries: Sequence[Delivery]
    letters: Sequence[str]
    leaks: int
    lines: int
    stream_was_stopped: bool


def promises(world: World) -> list[Promise]:
    """The eight promises of the README, in its order."""
    return [
        _lost(world),
        _false(world),
        _one_key(world),
        _soon(world),
        _settles(world),
        _kind(world),
        _no_answer(world),
        _tight_lipped(world),
    ]


def _lost(world: World) -> Promise:
    paid = _paid_since(world)
    told = {each.pay_id for each in world.deliveries}
    review = {item["payId"] for item in world.items if item["status"] == "REVIEW"}
    missing = [since for pay_id, since in paid.items() if pay_id not in told | review]
    lost = sum(world.now - since > LATE_SECONDS for since in missing)
    note = (
        f"{len(paid)} paid, {len(told)} with an event, {len(paid.keys() & review)} in review, "
        f"{len(missing) - lost} on the way"
    )
    return Promise("P1", "Never lost", f"{lost} lost", note, lost == 0 if paid else None)


def _paid_since(world: World) -> dict[str, float]:
    """When the gateway first said that a payment is paid; by the table where it has no log."""
    if world.seen is None:
        told = [item for item in world.items if item["status"] in ("REVIEW", "SUCCEEDED")]
        return {item["payId"]: item["lastCheckedAt"] / 1000 for item in told}
    paid: dict[str, float] = {}
    for each in world.seen:
        if each.answer in ("paid", "wrong"):
            paid.setdefault(each.payId, each.at)
    return paid


def _false(world: World) -> Promise:
    paid, items = _paid_since(world), {item["payId"]: item for item in world.items}
    wrong = sum(
        each.pay_id not in paid or not _as_registered(each.data, items.get(each.pay_id, {}))
        for each in world.deliveries
    )
    source = "table" if world.seen is None else "gateway's log"
    note = f"{_counted(len(world.deliveries), 'delivery', 'deliveries')} held against the {source}"
    return Promise("P2", "Never false", f"{wrong} false", note, _none_of(wrong, world.deliveries))


def _as_registered(data: Mapping[str, Any], item: Item) -> bool:
    expected, told = item.get("expectedAmount"), data.get("amount")
    if expected is None:
        return True
    try:
        return Decimal(str(told)) == Decimal(expected)
    except InvalidOperation:
        return False


def _one_key(world: World) -> Promise:
    ids: defaultdict[str, set[str]] = defaultdict(set)
    bodies: defaultdict[str, set[str]] = defaultdict(set)
    for each in world.deliveries:
        ids[each.pay_id].add(each.event_id)
        bodies[each.pay_id].add(json.dumps(each.detail))
    most = max(map(len, ids.values()), default=0)
    most_bodies = max(map(len, bodies.values()), default=0)
    shared = sum(map(len, ids.values())) != len(set().union(*ids.values()))
    deliveries = _counted(len(world.deliveries), "delivery", "deliveries")
    note = f"{deliveries} of {_counted(len(ids), 'event')}"
    if not ids:
        return Promise("P3", "One key", "no event yet", note, None)
    figure = f"{_counted(most, 'id')} a payment"
    note += f"; at most {_counted(most_bodies, 'body', 'bodies')} a payment"
    return Promise("P3", "One key", figure, note, most == most_bodies == 1 and not shared)


def _soon(world: World) -> Promise:
    first: dict[str, float] = {}
    for each in world.deliveries:
        if each.latency is not None:
            first[each.pay_id] = min(each.latency, first.get(each.pay_id, each.latency))
    late = sorted(first.values())
    if not late:
        return Promise("P4", "Soon", "no event yet", "from the gateway's answer to the bus", None)
    note = f"median of {_counted(len(late), 'event')}; the slowest took {late[-1]:.2f} s"
    kept: bool | None = late[-1] < LATE_SECONDS
    if world.stream_was_stopped:
        note += ", with the stream stopped for a while"
    elif median(late) >= SOON_SECONDS:
        note += "; more than promised, but cold starts and a busy machine are no evidence"
        kept = kept and None
    return Promise("P4", "Soon", f"{median(late):.2f} s to the bus", note, kept)


def _settles(world: World) -> Promise:
    status = Counter(item["status"] for item in world.items)
    orphans = sum(item["status"] == "PENDING" and "nextCheckAt" not in item for item in world.items)
    note = f"{status['PENDING']} followed, {status['SUCCEEDED']} succeeded, "
    note += f"{status['UNRESOLVED']} unresolved, {status['FAILED']} failed"
    title = "Settles or shouts"
    return Promise("P5", title, _counted(orphans, "orphan"), note, _none_of(orphans, world.items))


def _kind(world: World) -> Promise:
    most = max((int(item["attempt"]) for item in world.items), default=0)
    note = f"answered, of {MOST_ANSWERED} that following may ask"
    if world.seen is not None:
        asked = Counter(each.payId for each in world.seen)
        silent = Counter(each.payId for each in world.seen if each.answer not in _ANSWERED)
        note += f"; the gateway counts {_most(asked)} at most, {_most(silent)} of them unanswered"
    kept = most <= MOST_ANSWERED if world.items else None
    return Promise("P6", "Kind to the gateway", f"At most {_counted(most, 'check')}", note, kept)


def _no_answer(world: World) -> Promise:
    changes = chain.from_iterable(item.get("history", ()) for item in world.items)
    baseless = sum(_is_baseless(change) for change in changes)
    sound = sum(is_sound(letter) for letter in world.letters)
    note = f"beside {len(world.letters) - sound} malformed ones; "
    note += f"{baseless} changes of status without an answer"
    figure = f"{_counted(sound, 'good message')} in the DLQ"
    kept = sound == baseless == 0 if world.items else None
    return Promise("P7", "A failure is not an answer", figure, note, kept)


def _is_baseless(change: Mapping[str, Any]) -> bool:
    """Whether a status that only an answer can bring came without one.

    What an operator does is noted from a status to the same one.
    """
    changed = change["to"] != change.get("from")
    return changed and change["to"] in SETTLED_BY_ANSWER and "payRst" not in change


def is_sound(letter: str) -> bool:
    """Whether the body of a message is one that payresult should have been able to handle."""
    try:
        told = json.loads(letter)
    except ValueError:
        return False
    if not isinstance(told, dict) or not set(told) <= _MEMBERS:
        return False
    pay_ids = told.get("payIds", [told.get("payId")])
    return isinstance(pay_ids, list) and all(
        isinstance(each, str) and _PAY_ID.fullmatch(each) for each in pay_ids
    )


def _tight_lipped(world: World) -> Promise:
    if world.seen is None:
        note = "only the simulated gateway tells which signs and texts to look for"
        return Promise("P8", "Tight-lipped", "not counted", note, None)
    note = f"with a sign or a name of a plan, of {_counted(world.lines, 'line')} in the four logs"
    figure = _counted(world.leaks, "telling line")
    return Promise("P8", "Tight-lipped", figure, note, world.leaks == 0 if world.lines else None)


def _none_of(bad: int, all_of_them: Sequence[Any]) -> bool | None:
    return bad == 0 if all_of_them else None


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _most(counted: Counter[str]) -> int:
    return max(counted.values(), default=0)
