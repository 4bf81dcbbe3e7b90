"""P1 to P3 for each input (HTTP, SQS): a paid payment yields its event, with one eventId."""

from concurrent.futures import ThreadPoolExecutor

from sandbox.waiting import wait_for
from tests.integration.conftest import ORDER, System


def test_a_pay_id_with_a_colon_is_one_payment_however_its_url_is_written(system: System) -> None:
    """Signed, sent and decoded: ``%3A`` and a colon are the same payId, also for the gateway."""
    assert system.client.put("later9-a:b.c~d").status == 202
    response = system.client.get("later9-a%3Ab.c~d")
    assert (response.status, response.body["payId"]) == (200, "later9-a:b.c~d")
    assert "createdAt" in response.body
    assert response.headers["retry-after"] == "2"
    asked = wait_for("a query", lambda: system.gateway.requests("later9-a:b.c~d"), 20)
    assert {each.verdict for each in asked} == {"ok"}


def test_the_same_message_many_times_yields_one_event_id(system: System) -> None:
    """SQS delivers more than once, and order services send more than once."""
    for _ in range(6):
        system.client.send({"payId": "later2-repeated", "expectedAmount": "19.99"})

    wait_for("its event", lambda: system.audit.arrivals("later2-repeated"), 20)
    system.client.send({"payId": "later2-repeated", "expectedAmount": "19.99"})
    wait_for("the mark as sent", lambda: _is_sent(system, "later2-repeated"), 20)

    events = system.audit.arrivals("later2-repeated")
    assert len({event.event_id for event in events}) == 1
    assert events[0].event_id == system.client.item("later2-repeated")["eventId"]


def test_many_callers_at_once_yield_one_event_id(system: System) -> None:
    """Twelve GETs, six at a time, of a payment that is not stored yet."""
    with ThreadPoolExecutor(6) as callers:
        responses = list(callers.map(system.client.get, ["paid-crowd"] * 12))

    assert {response.body["status"] for response in responses} == {"SUCCEEDED"}
    events = wait_for("its event", lambda: system.audit.arrivals("paid-crowd"), 20)
    assert len({event.event_id for event in events}) == 1


def test_a_query_of_a_hundred_payments_has_results_in_the_requested_order(system: System) -> None:
    """A repeated payId is queried once; an error of one payment is its result only."""
    pay_ids = ["failing-bulk", "never-bulk", *(f"paid-bulk{number}" for number in range(97))]

    response = system.client.call("POST", "/payments/query", {"payIds": [*pay_ids, "paid-bulk0"]})

    failing, pending, *paid = response.body["results"]
    assert response.status == 200
    assert [each["payId"] for each in response.body["results"]] == pay_ids
    assert failing["problem"]["type"] == "urn:payresult:problem:gateway-unavailable"
    assert pending["status"] == "PENDING"
    assert {each["status"] for each in paid} == {"SUCCEEDED"}
    assert len(system.gateway.requests("paid-bulk0")) == 1


def test_the_same_registration_is_accepted_again_and_another_is_a_conflict(system: System) -> None:
    """The 409 names the field with the other value."""
    assert system.client.put("never-conflict", **ORDER).status == 202
    assert system.client.put("never-conflict", **ORDER).status == 202

    response = system.client.put("never-conflict", expectedAmount="20.00")

    assert (response.status, response.body["field"]) == (409, "expectedAmount")
    assert response.headers["content-type"] == "application/problem+json"
    assert system.client.item("never-conflict")["expectedAmount"] == "19.99"


def _is_sent(system: System, pay_id: str) -> bool:
    return system.client.item(pay_id).get("eventState") == "SENT"
