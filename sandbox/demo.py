"""The short story against the simulated gateway: every way in, every promise that one can watch."""

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


def tell(teller: DemoSteps, gateway: SimulatedGateway) -> None:
    """Tell it all; `teller.console.broken` has what did not come true."""
    teller.visitor.send(MALFORMED)  # its five tries take a while: they run beside the story
    asked_over_http(teller)
    followed_until_paid(teller, gateway)
    put_on_the_queue(teller, gateway)
    never_paid(teller)
    paid_with_the_wrong_amount(teller)
    gateway_down(teller, gateway)
    without_the_stream(teller)
    fifty_payments(teller)
    malformed_message(teller)
    one_event_id_each(teller, [*PAID, "paid-1009", *FIFTY])
    all_signed(teller, gateway)


def asked_over_http(teller: DemoSteps) -> None:
    """The shortest way from a payId to an event."""
    teller.console.head("An app registers a payment and asks for it: it is paid")
    teller.put("paid-1001", **ORDER)
    teller.get_until("paid-1001", status="SUCCEEDED", amount="19.99")
    teller.show("paid-1001")
    if teller.expect_event("paid-1001"):
        teller.console.say("time", f"{teller.console.elapsed:.1f} s from start to first event")


def followed_until_paid(teller: DemoSteps, gateway: SimulatedGateway) -> None:
    """Registered once, asked about by the queue until settled."""
    teller.console.head("A payment that is paid later: registered, then followed by the queue")
    teller.put("later3-1002", expectedAmount="19.99")
    teller.expect_status("later3-1002", "SUCCEEDED")
    teller.expect_event("later3-1002")
    asked = len(gateway.requests("later3-1002"))
    teller.compare("the gateway was asked 3 times, no more", asked, 3)


def put_on_the_queue(teller: DemoSteps, gateway: SimulatedGateway) -> None:
    """One payId in a message, and several."""
    teller.console.head("An order service puts payIds on the queue and forgets about them")
    teller.send({"payId": "paid-1003", "orderId": "A-18"})
    teller.send({"payIds": ["paid-1004", "later2-1005"]})
    for pay_id in ("paid-1003", "paid-1004", "later2-1005"):
        teller.expect_status(pay_id, "SUCCEEDED")
        teller.expect_event(pay_id)
    for pay_id in ("paid-1003", "paid-1004"):
        asked = len(gateway.requests(pay_id))
        teller.compare(f"one check was enough for {pay_id}", asked, 1)


def never_paid(teller: DemoSteps) -> None:
    """Nobody pays, and nobody claims that it failed."""
    teller.console.head("A payment that nobody pays: still followed, never called failed")
    teller.send({"payId": "never-1006"})
    teller.console.expect(
        "never-1006 is asked about again and again",
        lambda: teller.visitor.item("never-1006").get("checks", 0) >= 3,
    )
    teller.expect_status("never-1006", "PENDING")
    next_one = teller.visitor.item("never-1006").get("nextCheckAt")
    teller.console.check("its next check is in the table", kept=next_one is not None)
    teller.expect_no_event("never-1006")


def paid_with_the_wrong_amount(teller: DemoSteps) -> None:
    """Success is not enough: the amount has to be the registered one."""
    teller.console.head("Paid, but not what was registered: REVIEW, and nobody is told it is paid")
    teller.put("wrong-1007", expectedAmount="19.99")
    teller.expect_status("wrong-1007", "REVIEW")
    teller.expect_no_event("wrong-1007")


def gateway_down(teller: DemoSteps, gateway: SimulatedGateway) -> None:
    """A failure is not an answer."""
    teller.console.head("The gateway goes down: what is stored is told, and marked stale")
    gateway.down = True
    teller.put("paid-1008", **ORDER)
    teller.get_until("paid-1008", status="PENDING", stale=True)
    teller.show("paid-1008")
    gateway.down = False
    teller.console.say("gateway", "is up again")
    teller.expect_status("paid-1008", "SUCCEEDED", 30)
    teller.expect_event("paid-1008")


def without_the_stream(teller: DemoSteps) -> None:
    """The sweeper sends what the stream did not, and the stream finds it sent."""
    console, visitor = teller.console, teller.visitor
    console.head("The way from table to publisher is cut: the sweeper sends the event")
    visitor.switch_stream(on=False)
    console.say("operator", "switched the publisher's stream mapping off")
    teller.put("paid-1009", **ORDER)
    teller.expect_status("paid-1009", "SUCCEEDED")
    state = visitor.item("paid-1009").get("eventState")
    teller.compare("its event waits in the table", state, "PENDING")
    visitor.end_grace("paid-1009")
    visitor.sweep()
    console.say("sweeper", "run now: it leaves the stream a minute, which was taken off here")
    teller.expect_event("paid-1009")
    visitor.switch_stream(on=True)
    console.say("operator", "switched the mapping on: the stream still holds the change")


def fifty_payments(teller: DemoSteps) -> None:
    """How long from the gateway's answer to the bus; in tens, for that is no test of load."""
    console = teller.console
    console.head("Fifty payments, ten in a message: how long from the table to the bus")
    for start in range(0, len(FIFTY), 10):
        ten = FIFTY[start : start + 10]
        teller.visitor.send({"payIds": ten})
        console.say("SQS in", f'{{"payIds": ["{ten[0]}", … 10 of them]}}')
        if not console.expect("their events arrive", partial(_arrived, teller, ten), 60):
            return
    late = sorted(teller.audit.arrivals(pay_id)[0].latency for pay_id in FIFTY)
    console.say("measured", "from observedAt (answer read, not yet stored) to the audit queue")
    console.say("", f"p50 {median(late):.3f} s, slowest {late[-1]:.3f} s")
    console.check("p50 is under 1 s", kept=median(late) < 1)


def _arrived(teller: DemoSteps, pay_ids: Iterable[str]) -> bool:
    return all(teller.audit.arrivals(pay_id) for pay_id in pay_ids)


def malformed_message(teller: DemoSteps) -> None:
    """Nothing is silently deleted."""
    teller.console.head("A message that says nothing sensible: into the dead-letter queue, whole")
    teller.console.say("SQS in", f"{MALFORMED}  (sent at the start)")
    found = teller.console.expect(
        f"it is in the dead-letter queue after 5 tries, {VISIBILITY_SECONDS} s apart",
        teller.visitor.dead_letters,
        40,
    )
    teller.compare("it is alone there, and word for word", found, [MALFORMED])


def one_event_id_each(teller: DemoSteps, pay_ids: Iterable[str]) -> None:
    """However often an event is sent, subscribers know it again."""
    teller.console.head("All in all")
    ids = [{each.event_id for each in teller.audit.arrivals(pay_id)} for pay_id in pay_ids]
    teller.console.check(
        f"each of {len(ids)} paid payments has one eventId, and all are different",
        kept=all(len(own) == 1 for own in ids) and len(set().union(*ids)) == len(ids),
    )


def all_signed(teller: DemoSteps, gateway: SimulatedGateway) -> None:
    """The gateway's own check of every request it got."""
    seen = gateway.requests()
    verdicts = {each.verdict for each in seen}
    teller.compare(f"the gateway found each of {len(seen)} signs right", verdicts, {"ok"})
