"""P1, P2, P5 and P7 while the gateway fails or a part of the system is off."""

import pytest

from sandbox.waiting import wait_for
from tests.integration.conftest import DELAYS, ORDER, System


def test_an_outage_changes_no_status_and_the_event_comes_after_it(system: System) -> None:
    """The stored payment is returned as stale, to all callers; no message is a dead letter."""
    with system.gateway_down():
        system.client.put("paid-outage", **ORDER)
        body = wait_for("a stale response", lambda: _stale(system, "paid-outage"), 20)
        assert all(_stale(system, "paid-outage") for _ in range(8))
        item = system.client.item("paid-outage")

    assert (body["status"], item["status"], item["attempt"]) == ("PENDING", "PENDING", 0)
    wait_for("its event", lambda: system.audit.arrivals("paid-outage"), 30)
    assert system.client.dead_letters() == []


@pytest.mark.parametrize("pay_id", ["failing-unknown", "nonsense-unknown"])
def test_an_outage_with_nothing_stored_is_a_503_with_retry_after(
    system: System, pay_id: str
) -> None:
    """A maintenance page says as little as silence; its text is not in the response."""
    response = system.client.get(pay_id)

    assert response.status == 503
    assert response.body["type"] == "urn:payresult:problem:gateway-unavailable"
    assert int(response.headers["retry-after"]) > 0
    assert "maintenance" not in str(response.body)
    assert system.client.item(pay_id) == {}


def test_payments_are_followed_through_failures(system: System) -> None:
    """One failed check each, then a paid one; only a reply counts as an attempt."""
    attempts = dict.fromkeys(("failing2-then", "busy2-then", "nonsense2-then"), 1)
    for pay_id in attempts:
        system.client.send({"payId": pay_id})

    wait_for("their events", lambda: all(map(system.audit.arrivals, attempts)), 40)

    assert [len(system.gateway.requests(pay_id)) for pay_id in attempts] == [2, 2, 2]
    assert {pay_id: system.client.item(pay_id)["attempt"] for pay_id in attempts} == attempts


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


def test_the_sweeper_sends_an_event_that_the_publisher_did_not_get(system: System) -> None:
    """When the publisher gets the record later, the event is not sent again."""
    with system.stream_off():
        system.client.put("paid-swept", **ORDER)
        wait_for("paid", lambda: system.client.status("paid-swept") == "SUCCEEDED", 20)
        assert system.client.item("paid-swept")["eventState"] == "PENDING"
        system.client.make_due("paid-swept")
        system.client.sweep()
        wait_for("its event", lambda: system.audit.arrivals("paid-swept"), 20)

    system.client.put("paid-behind", **ORDER)
    wait_for("the next event from the stream", lambda: system.audit.arrivals("paid-behind"), 20)
    assert len(system.audit.arrivals("paid-swept")) == 1


def test_the_sweeper_finds_a_payment_whose_message_is_lost(system: System) -> None:
    """The next check is planned in the table; the message only triggers it."""
    with system.queue_off():
        system.client.put("paid-lost", **ORDER)
        system.client.purge_queue()
    system.client.make_due("paid-lost")
    system.client.sweep()

    wait_for("its event", lambda: system.audit.arrivals("paid-lost"), 20)


def _stale(system: System, pay_id: str) -> dict[str, object] | None:
    body: dict[str, object] = system.client.get(pay_id).body
    return body if body.get("stale") else None
