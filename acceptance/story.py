"""The story of the sandbox's demo: each input, and each end of a payment."""

import time
from statistics import median

from acceptance.target import CaseFailed, Target, expect

MAX_TABLE_TO_BUS = 1.0
"""Seconds, p50 (guarantee P4)."""

EXPECTED_OF_A_TEST_STACK = {"protection", "notified"}
"""What doctor rightly says of a stack that is there for this run only."""

FIRST_SWEEP_SECONDS = 90
"""A new stack has had none yet."""

LOOP_LIMIT = 16
"""Invocations after which Lambda's loop detection ends a chain (AWS, "Use Lambda recursive loop
detection to prevent infinite loops")."""


def doctor(target: Target) -> str:
    """`doctor` finds nothing but what a test stack lacks on purpose."""

    def unexpected() -> dict[str, str]:
        bad = {it["check"]: it["text"] for it in records if it["state"] in {"attention", "denied"}}
        return {name: bad[name] for name in bad.keys() - EXPECTED_OF_A_TEST_STACK}

    target.sweep()
    deadline = time.monotonic() + FIRST_SWEEP_SECONDS
    _, records = target.cli("doctor")
    while unexpected() and time.monotonic() < deadline:
        target.wait(5)
        _, records = target.cli("doctor")
    expect("lines that want attention", unexpected(), {})
    fine = sum(record["state"] == "ok" for record in records)
    return f"{fine} of {len(records)} checks ok"


def registered_and_paid(target: Target) -> str:
    """PUT, GET, event."""
    pay_id = target.pay_id("paid")
    expect("status of PUT", target.put(pay_id).status, 202)

    def paid() -> bool:
        response = target.get(pay_id)
        return response.status == 200 and response.body["status"] == "SUCCEEDED"  # noqa: PLR2004 - HTTP

    target.eventually("SUCCEEDED in the answer to GET", paid, 60)
    return f"event after {target.expect_event(pay_id):.2f} s"


def followed_until_paid(target: Target) -> str:
    """The gateway says paid after 15 s; nobody asks but the queue."""
    paid_at = int(time.time()) + 15
    pay_id = target.pay_id(f"later{paid_at}")
    target.put(pay_id)
    target.expect_event(pay_id)
    return f"event {target.events.arrivals(pay_id)[0].at - paid_at:.1f} s after it was paid"


def sent_by_message(target: Target) -> str:
    """A message with one payId, and one with several."""
    one, two, three = (target.pay_id("paid") for _ in range(3))
    target.send({"payId": one, "orderId": one})
    target.send({"payIds": [two, three]})
    return f"events after {max(target.expect_event(each) for each in (one, two, three)):.2f} s"


def never_paid(target: Target) -> str:
    """It is followed beyond the checks after which loop detection would end the chain."""
    pay_id = target.pay_id("never")
    target.send({"payId": pay_id})

    def checks() -> int:
        found = target.explained(pay_id).get("checks", 0)
        return int(found) if found > LOOP_LIMIT + 2 else 0

    made = target.eventually(f"more than {LOOP_LIMIT + 2} checks", checks, 180)
    expect("events", target.events.arrivals(pay_id), [])
    return f"{made} checks, no event"


def wrong_amount(target: Target) -> str:
    """REVIEW and no event, until an operator accepts what is reported."""
    pay_id = target.pay_id("wrong")
    target.put(pay_id)
    target.eventually("REVIEW", lambda: target.explained(pay_id).get("status") == "REVIEW", 120)
    expect("events before accept", target.events.arrivals(pay_id), [])
    _, waiting = target.cli("list")
    expect("in the list", [it["attention"] for it in waiting if it["payId"] == pay_id], ["REVIEW"])
    target.cli("accept", pay_id, "--reported", "$1.00", "--reason", "acceptance", "--yes")
    target.sweep()
    target.expect_event(pay_id, 150)  # the sweeper sends the check within a minute
    return "event after accept"


def fifty_payments(target: Target) -> str:
    """The time from table to bus, ten payIds in a message."""
    fifty = [target.pay_id("paid") for _ in range(50)]
    for start in range(0, len(fifty), 10):
        target.send({"payIds": fifty[start : start + 10]})
    latencies = sorted(target.expect_event(pay_id) for pay_id in fifty)
    measured = f"p50 {median(latencies):.2f} s, maximum {latencies[-1]:.2f} s"
    if target.emulated:
        return f"{measured} (of this machine, not judged)"
    if median(latencies) >= MAX_TABLE_TO_BUS:
        raise CaseFailed(measured)
    return measured
