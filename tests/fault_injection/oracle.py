"""The judge: reads the gateway's log, the bus's log and the final table, and nothing else.

It shares no code with payresult. Whatever both sides believe wrongly, only one of them may.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.fault_injection.fake_gateway import PARTNER, Asked

ENVIRONMENT = "prod"

Table = Mapping[str, Mapping[str, Any]]
"""Items by payId, in DynamoDB JSON."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, by payId, and how many events were sent again, which is not.

    ``lost``: paid, and no event. ``false``: an event, and never paid so. ``split``: events of one
    payment that differ. ``stuck``: neither settled nor followed, or an event still unsent.
    ``crooked``: an item that contradicts itself.
    """

    duplicates: int = 0
    lost: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    split: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    crooked: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing is wrong."""
        return not (self.lost or self.false or self.split or self.stuck or self.crooked)


def judge(
    asked: Iterable[Asked], bus: Iterable[tuple[int, str]], table: Table, paid: Iterable[str] = ()
) -> Verdict:
    """Judge a run. *paid* are payIds that the gateway's books say were paid, asked or not."""
    answers = [(entry, _paid_amount(entry)) for entry in asked]
    told: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for entry, amount in answers:
        if amount is not None and _expected(table.get(entry.pay_id), amount):
            told[entry.pay_id].append((entry.at, amount))
    events: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for at, detail in bus:
        events[str(json.loads(detail)["data"]["payId"])].append((at, detail))
    must = set(paid) | (told.keys() & table.keys())
    return Verdict(
        duplicates=sum(len(each) - 1 for each in events.values()),
        lost=sorted(must - events.keys()),
        false=sorted(key for key, sent in events.items() if not _true(key, sent, told[key])),
        split=sorted(key for key, sent in events.items() if len({body for _, body in sent}) > 1),
        stuck=sorted(key for key, item in table.items() if _stuck(item)),
        crooked=sorted(key for key, item in table.items() if _crooked(item)),
    )


def _paid_amount(entry: Asked) -> str | None:
    """The amount of an answer that says: this very payment is paid."""
    try:
        body = json.loads(entry.answer.body)
    except ValueError:
        return None
    if entry.answer.status != 200 or not isinstance(body, dict):
        return None
    about_it = (body.get("payId"), body.get("partnerCode")) == (entry.pay_id, PARTNER)
    paid = about_it and str(body.get("payRst")).upper() == "SUCCESS"
    return str(body.get("payAmount")) if paid else None


def _expected(item: Mapping[str, Any] | None, amount: str) -> bool:
    if item is None or "expectedAmount" not in item:
        return True
    try:
        return Decimal(amount.removeprefix("$")) == Decimal(item["expectedAmount"]["S"])
    except InvalidOperation:
        return False


def _true(pay_id: str, sent: Sequence[tuple[int, str]], told: Sequence[tuple[int, str]]) -> bool:
    """Each event carries the payment's own id, and an amount that was told before it was sent."""
    name = f"payresult:PaymentSucceeded:1:{ENVIRONMENT}:{PARTNER}:{pay_id}"
    for at, detail in sent:
        event = json.loads(detail)
        if event["metadata"]["eventId"] != str(uuid5(NAMESPACE_URL, name)):
            return False
        if not any(when <= at and event["data"]["payAmount"] == amount for when, amount in told):
            return False
    return True


def _stuck(item: Mapping[str, Any]) -> bool:
    """Once all is quiet nothing may wait: not a payment for its check, not an event to be sent."""
    return item["status"]["S"] == "PENDING" or item.get("eventState") == {"S": "PENDING"}


def _crooked(item: Mapping[str, Any]) -> bool:
    """A success has its event and happened once; the history is an unbroken way up."""
    succeeded = item["status"]["S"] == "SUCCEEDED"
    steps = [entry["M"] for entry in item["history"]["L"]]
    changes = [(step.get("from", {}).get("S"), step["to"]["S"]) for step in steps]
    unbroken = all(one[1] == two[0] for one, two in pairwise(changes))
    once = sum(to == "SUCCEEDED" for _, to in changes) == succeeded
    last = bool(changes) and changes[-1][1] == item["status"]["S"]
    return succeeded is not ("event" in item) or not (unbroken and once and last)
