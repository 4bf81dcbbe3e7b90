"""P2, P5 and P7 where the gateway is too slow, or never says that it is paid."""

from sandbox.waiting import wait_for
from tests.integration.conftest import DELAYS, ORDER, System


def test_a_gateway_that_is_too_slow_counts_as_down(system: System) -> None:
    """The caller gets the stored payment, marked stale, before the gateway replies."""
    system.client.put("slow-stored", **ORDER)

    body = wait_for("a stale response", lambda: _stale(system, "slow-stored"), 40)

    assert body["status"] == "PENDING"


def test_an_unpaid_payment_expires_and_never_fails(system: System) -> None:
    """After the last check of the schedule it is EXPIRED; PUT and message start it again."""
    system.client.send({"payId": "never-paid"})

    wait_for("the end", lambda: system.client.status("never-paid") == "EXPIRED", 30)

    checks = len(DELAYS) + 1
    assert len(system.gateway.requests("never-paid")) == checks
    assert system.audit.arrivals("never-paid") == []
    system.client.put("never-paid", orderId="A-19")
    wait_for("more checks", lambda: len(system.gateway.requests("never-paid")) > checks, 20)
    wait_for("the end again", lambda: system.client.status("never-paid") == "EXPIRED", 30)
    system.client.send({"payId": "never-paid"})
    wait_for("a restart", lambda: len(system.gateway.requests("never-paid")) > 2 * checks, 20)


def _stale(system: System, pay_id: str) -> dict[str, object] | None:
    body: dict[str, object] = system.client.get(pay_id).body
    return body if body.get("stale") else None
