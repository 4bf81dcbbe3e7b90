"""The demo against the simulated gateway: a story in scenes, and at its end what it has shown."""

from collections.abc import Iterable
from functools import partial
from statistics import median
from typing import NamedTuple

from sandbox.demo_steps import DemoSteps
from sandbox.environment import VISIBILITY_SECONDS
from sandbox.gateway import SimulatedGateway

MALFORMED = '{"payId": "two words", "amount": "19.99"}'
FIFTY = [f"paid-2{number:03}" for number in range(50)]
PRICE = {"expectedAmount": "19.99", "currency": "USD"}
FOLLOWED = ("paid-1001", "later3-1002", "paid-1003", "paid-1004", "later2-1005")
TWICE = ("paid-1008", "paid-1009")
OUTAGE, STREAM_OFF = "paid-1010", "paid-1011"
PAID = [*FOLLOWED, *TWICE, OUTAGE, STREAM_OFF, *FIFTY]


class Shown(NamedTuple):
    """What a scene has shown besides what the table and the audit queue have."""

    first_event_seconds: float
    latencies: list[float]
    dead_letters: list[str] | None


def run_demo(steps: DemoSteps, gateway: SimulatedGateway) -> None:
    """Tell all scenes; `steps.console.failed` has the checks that failed."""
    steps.client.send(MALFORMED)  # its five receives take a while: they happen meanwhile
    asked_for_a_result(steps)
    seconds = steps.console.elapsed
    paid_later(steps)
    sent_to_the_queue(steps)
    never_paid(steps)
    paid_with_the_wrong_amount(steps)
    paid_twice(steps)
    gateway_down(steps, gateway)
    without_the_stream(steps)
    latencies = fifty_payments(steps)
    dead_letters = malformed_message(steps)
    what_was_shown(steps, gateway, Shown(seconds, latencies, dead_letters))


def asked_for_a_result(steps: DemoSteps) -> None:
    """PUT, GET, event."""
    steps.console.heading("1  An order service registers a payment, and an app asks for its result")
    steps.put("paid-1001", orderId="demo-1", **PRICE)
    steps.get_until("paid-1001", status="SUCCEEDED", amount="19.99")
    steps.expect_event("paid-1001")


def paid_later(steps: DemoSteps) -> None:
    """One PUT; the queue repeats the check until the payment is settled, and the app waits."""
    steps.console.heading("2  The customer pays later: payresult asks again, and the app waits")
    steps.put("later3-1002", orderId="demo-2", **PRICE)
    steps.wait("later3-1002", "SUCCEEDED")
    steps.show("later3-1002")
    steps.expect_event("later3-1002")


def sent_to_the_queue(steps: DemoSteps) -> None:
    """A message with one payId, and one with several."""
    steps.console.heading("3  The same by SQS: sent and forgotten, one payment or a list of them")
    steps.send({"payId": "paid-1003", "orderId": "demo-3", **PRICE})
    steps.send({"payIds": ["paid-1004", "later2-1005"]})
    for pay_id in ("paid-1003", "paid-1004", "later2-1005"):
        steps.console.expect(
            f"{pay_id} is SUCCEEDED", partial(_has_status, steps, pay_id, "SUCCEEDED")
        )
        steps.expect_event(pay_id)


def never_paid(steps: DemoSteps) -> None:
    """An unpaid payment stays PENDING and is never FAILED."""
    steps.console.heading("4  The customer does not pay: payresult asks on, less and less often")
    steps.send({"payId": "never-1006"})
    steps.console.expect(
        "never-1006 is checked at least 3 times",
        lambda: steps.client.item("never-1006").get("checks", 0) >= 3,
    )
    steps.expect_status("never-1006", "PENDING")
    steps.expect_no_event("never-1006")


def paid_with_the_wrong_amount(steps: DemoSteps) -> None:
    """A success with another amount than the registered one is REVIEW."""
    steps.console.heading("5  The customer pays another amount: a person has to decide")
    steps.put("wrong-1007", orderId="demo-7", **PRICE)
    steps.expect_status("wrong-1007", "REVIEW")
    steps.expect_no_event("wrong-1007")


def paid_twice(steps: DemoSteps) -> None:
    """The event of the second payment of an order says so."""
    steps.console.heading("6  One order is paid twice: the second event names the first payment")
    for pay_id in TWICE:
        steps.put(pay_id, orderId="demo-8", **PRICE)
        steps.console.expect(f"{pay_id} is paid", partial(_has_status, steps, pay_id, "SUCCEEDED"))
        steps.expect_event(pay_id)


def gateway_down(steps: DemoSteps, gateway: SimulatedGateway) -> None:
    """A failure is not an answer."""
    steps.console.heading("7  The gateway is down: nothing is lost, and callers are told")
    gateway.down = True
    steps.put(OUTAGE, orderId="demo-10", **PRICE)
    steps.get_until(OUTAGE, status="PENDING", stale=True)
    gateway.down = False
    steps.console.line("gateway", "works again")
    steps.expect_status(OUTAGE, "SUCCEEDED", 30)
    steps.expect_event(OUTAGE)


