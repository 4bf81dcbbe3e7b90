"""P1 to P7: the rules for each write to a payment's item, as docs and design state them."""

import json
from collections.abc import Iterator

from tests.fault_injection.item_writes import (
    RANKS,
    Entry,
    Write,
    at_rest,
    changed_at,
    history,
    number,
    right_amount,
    text,
)
from tests.support.fake_gateway import HOUR, PARTNER

RESTARTABLE = {"FAILED", "EXPIRED", "UNRESOLVED"}
MAX_HISTORY = 51
"""The first entry and the last fifty."""

MAX_ITEM_BYTES = 400_000
REGISTERED = ("orderId", "expectedAmount", "currency")


def broken_rules(write: Write) -> Iterator[str]:
    """Yield a sentence for each rule that *write* breaks."""
    for rule in (_status, _lowering, _success, _answers, _attempt, _epoch, _attention, _expiry):
        yield from rule(write)
    for rule in (_growing, _history, _outbox, _registration, _planned, _order):
        yield from rule(write)


def _status(write: Write) -> Iterator[str]:
    """A status comes from an answer of this invocation, or from the end of its time."""
    if write.was == write.status or (write.was and RANKS[write.status] < RANKS[write.was]):
        return
    kind = write.answer.kind if write.answer else "none"
    give_up_at = number(write.old, "giveUpAt") or 0
    allowed = {
        "PENDING": not write.old,
        "SUCCEEDED": kind == "paid",
        "REVIEW": kind == "paid",
        "FAILED": kind == "fail",
        "EXPIRED": kind == "other" and write.by.function == "checks",
        "UNRESOLVED": (kind == "none" and write.now >= give_up_at + HOUR)
        or (kind == "trouble" and write.now >= give_up_at),
    }
    if not allowed[write.status]:
        late = (write.now - give_up_at) / HOUR
        yield f"{write.was} became {write.status} by {write.by.function} ({kind}, {late:.2f} h)"


def _lowering(write: Write) -> Iterator[str]:
    """Only a restart lowers the rank: by a PUT, or by a message newer than the last change."""
    if not write.old or RANKS[write.status] >= RANKS[str(write.was)]:
        return
    sent = write.by.messages.get(write.pay_id, [])
    newer = any(at > changed_at(write.old) for at in sent)
    asked = write.by.function == "api" and write.pay_id in write.by.asked
    if not (newer or asked) or write.was not in RESTARTABLE or write.status != "PENDING":
        yield f"{write.was} fell to {write.status} by {write.by.function}"
    wrong = {
        "attempt": number(write.new, "attempt") != 0,
        "giveUpAt": number(write.new, "giveUpAt") != write.full_time,
        "attention": "attention" in write.new,
        "expiresAt": "expiresAt" in write.new,
        "lastError": "lastError" in write.new,
    }
    if any(wrong.values()):
        yield f"a restart left {[name for name, is_wrong in wrong.items() if is_wrong]}"


def _success(write: Write) -> Iterator[str]:
    """SUCCEEDED means the right amount, also after a later registration; REVIEW another one."""
    reply = write.new.get("reply", {"M": {}})["M"]
    right = right_amount(write.new, text(reply, "payAmount"))
    if write.status == "SUCCEEDED" and not right:
        yield f"SUCCEEDED with {text(reply, 'payAmount')}, not {text(write.new, 'expectedAmount')}"
    became = write.was != write.status
    if became and write.status == "REVIEW" and right:
        yield "REVIEW with the right amount"


def _answers(write: Write) -> Iterator[str]:
    """``lastAnsweredAt`` is written by a meaningful answer, ``lastUnansweredAt`` by none."""
    answer = write.answer
    for name, trouble in (("lastAnsweredAt", False), ("lastUnansweredAt", True)):
        if not write.changed(name):
            continue
        if answer is None or (answer.kind == "trouble") is not trouble:
            yield f"{name} was written for {answer}"
        if (number(write.new, name) or 0) < (number(write.old, name) or 0):
            yield f"{name} went back"
        if trouble and write.was == "SUCCEEDED":
            yield f"{name} was written to a payment that has succeeded"


def _attempt(write: Write) -> Iterator[str]:
    """Only a meaningful answer of the queue uses an attempt."""
    before, after = number(write.old, "attempt") or 0, number(write.new, "attempt") or 0
    if after == before or (after == 0 and write.starts):
        return
    meaningful = write.answer is not None and write.answer.kind != "trouble"
    if after != before + 1 or not meaningful or write.by.function != "checks":
        yield f"attempt {before} became {after} by {write.by.function} ({write.answer})"


def _epoch(write: Write) -> Iterator[str]:
    """An answer that was asked for before a restart changes nothing, unless it is a success."""
    if write.starts or write.by.function not in {"checks", "api"} or write.status == "SUCCEEDED":
        return
    chain = ("attempt", "nextCheckAt", "lastError", "status", "giveUpAt", "step")
    asked = write.answer.number if write.answer else 0
    if write.changed(*chain) and asked < write.epoch:
        names = [name for name in chain if write.changed(name)]
        yield f"{names} written by an answer from before the start of the checks"


