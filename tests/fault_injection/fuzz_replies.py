"""C8: replies out of dice, read by payresult and by the oracle."""

import json
import time
from collections.abc import Callable
from itertools import chain, count, islice
from random import Random

from payresult.aws.items import reply_value
from payresult.domain.decision import status_of_reply
from payresult.domain.payment import Registration, Status
from payresult.domain.reply import Reply
from payresult.errors import GatewayUnavailable, InvalidReply
from payresult.gateway.protocol import HttpResponse, read_reply
from payresult.schemas import events
from tests.fault_injection.fuzz_bodies import Fuzzed, fuzzed, worst
from tests.fault_injection.fuzz_oracle import PARTNER, PAY_ID, Registered, cents, opinion
from tests.fault_injection.oracle import Verdict
from tests.fault_injection.results import Outcome, Tick

NOW = 1_795_341_600.0
SLOW = 0.05
"""Seconds of this thread's own CPU: what else the machine does is no fault of the parser."""

TIMED_FROM = 100_000
"""So many answers are read by a campaign; fewer by a test, which judges no time: what counts its
coverage takes four times as long."""

EVENT_LIMIT = 8192
_SAID = {Status.SUCCEEDED: "paid", Status.REVIEW: "review", Status.PENDING: "other"}

Reader = Callable[[Fuzzed], tuple[str, str]]
"""Says what an answer means, as the oracle does, and the event of it (empty if it is not paid)."""


def ours(answer: Fuzzed) -> tuple[str, str]:
    """Read an answer as payresult does, to the event and to what is kept."""
    http = HttpResponse(answer.status, answer.headers, answer.body)
    try:
        reply = read_reply(http, pay_id=PAY_ID, partner_code=PARTNER, now=NOW)
    except InvalidReply:
        return "bad", ""
    except GatewayUnavailable:
        return "unavailable", ""
    registration = Registration("A-17", *answer.registered)
    json.dumps(reply_value(reply), ensure_ascii=False).encode()
    said = (
        _SAID[status_of_reply(reply, registration, ("fail",))]
        if reply.pay_rst != "fail"
        else "other"
    )
    return said, _event(reply, registration) if said == "paid" else ""


def _event(reply: Reply, registration: Registration) -> str:
    made = events.payment_succeeded(
        reply, registration, environment="prod", zone=None, observed_at=int(NOW * 1000)
    )
    return made.detail


def kind(answer: Fuzzed) -> tuple[str, str]:
    """Read an answer as one does who thinks no harm: a control."""
    try:
        told = json.loads(answer.body)
        paid = str(told["payRst"]).strip().casefold() == "success"
        mine = str(told["payId"]).strip() == PAY_ID
        worth = answer.registered.amount or str(told["payAmount"])
        right = float(str(told["payAmount"]).strip("$ ")) == float(worth.strip("$ "))
    except (ValueError, KeyError, TypeError, RecursionError):
        return "bad", ""
    data = {"payId": PAY_ID, "partnerCode": PARTNER}
    return ("paid", json.dumps({"data": data})) if paid and mine and right else ("other", "")


def replies(size: int, dice: Random, tick: Tick, reader: Reader = ours) -> Outcome:
    """Read *size* answers both ways."""
    verdict, problems, paid = Verdict(), list[str](), 0
    timed = size >= TIMED_FROM
    worst_first = chain(worst(), (fuzzed(dice) for _ in count()))
    for number, answer in enumerate(islice(worst_first, size)):
        true = opinion(answer.status, answer.headers, answer.body, answer.registered)
        paid += "paid" in true
        said, event, seconds = _timed(reader, answer)
        # What is slow by itself is slow again; what the machine did meanwhile is not.
        if timed and seconds > SLOW < min(_timed(reader, answer)[2] for _ in range(3)):
            problems.append(f"{number} took {seconds:.3f} s")
        _compare(f"{number}", said, true, verdict, problems)
        if event and "paid" in true:
            problems += _wrong_event(f"{number}", event, answer.registered)
        tick(number / size)
    if paid * 20 < size:
        problems.append(f"only {paid} of {size} were paid: nothing to get wrong")
    return Outcome(size, size - paid, verdict, tuple(problems))


def _timed(reader: Reader, answer: Fuzzed) -> tuple[str, str, float]:
    start = time.thread_time()
    try:
        said, event = reader(answer)
    except Exception as error:  # noqa: BLE001 - this is what the campaign is after
        said, event = f"unhandled {type(error).__name__}", ""
    return said, event, time.thread_time() - start


def _compare(name: str, said: str, true: set[str], verdict: Verdict, problems: list[str]) -> None:
    if said in true:
        return
    problems.append(f"{name} is {' or '.join(sorted(true))}, not {said}")
    if said == "paid":
        verdict.false.append(name)
    elif "paid" in true:
        verdict.lost.append(name)


def _wrong_event(name: str, event: str, registered: Registered) -> list[str]:
    """Return what is wrong with an event that is due."""
    data = json.loads(event)["data"]
    wrong = (data["payId"], data["partnerCode"]) != (PAY_ID, PARTNER)
    if registered.amount is not None:
        wrong |= cents(data.get("amount", "")) != cents(registered.amount)
    wrong |= len(event.encode()) > EVENT_LIMIT
    return [f"{name}: {event}"] if wrong else []
