"""The demo against the simulated gateway: each input, and each guarantee that can be watched."""

from collections.abc import Iterable
from functools import partial
from statistics import median

from sandbox.demo_steps import DemoSteps
from sandbox.environment import VISIBILITY_SECONDS
from sandbox.gateway import SimulatedGateway

MALFORMED = '{"payId": "two words", "amount": "19.99"}'
FIFTY = [f"paid-2{number:03}" for number in range(50)]
ORDER = {"orderId": "A-17", "expectedAmount": "19.99", "currency": "USD"}
PAID = ("paid-1001", "later3-1002", "paid-1003", "paid-1004", "later2-1005", "paid-1008")


def run_demo(steps: DemoSteps, gateway: SimulatedGateway) -> None:
    """Run all sections; `steps.console.failed` has the checks that failed."""
    steps.client.send(MALFORMED)  # its five receives take a while: they happen meanwhile
    queried_over_http(steps)
    followed_until_paid(steps, gateway)
    sent_to_the_queue(steps, gateway)
    never_paid(steps)
    paid_with_the_wrong_amount(steps)
    gateway_down(steps, gateway)
    without_the_stream(steps)
    fifty_payments(steps)
    malformed_message(steps)
    one_event_id_each(steps, [*PAID, "paid-1009", *FIFTY])
    all_signed(steps, gateway)


def queried_over_http(steps: DemoSteps) -> None:
    """PUT, GET, event."""
    steps.console.heading("HTTP: an app registers a payment and asks for its result")
    steps.put("paid-1001", **ORDER)
    steps.get_until("paid-1001", status="SUCCEEDED", amount="19.99")
    steps.show("paid-1001")
    if steps.expect_event("paid-1001"):
        steps.console.line("time", f"{steps.console.elapsed:.1f} s from start to first event")


def followed_until_paid(steps: DemoSteps, gateway: SimulatedGateway) -> None:
    """One PUT; the queue repeats the check until the payment is settled."""
    steps.console.heading("Following: a registered payment is checked until it is paid")
    steps.put("later3-1002", expectedAmount="19.99")
    steps.expect_status("later3-1002", "SUCCEEDED")
    steps.expect_event("later3-1002")
    asked = len(gateway.requests("later3-1002"))
    steps.compare("the gateway was asked exactly 3 times", asked, 3)


def sent_to_the_queue(steps: DemoSteps, gateway: SimulatedGateway) -> None:
    """A message with one payId, and one with several."""
    steps.console.heading("SQS: an order service sends payIds to the queue")
    steps.send({"payId": "paid-1003", "orderId": "A-18"})
    steps.send({"payIds": ["paid-1004", "later2-1005"]})
    for pay_id in ("paid-1003", "paid-1004", "later2-1005"):
        steps.expect_status(pay_id, "SUCCEEDED")
        steps.expect_event(pay_id)
    for pay_id in ("paid-1003", "paid-1004"):
        asked = len(gateway.requests(pay_id))
        steps.compare(f"the gateway was asked once for {pay_id}", asked, 1)


def never_paid(steps: DemoSteps) -> None:
    """An unpaid payment stays PENDING and is never FAILED."""
    steps.console.heading("Unpaid: a payment that is not paid is followed, and never FAILED")
    steps.send({"payId": "never-1006"})
    steps.console.expect(
        "never-1006 is checked at least 3 times",
        lambda: steps.client.item("never-1006").get("checks", 0) >= 3,
    )
    steps.expect_status("never-1006", "PENDING")
    next_check_at = steps.client.item("never-1006").get("nextCheckAt")
    steps.console.check("its next check is in the table", ok=next_check_at is not None)
    steps.expect_no_event("never-1006")


def paid_with_the_wrong_amount(steps: DemoSteps) -> None:
    """A success with another amount than the registered one is REVIEW."""
    steps.console.heading("Wrong amount: paid, but not the registered amount: REVIEW, no event")
    steps.put("wrong-1007", expectedAmount="19.99")
    steps.expect_status("wrong-1007", "REVIEW")
    steps.expect_no_event("wrong-1007")


