"""The story against a gateway that is not ours: shows what it answers, whatever that is."""

from sandbox.demo_steps import DemoSteps, shown

PAY_IDS = ("20190321192436", "demo-1002", "demo-1003", "demo-1004")
"""The first is the one of the provider's own example."""


def tell(teller: DemoSteps) -> None:
    """Put payIds in by every way; whoever turns out to be paid must have an event."""
    by_http, single, *several = PAY_IDS
    teller.console.head(f"Another gateway: {teller.sandbox.gateway_url}")
    teller.console.say("", "It decides what is paid, so this story only shows what it answers.")
    teller.put(by_http, orderId="A-17")
    answer = teller.visitor.get(by_http)
    teller.console.say("HTTP in", f"GET /payments/{by_http}")
    teller.console.say("HTTP out", shown(answer.body))
    teller.compare("the API answers, whatever the gateway does", answer.status, 200)
    teller.send({"payId": single})
    teller.send({"payIds": several})
    for pay_id in PAY_IDS:
        _outcome(teller, pay_id)


def _outcome(teller: DemoSteps, pay_id: str) -> None:
    def tried() -> bool:
        return "lastCheckedAt" in teller.visitor.item(pay_id)

    teller.console.expect(f"{pay_id} is in the table, with a check tried", tried)
    teller.show(pay_id)
    if teller.visitor.status(pay_id) == "SUCCEEDED":
        teller.expect_event(pay_id)
    else:
        teller.console.say("event out", f"none of {pay_id}, which is not paid so far")
