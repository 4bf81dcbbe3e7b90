"""A payId goes in by each of the ways, and its event comes out, once by its id."""

from concurrent.futures import ThreadPoolExecutor

from sandbox.waiting import wait_for
from tests.integration.conftest import System

ORDER = {"orderId": "A-17", "expectedAmount": "19.99", "currency": "USD"}


def test_a_registered_payment_is_paid_at_the_first_get_and_announced(system: System) -> None:
    """PUT, GET, event: the shortest way."""
    assert system.visitor.put("paid-http", **ORDER).status == 202

    wait_for("a paid answer", lambda: _is_paid(system, "paid-http"), 20)

    [event] = wait_for("its event", lambda: system.audit.arrivals("paid-http"), 20)
    told = event.detail["data"]
    expected = ORDER.keys() - {"expectedAmount"} | {"amount"}
    assert {name: told[name] for name in expected} == {
        "orderId": "A-17",
        "amount": "19.99",
        "currency": "USD",
    }
    assert (event.envelope["source"], event.envelope["detail-type"]) == (
        "payresult",
        "PaymentSucceeded",
    )


def test_a_settled_payment_is_answered_from_the_table(system: System) -> None:
    """Once it is paid, nobody asks the gateway again."""
    system.visitor.get("paid-settled")
    before = len(system.gateway.requests("paid-settled"))

    answer = system.visitor.get("paid-settled")

    assert (answer.status, answer.body["status"]) == (200, "SUCCEEDED")
    assert len(system.gateway.requests("paid-settled")) == before == 1


def test_an_unregistered_payment_is_stored_only_once_it_is_paid(system: System) -> None:
    """GET tells what the gateway says of any payId, and leaves no trace of the unpaid."""
    answer = system.visitor.get("never-stored")

    assert (answer.status, answer.body["status"]) == (200, "PENDING")
    assert system.visitor.item("never-stored") == {}
    assert "retry-after" in answer.headers


def test_a_registered_payment_is_followed_until_it_is_paid(system: System) -> None:
    """One PUT, then three checks by the queue, and no fourth."""
    system.visitor.put("later3-put", expectedAmount="19.99")

    wait_for("its event", lambda: system.audit.arrivals("later3-put"), 20)

    seen = [request.answer for request in system.gateway.requests("later3-put")]
    assert seen == ["pending", "pending", "paid"]
    assert system.visitor.item("later3-put")["checks"] == 3


def test_one_message_is_enough_for_a_payment(system: System) -> None:
    """It is checked once, stored with its order, and announced."""
    system.visitor.send({"payId": "paid-sqs", "orderId": "A-18"})

    [event] = wait_for("its event", lambda: system.audit.arrivals("paid-sqs"), 20)

    assert event.detail["data"]["orderId"] == "A-18"
    assert len(system.gateway.requests("paid-sqs")) == 1


def test_each_payment_of_a_list_is_followed_by_itself(system: System) -> None:
    """One is paid at once, one later."""
    system.visitor.send({"payIds": ["paid-list", "later2-list"]})

    wait_for("the first event", lambda: system.audit.arrivals("paid-list"), 20)
    wait_for("the second event", lambda: system.audit.arrivals("later2-list"), 20)


def test_the_same_message_many_times_makes_one_event_id(system: System) -> None:
    """SQS delivers more than once, and so do order services."""
    for _ in range(6):
        system.visitor.send({"payId": "later2-repeated", "expectedAmount": "19.99"})

    wait_for("its event", lambda: system.audit.arrivals("later2-repeated"), 20)
    system.visitor.send({"payId": "later2-repeated", "expectedAmount": "19.99"})
    wait_for("the mark", lambda: _is_sent(system, "later2-repeated"), 20)

    events = system.audit.arrivals("later2-repeated")
    assert len({event.event_id for event in events}) == 1
    assert events[0].event_id == system.visitor.item("later2-repeated")["eventId"]


def test_many_callers_at_once_make_one_event_id(system: System) -> None:
    """Twelve GETs, six at a time, of a payment that nobody has asked about before."""
    with ThreadPoolExecutor(6) as callers:
        answers = list(callers.map(system.visitor.get, ["paid-crowd"] * 12))

    assert {answer.body["status"] for answer in answers} == {"SUCCEEDED"}
    events = wait_for("its event", lambda: system.audit.arrivals("paid-crowd"), 20)
    assert len({event.event_id for event in events}) == 1


def test_a_hundred_payments_are_answered_in_one_call_in_the_order_asked(system: System) -> None:
    """A repeated payId is asked about once, and trouble with one is told beside the others."""
    pay_ids = ["failing-bulk", "never-bulk", *(f"paid-bulk{number}" for number in range(97))]

    answer = system.visitor.call("POST", "/payments/query", {"payIds": [*pay_ids, "paid-bulk0"]})

    failing, pending, *paid = answer.body["results"]
    assert [answer.status, *(each["payId"] for each in answer.body["results"])] == [200, *pay_ids]
    assert failing["problem"]["type"] == "urn:payresult:problem:gateway-unavailable"
    assert pending["status"] == "PENDING"
    assert {each["status"] for each in paid} == {"SUCCEEDED"}
    assert len(system.gateway.requests("paid-bulk0")) == 1


def test_the_same_registration_again_is_fine_and_another_is_a_conflict(system: System) -> None:
    """Two order services that disagree are told so, with the field."""
    assert system.visitor.put("never-conflict", **ORDER).status == 202
    assert system.visitor.put("never-conflict", **ORDER).status == 202

    answer = system.visitor.put("never-conflict", expectedAmount="20.00")

    assert (answer.status, answer.body["field"]) == (409, "expectedAmount")
    assert answer.headers["content-type"] == "application/problem+json"
    assert system.visitor.item("never-conflict")["expectedAmount"] == "19.99"


def test_every_request_that_the_gateway_saw_was_signed_as_it_wants(system: System) -> None:
    """By the gateway's own check, which shares no code with ours."""
    system.visitor.get("paid-signed")

    assert {request.verdict for request in system.gateway.requests()} == {"ok"}


def _is_paid(system: System, pay_id: str) -> bool:
    return bool(system.visitor.get(pay_id).body.get("status") == "SUCCEEDED")


def _is_sent(system: System, pay_id: str) -> bool:
    return system.visitor.item(pay_id).get("eventState") == "SENT"