def without_the_stream(steps: DemoSteps) -> None:
    """The sweeper sends the event; the stream record that comes later is ignored."""
    console, client = steps.console, steps.client
    console.heading("8  The way from the table to the bus is broken: the sweeper sends the event")
    client.switch_stream(on=False)
    console.line("operator", "switches the publisher's stream off")
    steps.put(STREAM_OFF, orderId="demo-11", **PRICE)
    steps.expect_status(STREAM_OFF, "SUCCEEDED")
    state = client.item(STREAM_OFF).get("eventState")
    steps.compare("its event is unsent in the table", state, "PENDING")
    client.make_due(STREAM_OFF)
    steps.sweep()
    console.line("sweeper", "runs now; normally it leaves an event to the stream for a minute")
    steps.expect_event(STREAM_OFF)
    client.switch_stream(on=True)


def fifty_payments(steps: DemoSteps) -> list[float]:
    """Seconds from the gateway's reply to the bus; in tens, because this is no load test."""
    steps.console.heading("9  Fifty payments, ten in a message")
    for start in range(0, len(FIFTY), 10):
        ten = FIFTY[start : start + 10]
        steps.client.send({"payIds": ten})
        if not steps.console.expect("their events arrive", partial(_arrived, steps, ten), 60):
            return []
    latencies = sorted(steps.audit.arrivals(pay_id)[0].latency for pay_id in FIFTY)
    half, last = median(latencies), latencies[-1]
    steps.console.line(
        "events", f"50: half within {half:.2f} s of the answer, all within {last:.2f} s"
    )
    return latencies


def malformed_message(steps: DemoSteps) -> list[str] | None:
    """A message that cannot be processed is kept; the bodies in the dead-letter queue."""
    steps.console.heading("10  A message that nobody can read: it is kept for a person")
    steps.console.line("order service", f"SQS message: {MALFORMED} (sent at the start)")
    found = steps.console.expect(
        f"it is in the dead-letter queue after 5 receives, {VISIBILITY_SECONDS} s apart",
        steps.client.dead_letters,
        40,
    )
    if found:
        steps.console.line("payresult", "put it into the dead-letter queue, after five tries")
    return found


def what_was_shown(steps: DemoSteps, gateway: SimulatedGateway, shown: Shown) -> None:
    """A line for each guarantee that this run can show."""
    console, client = steps.console, steps.client
    console.heading("What this has shown")
    arrivals = {pay_id: steps.audit.arrivals(pay_id) for pay_id in PAID}
    ids = [{each.event_id for each in found} for found in arrivals.values()]
    with_event = sum(map(bool, ids))
    text = f"{with_event} of {len(PAID)} paid payments have their event, outage and all"
    console.prove("Never lost", text, ok=with_event == len(PAID))
    unpaid = [it for it in ("never-1006", "wrong-1007") if "eventId" in client.item(it)]
    console.prove("Never false", "no event for what was not paid as registered", ok=not unpaid)
    unique = all(len(own) == 1 for own in ids) and len(set[str]().union(*ids)) == len(ids)
    console.prove("One key", f"{len(ids)} payments, {len(ids)} eventIds", ok=unique)
    first, second = (_duplicate_of(steps, pay_id) for pay_id in TWICE)
    text = f"of two payments for order demo-8, {TWICE[1]} is named a duplicate of {TWICE[0]}"
    console.prove("Once an order", text, ok=(first, second) == (None, TWICE[0]))
    half = median(shown.latencies) if shown.latencies else 0.0
    text = f"half of the events within {half:.2f} s; first one {shown.first_event_seconds:.0f} s"
    console.prove("Soon", f"{text} after the start", ok=0 < half < 1)
    followed = client.item("never-1006").get("nextCheckAt") is not None
    waits = str(client.item("wrong-1007").get("attention", "")).endswith("#REVIEW")
    text = "the unpaid one has its next check, the wrong amount waits for a person"
    console.prove("A result, or a person is called", text, ok=followed and waits)
    asked = [len(gateway.requests(pay_id)) for pay_id in ("later3-1002", "paid-1003", "paid-1004")]
    text = f"asked {asked[0]} times about the late one, once about each paid one"
    console.prove("Gentle on the gateway", text, ok=asked == [3, 1, 1])
    text = "the outage changed no status, and the dead-letter queue has only the bad message"
    console.prove("A failure is no answer", text, ok=shown.dead_letters == [MALFORMED])
    requests = gateway.requests()
    signed = all(each.verdict == "ok" for each in requests)
    console.prove(
        "Signed", f"the gateway accepted the sign of all {len(requests)} queries", ok=signed
    )


def _duplicate_of(steps: DemoSteps, pay_id: str) -> str | None:
    events = steps.audit.arrivals(pay_id)
    return events[0].detail["data"].get("duplicateOf") if events else "no event"


def _has_status(steps: DemoSteps, pay_id: str, status: str) -> bool:
    return steps.client.status(pay_id) == status


def _arrived(steps: DemoSteps, pay_ids: Iterable[str]) -> bool:
    return all(steps.audit.arrivals(pay_id) for pay_id in pay_ids)
