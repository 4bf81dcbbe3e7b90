"""The test oracle: decides from the gateway's log, the bus's log and the final table alone.

It shares no code with payresult, so that an error of payresult is not repeated here.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.support.fake_gateway import PARTNER, Query

ENVIRONMENT = "prod"

Table = Mapping[str, Mapping[str, Any]]
"""Items by payId, in DynamoDB JSON."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The payIds with an error, by kind, and the number of duplicate events (allowed).

    ``lost``: paid, but no event. ``false``: an event without a payment of that amount.
    ``differing``: the events of a payment are not identical. ``stuck``: not settled, or an event is
    still unsent. ``inconsistent``: the attributes of an item contradict each other.
    """

    duplicates: int = 0
    lost: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    inconsistent: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether there is no error."""
        return not (self.lost or self.false or self.differing or self.stuck or self.inconsistent)


def merged(verdicts: Sequence[Verdict]) -> Verdict:
    """Return one verdict with the errors of all."""

    def all_of(kind: str) -> Any:
        return [pay_id for verdict in verdicts for pay_id in getattr(verdict, kind)]

    kinds = ("lost", "false", "differing", "stuck", "inconsistent")
    duplicates = sum(verdict.duplicates for verdict in verdicts)
    return Verdict(duplicates, **{kind: all_of(kind) for kind in kinds})


def evaluate(
    queries: Iterable[Query], bus: Iterable[tuple[int, str]], table: Table, paid: Iterable[str] = ()
) -> Verdict:
    """Return the verdict on a run. *paid* are payIds that need an event, queried or not."""
    reported: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for query in queries:
        amount = _paid_amount(query)
        if amount is not None and _expected(table.get(query.pay_id), amount):
            reported[query.pay_id].append((query.at, amount))
    events: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for at, detail in bus:
        events[str(json.loads(detail)["data"]["payId"])].append((at, detail))
    required = set(paid) | (reported.keys() & table.keys())
    return Verdict(
        duplicates=sum(len(each) - 1 for each in events.values()),
        lost=sorted(required - events.keys()),
        false=sorted(key for key, sent in events.items() if not _true(key, sent, reported[key])),
        differing=sorted(
            key for key, sent in events.items() if len({body for _, body in sent}) > 1
        ),
        stuck=sorted(key for key, item in table.items() if _stuck(item)),
        inconsistent=sorted(key for key, item in table.items() if _inconsistent(item)),
    )


def _paid_amount(query: Query) -> str | None:
    """Return the amount of a response that reports this payment as paid."""
    try:
        body = json.loads(query.response.body)
    except ValueError:
        return None
    if query.response.status != 200 or not isinstance(body, dict):
        return None
    matches = (body.get("payId"), body.get("partnerCode")) == (query.pay_id, PARTNER)
    paid = matches and str(body.get("payRst")).upper() == "SUCCESS"
    return str(body.get("payAmount")) if paid else None


def _expected(item: Mapping[str, Any] | None, amount: str) -> bool:
    if item is None or "expectedAmount" not in item:
        return True
    try:
        return Decimal(amount.removeprefix("$")) == Decimal(item["expectedAmount"]["S"])
    except InvalidOperation:
        return False


def _true(
    pay_id: str, sent: Sequence[tuple[int, str]], reported: Sequence[tuple[int, str]]
) -> bool:
    """Say whether each event has the payment's id, and an amount reported before it was sent."""
    name = f"payresult:PaymentSucceeded:1:{ENVIRONMENT}:{PARTNER}:{pay_id}"
    for at, detail in sent:
        event = json.loads(detail)
        if event["metadata"]["eventId"] != str(uuid5(NAMESPACE_URL, name)):
            return False
        amount = event["data"]["payAmount"]
        if not any(when <= at and amount == paid for when, paid in reported):
            return False
    return True


def _stuck(item: Mapping[str, Any]) -> bool:
    """Say whether, at the end of the run, a check or an event is still pending."""
    return item["status"]["S"] == "PENDING" or item.get("eventState") == {"S": "PENDING"}


def _inconsistent(item: Mapping[str, Any]) -> bool:
    """Say whether status, event and history contradict each other.

    An item has an event if and only if it succeeded. Each change of the history starts with the
    status of the previous one; the last one is the current status; SUCCEEDED occurs once at most.
    """
    succeeded = item["status"]["S"] == "SUCCEEDED"
    entries = [entry["M"] for entry in item["history"]["L"]]
    changes = [(entry.get("from", {}).get("S"), entry["to"]["S"]) for entry in entries]
    connected = all(one[1] == two[0] for one, two in pairwise(changes))
    once = sum(to == "SUCCEEDED" for _, to in changes) == succeeded
    last = bool(changes) and changes[-1][1] == item["status"]["S"]
    return succeeded is not ("event" in item) or not (connected and once and last)