def _attention(write: Write) -> Iterator[str]:
    """REVIEW and UNRESOLVED wait for a person from their beginning until one has closed them."""
    shown = text(write.new, "attention")
    waits = write.status in {"REVIEW", "UNRESOLVED"}
    allowed = {None, f"{PARTNER}#{write.status}"} if waits else {None}
    allowed |= {f"{PARTNER}#DUPLICATE"} if write.status == "SUCCEEDED" else set()
    if shown not in allowed:
        yield f"{write.status} is in attention as {shown}"
    if waits and shown is None and (write.was != write.status or not write.closed):
        yield f"{write.status} is not in attention"
    back = waits and shown is not None and write.was == write.status
    if back and "attention" not in write.old and write.by.function != "operator":
        yield f"{write.status} came back into attention by {write.by.function}"
    if waits and write.was != write.status and number(write.new, "attentionSince") != write.now:
        yield "attentionSince is not the time of the change"


def _expiry(write: Write) -> Iterator[str]:
    """Nothing expires that is planned, unsent, or waits for a person."""
    if "expiresAt" in write.new and ("attention" in write.new or not at_rest(write.new)):
        yield f"{write.status} may be deleted while something is to be done"


def _growing(write: Write) -> Iterator[str]:
    for name in ("step", "giveUpAt", "checks"):
        if (number(write.new, name) or 0) < (number(write.old, name) or 0):
            yield f"{name} went back"
    if len(json.dumps(write.new)) > MAX_ITEM_BYTES:
        yield "the item is larger than DynamoDB allows"


def _history(write: Write) -> Iterator[str]:
    """The history keeps its first entry and the last fifty; the last one is the status."""
    before, after = history(write.old), history(write.new)
    if len(after) > MAX_HISTORY:
        yield f"{len(after)} entries in the history"
    if not after or after[-1][1] != write.status:
        yield f"the history ends with {after[-1:]}, the status is {write.status}"
    if before and after != before:
        yield from _appended(before, after)


def _appended(before: list[Entry], after: list[Entry]) -> Iterator[str]:
    """An entry was added: the others stay, but for the second one of a full history."""
    if after[:1] != before[:1]:
        yield "the history lost its first entry"
    if after[-1][0] != before[-1][1]:
        yield f"the history has a gap: {before[-1]}, {after[-1]}"
    if len(after) > 2 and after[1:-1] != before[1:][-(len(after) - 2) :]:
        yield "the history lost an entry"


def _outbox(write: Write) -> Iterator[str]:
    """A payment has an event if and only if it has succeeded; it never changes."""
    if (write.status == "SUCCEEDED") is not ("event" in write.new):
        yield f"{write.status} with{'' if 'event' in write.new else 'out'} an event"
    if "event" in write.old and write.changed("event", "eventId"):
        yield "the event changed"
    unsent = text(write.new, "eventState") == "PENDING"
    planned = str(text(write.new, "workShard")).startswith("EVENT#")
    if unsent is not planned:
        yield "an unsent event is not planned, or a sent one is"


def _registration(write: Write) -> Iterator[str]:
    """What is registered stays."""
    for name in REGISTERED:
        if name in write.old and write.changed(name):
            yield f"{name} changed from {text(write.old, name)} to {text(write.new, name)}"


def _order(write: Write) -> Iterator[str]:
    """The order is marked before its success, and who was not the first one says so, for ever.

    Between the mark and the write, the first one may be erased, and its marker with it.
    """
    if write.status != "SUCCEEDED":
        return
    duplicate = text(write.new, "attention") == f"{PARTNER}#DUPLICATE"
    became = write.was != "SUCCEEDED"
    ordered = "orderId" in write.new and (became or "orderId" not in write.old)
    first = write.holders[-1:] == (write.pay_id,)
    told = json.loads(str(text(write.new, "event")))["data"].get("duplicateOf")
    if became and told is not None and (first or told not in write.holders):
        yield f"the event calls it a duplicate of {told}, the marker had {write.holders}"
    if ordered and duplicate is first:
        yield f"the marker had {write.holders}, DUPLICATE is {duplicate}"
    if became and duplicate is (told is None):
        yield f"duplicateOf is {told}, DUPLICATE is {duplicate}"
    later = not became and not ordered
    if later and write.changed("attention") and write.by.function != "operator":
        yield f"attention changed after the success by {write.by.function}"


def _planned(write: Write) -> Iterator[str]:
    """PENDING has a planned check; EXPIRED and UNRESOLVED have none."""
    planned = str(text(write.new, "workShard")).startswith("CHECK#") and "workAt" in write.new
    if write.status == "PENDING" and not (planned and "nextCheckAt" in write.new):
        yield "PENDING without a planned check"
    if write.status in {"EXPIRED", "UNRESOLVED"} and planned:
        yield f"{write.status} with a planned check"
