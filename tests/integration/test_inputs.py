"""P1 to P3 for each input (HTTP, SQS): a paid payment yields its event, with one eventId."""

from concurrent.futures import ThreadPoolExecutor

from sandbox.waiting import wait_for
from tests.integration.conftest import ORDER, System


def test_a_registered_payment_is_paid_at_the_first_get_and_has_an_event(system: System) -> None:
    """PUT, GET, event."""
    assert system.client.put("paid-http", **ORDER).status == 202

    wait_for("a paid answer", lambda: _is_paid(system, "paid-http"), 20)

    [event] = wait_for("its event", lambda: system.audit.arrivals("paid-http"), 20)
    registered = {"orderId": "A-17", "amount": "19.99", "currency": "USD"}
    assert registered.items() <= event.detail["data"].items()
    assert event.envelope["source"] == "payresult"
    assert event.envelope["detail-type"] == "PaymentSucceeded"


def test_a_pay_id_with_a_colon_is_one_payment_however_its_url_is_written(system: System) -> None:
    """Signed, sent and decoded: ``%3A`` and a colon are the same payId."""
    assert system.client.put("later9-a:b.c~d").status == 202
    response = system.client.get("later9-a%3Ab.c~d")
    assert (response.status, response.body["payId"]) == (200, "later9-a:b.c~d")
    assert "createdAt" in response.body


def test_a_settled_payment_is_read_from_the_table(system: System) -> None:
    """Once it is paid, the gateway is not asked again."""
    system.client.get("paid-settled")
    before = len(system.gateway.requests("paid-settled"))

    response = system.client.get("paid-settled")

    assert (response.status, response.body["status"]) == (200, "SUCCEEDED")
    assert len(system.gateway.requests("paid-settled")) == before == 1


def test_an_unregistered_payment_is_stored_only_once_it_is_paid(system: System) -> None:
    """GET returns the gateway's result for any payId, and stores nothing of an unpaid one."""
    response = system.client.get("never-stored")

    assert (response.status, response.body["status"]) == (200, "PENDING")
    assert system.client.item("never-stored") == {}
    assert "retry-after" in response.headers


def test_a_registered_payment_is_followed_until_it_is_paid(system: System) -> None:
    """One PUT, three checks from the queue, and no fourth."""
    system.client.put("later3-put", expectedAmount="19.99")

    wait_for("its event", lambda: system.audit.arrivals("later3-put"), 20)

    answers = [request.answer for request in system.gateway.requests("later3-put")]
    assert answers == ["pending", "pending", "paid"]
    assert system.client.item("later3-put")["checks"] == 3


def test_one_message_is_enough_for_a_payment(system: System) -> None:
    """It is checked once, stored with its orderId, and has an event."""
    system.client.send({"payId": "paid-sqs", "orderId": "A-18"})

    [event] = wait_for("its event", lambda: system.audit.arrivals("paid-sqs"), 20)

    assert event.detail["data"]["orderId"] == "A-18"
    assert len(system.gateway.requests("paid-sqs")) == 1


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


def test_every_request_to_the_gateway_has_a_valid_sign(system: System) -> None:
    """By the simulated gateway's validation, which shares no code with payresult."""
    system.client.get("paid-signed")

    assert {request.verdict for request in system.gateway.requests()} == {"ok"}


def _is_paid(system: System, pay_id: str) -> bool:
    return bool(system.client.get(pay_id).body.get("status") == "SUCCEEDED")


def _is_sent(system: System, pay_id: str) -> bool:
    return system.client.item(pay_id).get("eventState") == "SENT"