def gateway_down(steps: DemoSteps, gateway: SimulatedGateway) -> None:
    """A failure is not an answer."""
    steps.console.heading("Outage: the gateway is down; the stored payment is returned as stale")
    gateway.down = True
    steps.put("paid-1008", **ORDER)
    steps.get_until("paid-1008", status="PENDING", stale=True)
    steps.show("paid-1008")
    gateway.down = False
    steps.console.line("gateway", "is up again")
    steps.expect_status("paid-1008", "SUCCEEDED", 30)
    steps.expect_event("paid-1008")


def without_the_stream(steps: DemoSteps) -> None:
    """The sweeper sends the event; the stream record that comes later is ignored."""
    console, client = steps.console, steps.client
    console.heading("Stream off: the sweeper sends the event that the publisher did not get")
    client.switch_stream(on=False)
    console.line("operator", "disables the publisher's event source mapping")
    steps.put("paid-1009", **ORDER)
    steps.expect_status("paid-1009", "SUCCEEDED")
    state = client.item("paid-1009").get("eventState")
    steps.compare("its event is unsent in the table", state, "PENDING")
    client.make_due("paid-1009")
    client.sweep()
    console.line("sweeper", "is run now; normally it leaves an event to the stream for a minute")
    steps.expect_event("paid-1009")
    client.switch_stream(on=True)
    console.line("operator", "enables the mapping; the stream still has the record")


def fifty_payments(steps: DemoSteps) -> None:
    """Time from the gateway's reply to the bus; in tens, because this is no load test."""
    console = steps.console
    console.heading("Latency: fifty payments, ten in a message; time from table to bus")
    for start in range(0, len(FIFTY), 10):
        ten = FIFTY[start : start + 10]
        steps.client.send({"payIds": ten})
        console.line("SQS in", f'{{"payIds": ["{ten[0]}", … 10 of them]}}')
        if not console.expect("their events arrive", partial(_arrived, steps, ten), 60):
            return
    latencies = sorted(steps.audit.arrivals(pay_id)[0].latency for pay_id in FIFTY)
    console.line("measured", "from observedAt (reply read, not yet stored) to the audit queue")
    console.line("", f"p50 {median(latencies):.3f} s, maximum {latencies[-1]:.3f} s")
    console.check("p50 is under 1 s", ok=median(latencies) < 1)


def _arrived(steps: DemoSteps, pay_ids: Iterable[str]) -> bool:
    return all(steps.audit.arrivals(pay_id) for pay_id in pay_ids)


def malformed_message(steps: DemoSteps) -> None:
    """A message that cannot be processed is kept."""
    steps.console.heading("Malformed message: it ends in the dead-letter queue, unchanged")
    steps.console.line("SQS in", f"{MALFORMED}  (sent at the start)")
    found = steps.console.expect(
        f"it is in the dead-letter queue after 5 receives, {VISIBILITY_SECONDS} s apart",
        steps.client.dead_letters,
        40,
    )
    steps.compare("it is the only message there, and unchanged", found, [MALFORMED])


def one_event_id_each(steps: DemoSteps, pay_ids: Iterable[str]) -> None:
    """All events of a payment have one id, and no other payment has it."""
    steps.console.heading("All payments")
    ids = [{each.event_id for each in steps.audit.arrivals(pay_id)} for pay_id in pay_ids]
    steps.console.check(
        f"each of {len(ids)} paid payments has one eventId, and all are different",
        ok=all(len(own) == 1 for own in ids) and len(set().union(*ids)) == len(ids),
    )


def all_signed(steps: DemoSteps, gateway: SimulatedGateway) -> None:
    """The gateway verified the sign of every request."""
    requests = gateway.requests()
    verdicts = {each.verdict for each in requests}
    steps.compare(f"all {len(requests)} requests to the gateway had a valid sign", verdicts, {"ok"})
