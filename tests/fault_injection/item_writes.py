"""What ``item_rules`` see: a write, with what ran, what was asked for and what was answered.

It shares no code with payresult.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.support.fake_gateway import DAY, PARTNER, GatewayResponse

STATUSES = ("PENDING", "UNRESOLVED", "EXPIRED", "FAILED", "REVIEW", "SUCCEEDED")
RANKS = dict(zip(STATUSES, (10, 15, 16, 20, 25, 30), strict=True))
FOLLOWED_FOR = 9 * DAY
AMOUNTS = {"$19.99": "19.99", "19.99": "19.99", "USD 19.99": "19.99", "$1.00": "1.00"}
"""What the amounts mean that the simulated gateway reports; others mean nothing."""

Item = dict[str, Any]
Entry = tuple[str | None, str, int]
"""A change of the history: from, to, at."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway said about a payment: "paid", "fail", "other" or "trouble"."""

    at: int
    number: int
    kind: str
    amount: str | None = None


def answer_of(response: GatewayResponse, pay_id: str, at: int, number: int) -> Answer:
    """Return the meaning of *response*: only JSON about this payment has one."""
    try:
        body = json.loads(response.body)
        names = [body["payId"], body["partnerCode"], type(body["payRst"])]
    except (ValueError, KeyError, TypeError):
        names = []
    if response.status != 200 or names != [pay_id, PARTNER, str]:
        return Answer(at, number, "trouble")
    if body["payRst"].upper() == "SUCCESS":
        amount = body.get("payAmount")
        return Answer(at, number, "paid", None if amount is None else str(amount))
    return Answer(at, number, "fail" if body["payRst"] == "fail" else "other")


@dataclass
class Invocation:
    """What runs: a function with its event, or an operator's command.

    ``messages`` are the SentTimestamps of messages without ``step``, by payId; ``asked`` are the
    payIds of an operator's command or of a PUT, ``stored`` the keys of the table at its beginning.
    """

    function: str
    messages: dict[str, list[int]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    stored: frozenset[str] = frozenset()
    answers: dict[str, Answer] = field(default_factory=dict)


def invocation_of(function: str, event: dict[str, Any]) -> Invocation:
    """Return what a function is asked for: messages without ``step``, or a registration."""
    invocation = Invocation(function)
    for record in event.get("Records", []) if function == "checks" else []:
        try:
            body = json.loads(record["body"])
            if "step" not in body and "payId" in body:
                sent_at = int(record["attributes"]["SentTimestamp"])
                invocation.messages.setdefault(body["payId"], []).append(sent_at)
        except ValueError:
            continue
    if str(event.get("routeKey")).startswith("PUT"):
        invocation.asked.add(event["pathParameters"]["payId"])
    return invocation


def text(item: Item, name: str) -> str | None:
    """Return a text of *item*, None if it is absent."""
    return item[name]["S"] if name in item else None


def number(item: Item, name: str) -> int | None:
    """Return a number of *item*, None if it is absent."""
    return int(item[name]["N"]) if name in item else None


def history(item: Item) -> list[Entry]:
    """Return the history."""
    entries = [entry["M"] for entry in item.get("history", {"L": []})["L"]]
    return [(text(each, "from"), each["to"]["S"], int(each["at"]["N"])) for each in entries]


def changed_at(item: Item) -> int:
    """Return when the status changed last."""
    return [at for came_from, to, at in history(item) if came_from != to][-1]


def right_amount(item: Item, reported: str | None) -> bool:
    """Say whether *reported* is the registered amount, or the accepted one."""
    if "acceptedAbsent" in item and reported is None:
        return True
    if reported is not None and text(item, "acceptedPayAmount") == reported:
        return True
    if "€" in str(reported) and text(item, "currency") not in {None, "EUR"}:
        return False
    expected = text(item, "expectedAmount")
    return expected is None or AMOUNTS.get(str(reported)) == expected


def at_rest(item: Item) -> bool:
    """Say whether nothing is planned and nothing is unsent."""
    return "workAt" not in item and text(item, "eventState") != "PENDING"


@dataclass(frozen=True, slots=True)
class Write:
    """A write to a payment, by an invocation, at *now*; *old* is empty for a new item."""

    old: Item
    new: Item
    by: Invocation
    now: int
    epoch: int
    """The number of the call that started the present chain of checks."""

    closed: bool
    """Whether an operator has dealt with what the payment was in attention for."""

    holders: tuple[str, ...] = ()
    """The payIds that the marker of its order has named so far; its erasure is an empty one."""

    @property
    def pay_id(self) -> str:
        """The payId."""
        return str(self.new["payId"]["S"])

    @property
    def was(self) -> str | None:
        """The status before."""
        return text(self.old, "status")

    @property
    def status(self) -> str:
        """The status after."""
        return str(self.new["status"]["S"])

    @property
    def answer(self) -> Answer | None:
        """What the gateway answered to this invocation."""
        return self.by.answers.get(self.pay_id)

    def changed(self, *names: str) -> bool:
        """Say whether one of the attributes changed."""
        return any(self.old.get(name) != self.new.get(name) for name in names)

    @property
    def full_time(self) -> int:
        """The giveUpAt of a start now; two starts never have the same one."""
        return max(self.now + FOLLOWED_FOR, (number(self.old, "giveUpAt") or 0) + 1)

    @property
    def starts(self) -> bool:
        """Whether the checks start: a registration, a restart or an acceptance."""
        restarted = self.changed("giveUpAt") and number(self.new, "attempt") == 0
        started = restarted and number(self.new, "giveUpAt") == self.full_time
        return not self.old or (started and self.answer is None) or self._restarts

    @property
    def _restarts(self) -> bool:
        return bool(self.old) and RANKS[self.status] < RANKS[str(self.was)]
