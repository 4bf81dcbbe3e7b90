"""P1, P2, P5, P6, P7: the status that an answer leads to, and the next check."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payresult.domain.decision import (
    CheckPlan,
    GatewayResult,
    Rules,
    is_success,
    is_unknown_pay_rst,
    plan_after_live_check,
    plan_next_check,
    status_of_reply,
)
from payresult.domain.payment import CheckError, Payment, Registration, Status, StatusChange
from payresult.domain.schedule import Schedule
from payresult.errors import GatewayUnavailable, InvalidReply
from tests.support.factories import (
    DAY,
    DELAYS,
    HOUR,
    MINUTE,
    NOW,
    PAY_ID,
    RULES,
    SECOND,
    payment,
    reply,
)

P, U, E, F, R, S = Status
LAST = len(DELAYS)
"""The attempts before the last answer."""
DOWN = GatewayUnavailable("down", pay_id=PAY_ID)
INVALID = InvalidReply("no meaning", pay_id=PAY_ID, http_status=418)
TROUBLE = [DOWN, INVALID]
WAIT, FAIL, WRONG = reply("wait"), reply("fail"), reply(payAmount="1")
REPLIES = {P: WAIT, F: FAIL, R: WRONG, S: reply(payAmount="2")}
"""By the status that each gives a payment with OF_TWO."""
OF_TWO = Registration(expected_amount="2")
CREATED = StatusChange(NOW, None, R, "queue")
DEFAULT = Rules(Schedule(DELAYS), "prod")


def after(
    stored: Payment,
    answer: GatewayResult,
    now: int = NOW,
    *,
    random_fraction: float = 0.5,
    rules: Rules = RULES,
) -> CheckPlan:
    """Return the plan after *answer* to a check from the queue; by default a delay stays as is."""
    return plan_next_check(stored, answer, rules, now, random_fraction)


def error(age: int) -> CheckError:
    """Return the error of a payment that has been in trouble for *age* milliseconds."""
    return CheckError("unavailable", NOW - min(age, HOUR), 40, NOW - age)


# The status that a reply gives


@pytest.mark.parametrize("text", ["success", "SUCCESS", "Success", "sUcCeSs"])
def test_success_counts_in_any_case(text: str) -> None:
    """The gateway's documents show two."""
    assert is_success(text)


@pytest.mark.parametrize(
    "text",
    [
        *("\u017fuccess", "succe\u017f\u017f", "succe\u1e9e", "\uff53uccess", "\u0455uccess"),
        *(" success", "success ", "success\n", "\tsuccess", "success\x00", "\ufeffsuccess"),
        *("", "succes", "successs", "succeeded", "unsuccess", "true", "1", "ok", "paid", "S"),
        *("suc\u00adcess", "succ\u0117ss", '"success"', "success,", "SUCCESS\u0130", "null"),
    ],
)
def test_nothing_else_is_success(text: str) -> None:
    """Nothing is stripped, and only ASCII counts: a long s is no s (P2)."""
    assert not is_success(text)
    assert status_of_reply(reply(text), payment(), ()) is not S


@pytest.mark.parametrize(
    ("pay_rst", "failed_values", "status", "unknown"),
    [
        *(("success", ["fail"], S, False), ("fail", ["fail"], F, False)),
        *((text, ["fail"], P, True) for text in ("FAIL", "failed", "", "pending")),
        ("fail", DEFAULT.failed_pay_rst_values, P, True),
    ],
)
def test_values_that_fail(
    pay_rst: str, failed_values: list[str], status: Status, *, unknown: bool
) -> None:
    """By default none, as no time zone is known. Any other value is PENDING, and counted."""
    assert status_of_reply(reply(pay_rst), payment(), failed_values) is status
    assert is_unknown_pay_rst(reply(pay_rst), failed_values) is unknown
    assert DEFAULT.zone is None


@pytest.mark.parametrize(
    ("answer", "registration", "status"),
    [
        pytest.param(reply(payAmount="nonsense"), Registration(), S, id="nothing registered"),
        pytest.param(reply(payAmount="$2.00"), OF_TWO, S, id="the registered amount"),
        pytest.param(reply(payAmount="1.99"), OF_TWO, R, id="another amount"),
        pytest.param(reply(), OF_TWO, R, id="no amount"),
        pytest.param(reply(payAmount="EUR 2"), Registration(None, "2", "USD"), R, id="currency"),
        pytest.param(reply("fail", payAmount="1"), OF_TWO, F, id="a failure stays a failure"),
    ],
)
def test_another_amount_is_review(answer: Any, registration: Registration, status: Status) -> None:
    """Never SUCCEEDED (P2). Which amounts are the same: test_amount."""
    assert status_of_reply(answer, payment(registration=registration), ["fail"]) is status


