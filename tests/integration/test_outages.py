"""The gateway in trouble, parts switched off: late, perhaps; never lost, never false."""

from sandbox.waiting import wait_for
from tests.integration.conftest import DELAYS, System

ORDER = {"orderId": "A-17", "expectedAmount": "19.99", "currency": "USD"}


def test_an_outage_changes_no_status_and_the_payment_is_announced_after_it(system: System) -> None:
    """What is stored is told and marked stale; no message is lost meanwhile."""
    before = system.visitor.dead_letters()
    system.gateway.down = True
    try:
        system.visitor.put("paid-outage", **ORDER)
        answer = wait_for("a stale answer", lambda: _stale(system, "paid-outage"), 20)
        item = system.visitor.item("paid-outage")
    finally:
        system.gateway.down = False

    assert (answer["status"], item["status"], item["attempt"]) == ("PENDING", "PENDING", 0)
    wait_for("its event", lambda: system.audit.arrivals("paid-outage"), 30)
    assert system.visitor.dead_letters() == before


def test_an_outage_and_nothing_stored_is_a_503_that_says_when_to_ask_again(system: System) -> None:
    """Nobody can say anything about this payment yet."""
    answer = system.visitor.get("failing-unknown")

    assert (answer.status, answer.body["type"]) == (
        503,
        "urn:payresult:problem:gateway-unavailable",
    )
    assert int(answer.headers["retry-after"]) > 0
    assert system.visitor.item("failing-unknown") == {}


def test_an_answer_without_a_meaning_and_nothing_stored_is_a_502(system: System) -> None:
    """The gateway's text is not passed on."""
    answer = system.visitor.get("nonsense-unknown")

    assert (answer.status, answer.body["type"]) == (502, "urn:payresult:problem:gateway-bad-reply")
    assert "maintenance" not in str(answer.body)


def test_payments_are_followed_through_trouble(system: System) -> None:
    """One bad check each, then a good one; only what was answered counts as an attempt."""
    attempts = {"failing2-then": 1, "busy2-then": 1, "nonsense2-then": 2}
    for pay_id in attempts:
        system.visitor.send({"payId": pay_id})

    wait_for("their events", lambda: all(map(system.audit.arrivals, attempts)), 40)

    assert [len(system.gateway.requests(pay_id)) for pay_id in attempts] == [2, 2, 2]
    assert {pay_id: system.visitor.item(pay_id)["attempt"] for pay_id in attempts} == attempts


def test_a_gateway_that_is_too_slow_is_a_gateway_that_is_down(system: System) -> None:
    """The caller gets what is stored, marked stale, while the gateway still thinks."""
    system.visitor.put("slow-stored", **ORDER)

    answer = wait_for("a stale answer", lambda: _stale(system, "slow-stored"), 40)

    assert answer["status"] == "PENDING"


def test_a_wrong_amount_is_a_review_and_no_event(system: System) -> None:
    """The gateway says success, but not for what was registered."""
    system.visitor.put("wrong-amount", expectedAmount="19.99")
    system.visitor.send({"payId": "paid-after-wrong"})

    wait_for("REVIEW", lambda: system.visitor.status("wrong-amount") == "REVIEW", 20)
    wait_for("a later event", lambda: system.audit.arrivals("paid-after-wrong"), 20)

    assert "eventId" not in system.visitor.item("wrong-amount")
    assert system.audit.arrivals("wrong-amount") == []


def test_a_payment_that_nobody_pays_is_given_up_and_never_called_failed(system: System) -> None:
    """After the last check of the schedule it is UNRESOLVED; a PUT has it followed anew."""
    system.visitor.send({"payId": "never-paid"})

    wait_for("the end", lambda: system.visitor.status("never-paid") == "UNRESOLVED", 30)

    checks = len(DELAYS) + 1
    assert len(system.gateway.requests("never-paid")) == checks
    assert system.audit.arrivals("never-paid") == []
    system.visitor.put("never-paid", orderId="A-19")
    wait_for("more checks", lambda: len(system.gateway.requests("never-paid")) > checks, 20)
    assert system.visitor.status("never-paid") == "UNRESOLVED"


def test_the_sweeper_sends_the_event_that_the_stream_did_not(system: System) -> None:
    """And when the stream hands it over after all, it is not sent again."""
    system.visitor.switch_stream(on=False)
    try:
        system.visitor.put("paid-swept", **ORDER)
        wait_for("paid", lambda: system.visitor.status("paid-swept") == "SUCCEEDED", 20)
        assert system.visitor.item("paid-swept")["eventState"] == "PENDING"
        system.visitor.end_grace("paid-swept")
        system.visitor.sweep()
        wait_for("its event", lambda: system.audit.arrivals("paid-swept"), 20)
    finally:
        system.visitor.switch_stream(on=True)

    system.visitor.put("paid-behind", **ORDER)
    wait_for("the next event by the stream", lambda: system.audit.arrivals("paid-behind"), 20)
    assert len(system.audit.arrivals("paid-swept")) == 1


def test_the_sweeper_finds_a_payment_whose_message_is_lost(system: System) -> None:
    """The table is the truth, the queue a hint."""
    system.visitor.switch_queue(on=False)
    try:
        system.visitor.put("paid-lost", **ORDER)
        system.visitor.purge_queue()
    finally:
        system.visitor.switch_queue(on=True)
    system.visitor.end_grace("paid-lost")
    system.visitor.sweep()

    wait_for("its event", lambda: system.audit.arrivals("paid-lost"), 20)


def _stale(system: System, pay_id: str) -> dict[str, object] | None:
    body: dict[str, object] = system.visitor.get(pay_id).body
    return body if body.get("stale") else None
