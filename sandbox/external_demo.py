"""The demo against an external gateway: prints what it answers, and expects no fixed result."""

from sandbox.demo_steps import DemoSteps

PAY_IDS = ("20190321192436", "demo-1002", "demo-1003", "demo-1004")
"""The first is the payId of the provider's own example."""


def run_external_demo(steps: DemoSteps) -> None:
    """Send payIds by each input; each one that is paid must have an event."""
    by_http, single, *several = PAY_IDS
    steps.console.heading(f"External gateway: {steps.sandbox.gateway_url}")
    steps.console.line("", "It decides what is paid, so the demo only shows its answers.")
    steps.put(by_http, orderId="demo-1")
    steps.get_until(by_http, payId=by_http)  # 200, whatever the gateway does
    steps.send({"payId": single})
    steps.send({"payIds": several})
    for pay_id in PAY_IDS:
        _outcome(steps, pay_id)


def _outcome(steps: DemoSteps, pay_id: str) -> None:
    def checked() -> bool:
        return "lastCheckedAt" in steps.client.item(pay_id)

    steps.console.expect(f"{pay_id} is in the table, and was checked", checked)
    steps.show(pay_id)
    if steps.client.status(pay_id) == "SUCCEEDED":
        steps.expect_event(pay_id)
    else:
        steps.console.line("event", f"none for {pay_id}: it is not paid yet")