@pytest.mark.parametrize(("stored", "new"), list(product(Status, REPLIES)))
def test_a_reply_only_raises_the_status(stored: Status, new: Status) -> None:
    """The higher one wins, for queued and live checks."""
    now = payment(stored, registration=OF_TWO)
    higher = stored if stored.rank > new.rank else new
    assert after(now, REPLIES[new]).status is higher
    assert plan_after_live_check(now, REPLIES[new], RULES, NOW).status is higher


def test_the_ranks_of_the_statuses() -> None:
    """They are stored, so they never change."""
    assert [status.rank for status in Status] == [10, 15, 16, 20, 25, 30]


# The plan after a check from the queue


def test_the_checks_keep_to_the_schedule() -> None:
    """Attempt and time of each check; SQS delays it up to 900 s, the sweeper sends it beyond."""
    now, stored, vias = NOW, payment(work_at=NOW + 15 * MINUTE, last_error=error(HOUR)), []
    for attempt, delay in enumerate(DELAYS, 1):
        plan = after(stored, WAIT, now)
        assert plan.attempt == attempt
        assert plan.check_at == now + delay * SECOND
        assert plan.error is None  # ``lastError`` is about the last check
        vias.append(plan.via)
        now = plan.check_at
        stored = replace(stored, attempt=plan.attempt)
    assert vias == ["queue" if delay <= 900 else "sweeper" for delay in DELAYS]


@pytest.mark.parametrize(
    ("stored", "answer", "plan"),
    [
        pytest.param(payment(attempt=LAST), WAIT, CheckPlan(E, LAST + 1), id="the last answer"),
        pytest.param(payment(give_up_at=NOW), WAIT, CheckPlan(E, 1), id="a reply at giveUpAt"),
        pytest.param(
            *(payment(U, give_up_at=NOW, attention="x"), WAIT, CheckPlan(E, 1)),
            id="a late answer to a payment that was given up",
        ),
        pytest.param(
            *(payment(E, attempt=LAST + 1), WAIT, CheckPlan(E, LAST + 2)),
            id="a message to an expired payment that was delivered late",
        ),
        pytest.param(payment(attempt=3), reply(), CheckPlan(S, 4), id="a success"),
        pytest.param(payment(attempt=LAST), reply(), CheckPlan(S, LAST + 1), id="the last: paid"),
        pytest.param(
            payment(give_up_at=NOW - DAY), reply(), CheckPlan(S, 1), id="a success after giveUpAt"
        ),
    ],
)
def test_a_reply_without_a_next_check(stored: Payment, answer: Any, plan: CheckPlan) -> None:
    """EXPIRED is the normal end of an abandoned checkout, never FAILED by giving up (P5)."""
    made = after(stored, answer)
    assert made == plan
    assert (made.via, made.check_at, made.work_at) == (None, None, None)


