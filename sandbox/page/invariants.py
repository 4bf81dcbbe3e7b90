"""The guarantees of the README, each with the figures that show whether it holds. Pure.

The figures come from outside payresult's code: the log of the simulated gateway, the items of the
table, the events that a subscriber of the page received, the log lines. Only which dead letters
their sender must correct is judged by payresult: by `cli/payresult redrive --dry-run`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import chain
from statistics import median
from typing import Any, NamedTuple

from sandbox.gateway import RecordedRequest
from sandbox.page.event_listener import Delivery

Item = Mapping[str, Any]

LATE_SECONDS = 180
"""An event that has not arrived after this time is lost (P4: also with the stream dead)."""

SOON_SECONDS = 1
MAX_ANSWERED_CHECKS = 32
SETTLED_BY_ANSWER = ("FAILED", "REVIEW", "SUCCEEDED")

_ANSWERED = ("paid", "pending", "wrong")


class Guarantee(NamedTuple):
    """The state of a guarantee; `kept` is None while there is nothing to measure."""

    name: str
    title: str
    figure: str
    note: str
    kept: bool | None


@dataclass(frozen=True, slots=True)
class Observations:
    """What the figures are made from; `requests` is None for an external gateway."""

    now: float
    requests: Sequence[RecordedRequest] | None
    items: Sequence[Item]
    deliveries: Sequence[Delivery]
    dead_letters: Sequence[str | None]
    """For each, why it would fail again, as `redrive` judges; None if it would not."""
    leaks: int
    lines: int
    stream_was_stopped: bool


def check_guarantees(observed: Observations) -> list[Guarantee]:
    """The eight guarantees, in the order of the README."""
    return [
        _never_lost(observed),
        _never_false(observed),
        _one_key(observed),
        _soon(observed),
        _has_a_result_or_a_person(observed),
        _gentle_on_the_gateway(observed),
        _failure_is_not_an_answer(observed),
        _discreet(observed),
    ]


def _never_lost(observed: Observations) -> Guarantee:
    paid = _paid_since(observed)
    delivered = {each.pay_id for each in observed.deliveries}
    review = {item["payId"] for item in observed.items if item["status"] == "REVIEW"}
    missing = [since for pay_id, since in paid.items() if pay_id not in delivered | review]
    lost = sum(observed.now - since > LATE_SECONDS for since in missing)
    note = (
        f"{len(paid)} paid, {len(delivered)} with an event, {len(paid.keys() & review)} in REVIEW, "
        f"{len(missing) - lost} in progress"
    )
    return Guarantee("P1", "Never lost", f"{lost} lost", note, lost == 0 if paid else None)


def _paid_since(observed: Observations) -> dict[str, float]:
    """When the gateway first reported each payment as paid; without its log, by the table."""
    if observed.requests is None:
        paid_items = [each for each in observed.items if each["status"] in ("REVIEW", "SUCCEEDED")]
        return {item["payId"]: item["lastCheckedAt"] / 1000 for item in paid_items}
    paid: dict[str, float] = {}
    for each in observed.requests:
        if each.answer in ("paid", "wrong"):
            paid.setdefault(each.payId, each.at)
    return paid


def _never_false(observed: Observations) -> Guarantee:
    paid, items = _paid_since(observed), {item["payId"]: item for item in observed.items}
    played = {each.payId for each in observed.requests or () if each.answer == "played"}
    false = sum(
        each.pay_id not in paid.keys() | played
        or not _as_registered(each.data, items.get(each.pay_id, {}))
        for each in observed.deliveries
    )
    source = "table" if observed.requests is None else "gateway's log"
    deliveries = _counted(len(observed.deliveries), "delivery", "deliveries")
    note = f"{deliveries} compared with the {source}"
    if played:  # whether such a reply means "paid" is what its user wants to learn
        note += "; of played replies only the amount"
    kept = _none_of(false, observed.deliveries)
    return Guarantee("P2", "Never false", f"{false} false", note, kept)


def _as_registered(data: Mapping[str, Any], item: Item) -> bool:
    expected, amount = item.get("expectedAmount"), data.get("amount")
    if expected is None:
        return True
    try:
        return Decimal(str(amount)) == Decimal(expected)
    except InvalidOperation:
        return False


def _one_key(observed: Observations) -> Guarantee:
    ids: defaultdict[str, set[str]] = defaultdict(set)
    bodies: defaultdict[str, set[str]] = defaultdict(set)
    for each in observed.deliveries:
        ids[each.pay_id].add(each.event_id)
        bodies[each.pay_id].add(json.dumps(each.detail))
    max_ids = max(map(len, ids.values()), default=0)
    max_bodies = max(map(len, bodies.values()), default=0)
    shared = sum(map(len, ids.values())) != len(set().union(*ids.values()))
    deliveries = _counted(len(observed.deliveries), "delivery", "deliveries")
    note = f"{deliveries} of {_counted(len(ids), 'event')}"
    if not ids:
        return Guarantee("P3", "One key", "no event yet", note, None)
    figure = f"{_counted(max_ids, 'id')} per payment"
    note += f"; at most {_counted(max_bodies, 'body', 'bodies')} per payment"
    return Guarantee("P3", "One key", figure, note, max_ids == max_bodies == 1 and not shared)


def _soon(observed: Observations) -> Guarantee:
    first: dict[str, float] = {}
    for each in observed.deliveries:
        if each.latency is not None:
            first[each.pay_id] = min(each.latency, first.get(each.pay_id, each.latency))
    latencies = sorted(first.values())
    if not latencies:
        return Guarantee("P4", "Soon", "no event yet", "from the gateway's reply to the bus", None)
    note = f"median of {_counted(len(latencies), 'event')}; maximum {latencies[-1]:.2f} s"
    kept: bool | None = latencies[-1] < LATE_SECONDS
    if observed.stream_was_stopped:
        note += ", with the stream stopped for a while"
    elif median(latencies) >= SOON_SECONDS:
        note += "; above the limit, but cold starts and a busy machine prove nothing"
        kept = kept and None
    return Guarantee("P4", "Soon", f"{median(latencies):.2f} s to the bus", note, kept)


def _has_a_result_or_a_person(observed: Observations) -> Guarantee:
    items = observed.items
    status = Counter(item["status"] for item in items)
    orphans = sum(item["status"] == "PENDING" and "nextCheckAt" not in item for item in items)
    note = f"{status['PENDING']} followed, {status['SUCCEEDED']} succeeded, "
    note += f"{status['EXPIRED']} expired, {status['FAILED']} failed, "
    note += f"{sum('attention' in item for item in items)} for a person"
    title, figure = "A result, or a person is called", f"{orphans} without a next check"
    return Guarantee("P5", title, figure, note, _none_of(orphans, items))


def _gentle_on_the_gateway(observed: Observations) -> Guarantee:
    maximum = max((int(item["attempt"]) for item in observed.items), default=0)
    note = f"of the {MAX_ANSWERED_CHECKS} allowed"
    if observed.requests is not None:
        asked = Counter(each.payId for each in observed.requests)
        unanswered = Counter(
            each.payId for each in observed.requests if each.answer not in _ANSWERED
        )
        queries = _counted(_maximum(asked), "query", "queries")
        note += f"; the gateway's log has at most {queries} per payment, "
        note += f"and at most {_maximum(unanswered)} unanswered"
    kept = maximum <= MAX_ANSWERED_CHECKS if observed.items else None
    figure = f"At most {_counted(maximum, 'answered check')}"
    return Guarantee("P6", "Gentle on the gateway", figure, note, kept)


def _failure_is_not_an_answer(observed: Observations) -> Guarantee:
    changes = chain.from_iterable(item.get("history", ()) for item in observed.items)
    baseless = sum(_is_baseless(change) for change in changes)
    lost = sum(problem is None for problem in observed.dead_letters)
    mistakes = len(observed.dead_letters) - lost
    note = f"and {mistakes} that the sender must correct, as `redrive` judges; "
    note += f"{_counted(baseless, 'change')} of status without an answer"
    figure = f"{_counted(lost, 'valid message')} in the DLQ"
    kept = lost == baseless == 0 if observed.items else None
    return Guarantee("P7", "A failure is not an answer", figure, note, kept)


def _is_baseless(change: Mapping[str, Any]) -> bool:
    """Whether a status that requires an answer was set without one.

    An operator's command is recorded as a change from a status to the same one.
    """
    changed = change["to"] != change.get("from")
    return changed and change["to"] in SETTLED_BY_ANSWER and "payRst" not in change


def _discreet(observed: Observations) -> Guarantee:
    if observed.requests is None:
        note = "only the simulated gateway records the signs and texts to search for"
        return Guarantee("P8", "Discreet", "not measured", note, None)
    note = f"with a sign or a plan name, of {_counted(observed.lines, 'line')} in the four logs"
    figure = _counted(observed.leaks, "log line")
    kept = observed.leaks == 0 if observed.lines else None
    return Guarantee("P8", "Discreet", figure, note, kept)


def _none_of(violations: int, observed: Sequence[Any]) -> bool | None:
    return violations == 0 if observed else None


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _maximum(counted: Counter[str]) -> int:
    return max(counted.values(), default=0)
