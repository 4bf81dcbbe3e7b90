"""P2, never false: C8 random replies, read by payresult and by the oracle."""

import json
import time
from collections.abc import Callable
from itertools import chain, count

from payresult.aws.items import reply_value
from payresult.domain.decision import status_of_reply
from payresult.domain.payment import Registration, Status
from payresult.domain.reply import Reply
from payresult.errors import GatewayUnavailable, InvalidReply
from payresult.gateway.protocol import HttpResponse, read_reply
from payresult.schemas import events
from tests.fault_injection.fuzz_bodies import FuzzedResponse, random_response, slowest_responses
from tests.fault_injection.fuzz_oracle import PARTNER, PAY_ID, Registered, interpretations, plain
from tests.fault_injection.results import Run
from tests.support.factories import payment

NOW = 1_795_341_600.0
MAX_CPU_SECONDS = 0.05
"""Of this thread, so that other processes of the machine do not count."""

TIMED_FROM = 100_000
"""The number of responses from which the time is measured. Smaller runs are made by tests, and
measuring coverage makes them four times slower."""

MAX_EVENT_BYTES = 8192
_INTERPRETATION = {Status.SUCCEEDED: "paid", Status.REVIEW: "review", Status.PENDING: "other"}

Reader = Callable[[FuzzedResponse], tuple[str, str]]
"""Returns the interpretation of a response, as ``interpretations`` names it, and its event (empty
if it is not paid)."""


def read_with_payresult(response: FuzzedResponse) -> tuple[str, str]:
    """Read a response with payresult, up to the stored reply and the event."""
    http = HttpResponse(response.status, response.headers, response.body)
    try:
        reply = read_reply(http, pay_id=PAY_ID, partner_code=PARTNER, now=NOW)
    except InvalidReply:
        return "invalid", ""
    except GatewayUnavailable:
        return "unavailable", ""
    registration = Registration("A-17", *response.registered)
    json.dumps(reply_value(reply), ensure_ascii=False).encode()
    if reply.pay_rst == "fail":
        return "other", ""
    found = _INTERPRETATION[status_of_reply(reply, payment(registration=registration), ("fail",))]
    return found, _event(reply, registration) if found == "paid" else ""


def _event(reply: Reply, registration: Registration) -> str:
    event = events.payment_succeeded(
        reply, registration, environment="prod", zone=None, observed_at=int(NOW * 1000)
    )
    return event.detail


def read_leniently(response: FuzzedResponse) -> tuple[str, str]:
    """Read a response with the standard library and without strict checks: a control."""
    try:
        document = json.loads(response.body)
        paid = str(document["payRst"]).strip().casefold() == "success"
        same_payment = str(document["payId"]).strip() == PAY_ID
        expected = response.registered.amount or str(document["payAmount"])
        same_amount = _float(str(document["payAmount"])) == _float(expected)
    except (ValueError, KeyError, TypeError, RecursionError):
        return "invalid", ""
    event = json.dumps({"data": {"payId": PAY_ID, "partnerCode": PARTNER}})
    return ("paid", event) if paid and same_payment and same_amount else ("other", "")


def _float(amount: str) -> float:
    return float(amount.strip("$ "))


def replies(run: Run) -> None:
    """Read responses, and compare the results with the oracle's."""
    reader, paid = run.design or read_with_payresult, 0
    timed = run.size >= TIMED_FROM
    responses = chain(slowest_responses(), (random_response(run.rng) for _ in count()))
    for number, response in zip(run.numbers(), responses, strict=False):
        expected = interpretations(
            response.status, response.headers, response.body, response.registered
        )
        paid += "paid" in expected
        found, event, seconds = _timed(reader, response)
        # a slow reading is repeated, because the machine may have delayed it
        if timed and seconds > MAX_CPU_SECONDS < min(_timed(reader, response)[2] for _ in range(3)):
            run.problems.append(f"{number} took {seconds:.3f} s")
        _compare(f"{number}", found, expected, run)
        if event and "paid" in expected:
            run.problems += _wrong_event(f"{number}", event, response.registered)
    run.faults = run.size - paid
    if paid * 20 < run.size:
        run.problems.append(f"only {paid} responses were paid, too few for a test")


def read_bytes(data: bytes) -> None:
    """Compare the interpretations of a response body, for ``fuzz_coverage``."""
    headers = {"content-type": "application/json"}
    for registered in (Registered(), Registered("19.99", "USD")):
        found, _ = read_with_payresult(FuzzedResponse(200, headers, data, registered))
        assert found in interpretations(200, headers, data, registered), found


def _timed(reader: Reader, response: FuzzedResponse) -> tuple[str, str, float]:
    start = time.thread_time()
    try:
        found, event = reader(response)
    except Exception as error:  # noqa: BLE001 - the campaign searches for unhandled errors
        found, event = f"unhandled {type(error).__name__}", ""
    return found, event, time.thread_time() - start


def _compare(name: str, found: str, expected: set[str], run: Run) -> None:
    if found in expected:
        return
    run.problems.append(f"{name} is {' or '.join(sorted(expected))}, not {found}")
    if found == "paid":
        run.verdict.false.append(name)
    elif "paid" in expected:
        run.verdict.lost.append(name)


def _wrong_event(name: str, event: str, registered: Registered) -> list[str]:
    """Return the problem of an event, if it has one."""
    data = json.loads(event)["data"]
    wrong = (data["payId"], data["partnerCode"]) != (PAY_ID, PARTNER)
    if registered.amount is not None:
        wrong |= plain(data.get("amount", "")) != plain(registered.amount)
    wrong |= len(event.encode()) > MAX_EVENT_BYTES
    return [f"{name}: {event}"] if wrong else []