@pytest.mark.parametrize("answer", TROUBLE)
@pytest.mark.parametrize(
    ("stored", "via", "wait"),
    [
        pytest.param(payment(attempt=7), "queue", 5 * SECOND, id="at first after five seconds"),
        pytest.param(payment(attempt=LAST), "queue", 5 * SECOND, id="also the last check"),
        pytest.param(payment(U), "queue", 5 * SECOND, id="unresolved"),
        pytest.param(payment(E), "queue", 5 * SECOND, id="expired"),
        pytest.param(payment(F), "queue", 5 * SECOND, id="failed: it counts as no late check"),
        pytest.param(payment(R), "queue", 5 * SECOND, id="in review"),
        pytest.param(
            *(payment(last_error=error(16 * HOUR)), "sweeper", 2 * HOUR),
            id="after two hours: an eighth of its age",
        ),
        pytest.param(
            *(payment(give_up_at=NOW + 3 * SECOND), "queue", 3 * SECOND),
            id="at giveUpAt at the latest",
        ),
        # Until an hour after giveUpAt, for its reply tells EXPIRED from UNRESOLVED.
        pytest.param(payment(give_up_at=NOW), "queue", 5 * SECOND, id="at giveUpAt"),
        pytest.param(
            *(payment(give_up_at=NOW, last_error=error(7 * DAY)), "sweeper", HOUR // 2),
            id="at giveUpAt, in trouble for days: half of the hour",
        ),
        pytest.param(
            *(payment(give_up_at=NOW - HOUR // 2, last_error=error(7 * DAY)), "sweeper"),
            *(HOUR // 2,),
            id="the other half",
        ),
        pytest.param(
            *(payment(give_up_at=NOW - HOUR + 1, last_error=error(7 * DAY)), "sweeper", 1),
            id="the last millisecond of the hour",
        ),
    ],
)
def test_it_is_repeated(answer: GatewayResult, stored: Payment, via: str, wait: int) -> None:
    """Only a reply changes the status or uses an attempt (P6, P7)."""
    plan = after(stored, answer, random_fraction=0)
    assert (plan.status, plan.attempt) == (stored.status, stored.attempt)
    assert (plan.via, plan.check_at) == (via, NOW + wait)


@pytest.mark.parametrize("answer", TROUBLE)
@pytest.mark.parametrize(("stored", "status"), [(P, U), (F, F), (R, R)])
def test_nobody_knows_an_hour_later(answer: GatewayResult, stored: Status, status: Status) -> None:
    """UNRESOLVED, never FAILED (P5); a late check without a reply only ends the checks."""
    plan = after(payment(stored, give_up_at=NOW - HOUR), answer)
    assert replace(plan, error=None) == CheckPlan(status, 0)


def test_a_check_after_a_reply_is_at_give_up_at_at_the_latest() -> None:
    """The last one is at ``giveUpAt`` itself."""
    plan = after(payment(attempt=20, give_up_at=NOW + 3 * SECOND), WAIT)
    assert plan.check_at == NOW + 3 * SECOND


@pytest.mark.parametrize(
    ("answer", "kind", "how", "http_status"),
    [
        (DOWN, "unavailable", "connection", None),
        (INVALID, "bad_reply", "not_a_reply", 418),
        (
            GatewayUnavailable("x", pay_id=PAY_ID, how="http", http_status=503),
            *("unavailable", "http", 503),
        ),
    ],
)
def test_what_the_error_tells(
    answer: GatewayResult, kind: Any, how: Any, http_status: int | None
) -> None:
    """Trouble of any kind goes on: a 503 after a time-out is the second try."""
    assert after(payment(), answer).error == CheckError(kind, NOW, 1, NOW, how, http_status)
    last = CheckError("bad_reply", NOW - HOUR, 4, NOW - DAY, "http", 500)
    second = after(payment(last_error=last), answer).error
    assert second == CheckError(kind, NOW, 5, NOW - DAY, how, http_status)


@pytest.mark.parametrize(
    ("retry_after", "via", "wait"),
    [(60, "queue", 60), (900, "queue", 900), (901, "sweeper", 901), (10**9, "sweeper", 86400)],
)
@pytest.mark.parametrize("kind", [GatewayUnavailable, InvalidReply])
def test_retry_after_is_obeyed_by_queue_or_sweeper(
    kind: type[GatewayUnavailable | InvalidReply], retry_after: float, via: str, wait: int
) -> None:
    """SQS up to 900 s, beyond that the sweeper at ``workAt``, for a day at most.

    Whatever it came with: a 404 in JSON may carry it too.
    """
    plan = after(payment(), kind("later", pay_id=PAY_ID, retry_after=retry_after))
    assert (plan.via, plan.check_at) == (via, NOW + wait * SECOND)
    assert via == "queue" or plan.work_at == plan.check_at


@pytest.mark.parametrize(
    ("stored", "answer", "days", "expires_at"),
    [
        pytest.param(payment(attempt=LAST), WAIT, 0, None, id="expired, kept for ever"),
        pytest.param(payment(attempt=LAST), WAIT, 30, 30, id="expired"),
        pytest.param(payment(F, history=()), FAIL, 30, None, id="failed: late checks follow"),
        pytest.param(payment(F), FAIL, 30, 30, id="failed"),
        pytest.param(payment(R, attention="x"), WRONG, 30, None, id="in review"),
        pytest.param(payment(R), WRONG, 30, 30, id="in review, and closed by an operator"),
        pytest.param(payment(give_up_at=NOW - HOUR), DOWN, 30, None, id="unresolved"),
    ],
)
def test_expiry(stored: Payment, answer: GatewayResult, days: int, expires_at: int | None) -> None:
    """Unless it waits for a person. Here the last change is two days ago."""
    old = tuple(replace(change, at=NOW - 2 * DAY) for change in stored.history)
    stored = replace(stored, history=old, registration=OF_TWO)
    plan = after(stored, answer, rules=replace(RULES, retention_days=days))
    expected = None if expires_at is None else NOW // 1000 + expires_at * 86_400
    assert plan.expires_at == expected


# Late checks


@pytest.mark.parametrize("n", [4, LAST + 1])
@pytest.mark.parametrize(("answer", "status"), [(FAIL, F), (WRONG, R)])
def test_failed_and_review_get_late_checks(answer: GatewayResult, status: Status, n: int) -> None:
    """An hour and a day after the change, by the sweeper, beyond the schedule; then no more."""
    stored = payment(attempt=n - 1, registration=OF_TWO)
    first = after(stored, answer)
    assert first == CheckPlan(status, n, None, "sweeper", NOW + HOUR, NOW + HOUR)
    change = StatusChange(NOW, P, status, "queue")
    stored = replace(stored, status=status, attempt=n, history=(change,))
    second = after(stored, answer, NOW + HOUR + MINUTE)
    assert second == CheckPlan(status, n + 1, None, "sweeper", NOW + DAY, NOW + DAY)
    third = after(replace(stored, attempt=n + 1), answer, NOW + DAY + MINUTE)
    assert third == CheckPlan(status, n + 2)


@pytest.mark.parametrize(
    ("stored", "since"),
    [
        pytest.param(payment(F), NOW + DAY, id="a failed payment that becomes a review"),
        pytest.param(payment(R, history=()), NOW + DAY, id="no history: from now"),
        pytest.param(
            *(
                payment(R, history=(CREATED, StatusChange(NOW + HOUR, R, R, "operator"))),
                NOW + HOUR,
            ),
            id="what an operator accepted counts as a change",
        ),
    ],
)
def test_late_checks_count_from_the_last_change(stored: Payment, since: int) -> None:
    """A day after the payment was created."""
    plan = after(replace(stored, registration=OF_TWO), WRONG, NOW + DAY)
    assert (plan.status, plan.via) == (R, "sweeper")
    assert plan.work_at == (since + HOUR if since == NOW + DAY else since + DAY)


@pytest.mark.parametrize(
    ("stored", "left", "moved"),
    [(P, DAY, True), (P, 2 * DAY, False), (P, 9 * DAY, False), (F, HOUR, False)],
)
def test_late_checks_move_give_up_at_away(stored: Status, left: int, *, moved: bool) -> None:
    """At least, for both and repetitions of the second; only the change of status moves it."""
    plan = after(payment(stored, give_up_at=NOW + left), FAIL)
    assert plan.give_up_at == (NOW + 2 * DAY if moved else None)


# Live checks


@pytest.mark.parametrize(
    ("stored", "answer", "plan"),
    [
        pytest.param(payment(attempt=4, work_at=NOW), WAIT, CheckPlan(P, 4), id="not yet paid"),
        pytest.param(payment(attempt=4, work_at=NOW), reply(), CheckPlan(S, 4), id="paid"),
        pytest.param(payment(F), FAIL, CheckPlan(F, 0), id="failed: no change"),
        *(
            pytest.param(
                payment(status, work_at=NOW + MINUTE),
                *(FAIL, CheckPlan(F, 0, None, "sweeper", NOW + HOUR, NOW + HOUR)),
                id=f"{status} becomes FAILED: late checks",
            )
            for status in (P, U, E)
        ),
    ],
)
def test_a_live_check_leaves_the_plan(stored: Payment, answer: Any, plan: CheckPlan) -> None:
    """They belong to the checks from the queue; only a change to FAILED or REVIEW plans some."""
    assert plan_after_live_check(stored, answer, RULES, NOW) == plan


# The watchdog


@pytest.mark.parametrize(
    ("remaining", "moved"),
    [(None, True), (-MINUTE, True), (2 * MINUTE - 1, True), (2 * MINUTE, False), (HOUR, False)],
)
def test_the_watchdog_moves_only_when_it_is_near(remaining: int | None, *, moved: bool) -> None:
    """To ``nextCheckAt`` + 15 min when less than 2 min would remain: index writes cost."""
    check_at = NOW + DELAYS[0] * SECOND
    work_at = None if remaining is None else check_at + remaining
    plan = after(payment(work_at=work_at), WAIT)
    assert plan.check_at == check_at
    assert plan.work_at == (check_at + 15 * MINUTE if moved else None)


@settings(max_examples=100)
@given(
    st.builds(
        payment,
        st.sampled_from([P, U, E, F, R]),
        attempt=st.integers(0, 30),
        give_up_at=st.integers(NOW - DAY, NOW + 10 * DAY),
        work_at=st.none() | st.integers(NOW - HOUR, NOW + HOUR),
        registration=st.just(OF_TWO),
    ),
    st.sampled_from([*REPLIES.values(), *TROUBLE]),
    st.floats(0, 1, exclude_max=True),
)
def test_pending_has_a_next_check(
    stored: Payment, answer: GatewayResult, random_fraction: float
) -> None:
    """Watched by the sweeper; a delay in the queue is one that SQS accepts (P5)."""
    plan = after(stored, answer, random_fraction=random_fraction)
    assert plan.status.rank >= stored.status.rank
    assert plan.attempt - stored.attempt in (0, 1)
    if plan.via is None:
        assert plan.status is not P
        return
    assert plan.check_at is not None
    assert NOW <= plan.check_at <= (plan.work_at or stored.work_at or 0)
    assert plan.via == "sweeper" or plan.check_at - NOW <= 900 * SECOND
