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
    higher_status,
    is_success,
    is_unknown_pay_rst,
    plan_after_live_check,
    plan_next_check,
    status_of_reply,
)
from payresult.domain.payment import CheckError, Payment, Registration, Status, StatusChange
from payresult.domain.registration import amount_matches
from payresult.domain.reply import Reply
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
DOWN = GatewayUnavailable("down", pay_id=PAY_ID)
INVALID = InvalidReply("no meaning", pay_id=PAY_ID, http_status=418)
MIDDLE = 0.5
"""The random fraction that leaves a delay unchanged."""


def after(
    stored: Payment,
    answer: GatewayResult,
    now: int = NOW,
    *,
    random_fraction: float = MIDDLE,
    rules: Rules = RULES,
) -> CheckPlan:
    """Return the plan after *answer* to a check from the queue."""
    return plan_next_check(stored, answer, rules, now, random_fraction)


# What is a success


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


@settings(max_examples=200)
@given(st.text(max_size=9) | st.text(alphabet="sucesSUCES\u017f\u0131\u0130", max_size=9))
def test_only_the_seven_letters_of_success_count(text: str) -> None:
    """No other text is a success."""
    letters = [{small, small.upper()} for small in "success"]
    spelt = len(text) == 7 and all(c in pair for c, pair in zip(text, letters, strict=True))
    assert is_success(text) == spelt


def test_no_character_beyond_ascii_lowers_to_one_of_its_letters() -> None:
    """If one ever does, it is still no success (P2)."""
    beyond = map(chr, range(0x80, 0x110000))
    assert [character for character in beyond if character.lower() in set("success")] == []


@pytest.mark.parametrize(
    ("pay_rst", "status", "unknown"),
    [
        ("success", S, False),
        ("fail", F, False),
        ("FAIL", P, True),
        ("failed", P, True),
        ("", P, True),
        ("pending", P, True),
    ],
)
def test_only_the_configured_values_are_a_failure(
    pay_rst: str, status: Status, *, unknown: bool
) -> None:
    """Any other value leaves the payment PENDING, and is counted."""
    assert status_of_reply(reply(pay_rst), payment(), RULES.failed_pay_rst_values) is status
    assert is_unknown_pay_rst(reply(pay_rst), RULES.failed_pay_rst_values) is unknown


def test_no_value_is_a_failure_and_no_zone_is_known_by_default() -> None:
    """The gateway's documents show no value but success, and name no time zone."""
    rules = Rules(Schedule(DELAYS), "prod")
    assert status_of_reply(reply("fail"), payment(), rules.failed_pay_rst_values) is P
    assert rules.zone is None


# Amounts


WRONG = [None, "19.98", "1,999", "0", "", "nineteen", "19.99\n", "١٩.٩٩", "19.990"]
"""Not 19.99."""


@pytest.mark.parametrize(
    ("expected", "currency", "paid", "right"),
    [
        *((None, None, paid, True) for paid in (None, "nonsense", "$19.99")),
        *(("19.99", None, paid, True) for paid in ("$19.99", "19.99")),
        *(("19.9", None, "USD 19.90", True), ("1234.5", None, "1,234.50", True)),
        *(("19.99", None, paid, False) for paid in WRONG),
        *(("19.99", "USD", paid, True) for paid in ("19.99", "$19.99", "USD 19.99")),
        *(("19.99", "USD", paid, False) for paid in ("EUR 19.99", "€19.99")),
        *(("100", "JPY", "¥100", True), ("100", "CNY", "¥100", True)),
        *(("100", "USD", "¥100", False), ("100", None, "EUR 100", True)),
    ],
)
def test_a_registered_amount_is_compared_to_the_cent(
    expected: str | None, currency: str | None, paid: str | None, *, right: bool
) -> None:
    """A different or unreadable amount, or another currency: REVIEW, never SUCCEEDED (P2)."""
    registered = Registration("A-17", expected, currency)
    assert amount_matches(paid, registered) is right
    answer = reply() if paid is None else reply(payAmount=paid)
    assert status_of_reply(answer, payment(registration=registered), ()) is (S if right else R)


def test_a_wrong_amount_does_not_make_a_failure_a_review() -> None:
    """Only a success is compared with the registered amount."""
    answer = reply("fail", payAmount="1")
    registered = payment(registration=Registration(expected_amount="2"))
    assert status_of_reply(answer, registered, {"fail"}) is F


# The status graph

REPLIES = {P: reply("whatever"), F: reply("fail"), R: reply(payAmount="1"), S: reply(payAmount="2")}
OPEN = [P, U, E, F, R]


def test_the_ranks_of_the_statuses() -> None:
    """They are stored, so they never change."""
    assert [status.rank for status in Status] == [10, 15, 16, 20, 25, 30]


@pytest.mark.parametrize(("stored", "new"), list(product(Status, Status)))
def test_a_reply_only_raises_the_rank(stored: Status, new: Status) -> None:
    """For each pair of statuses."""
    assert higher_status(stored, new).rank == max(stored.rank, new.rank)


@pytest.mark.parametrize(("stored", "new"), list(product(OPEN, REPLIES)))
def test_each_reply_in_each_status(stored: Status, new: Status) -> None:
    """The higher status wins, for queued and live checks."""
    now = payment(stored, registration=Registration(expected_amount="2"))
    higher = stored if stored.rank > new.rank else new
    assert after(now, REPLIES[new]).status is higher
    assert plan_after_live_check(now, REPLIES[new], RULES, NOW).status is higher


@pytest.mark.parametrize(("stored", "answer"), list(product(OPEN, [DOWN, INVALID])))
def test_no_answer_and_an_invalid_reply_change_no_status(
    stored: Status, answer: GatewayResult
) -> None:
    """A failure is not an answer (P7)."""
    assert after(payment(stored), answer).status is stored


# Checks from the queue


def test_the_checks_keep_to_the_schedule() -> None:
    """Attempt and time of each check; SQS delays it up to 900 s, the sweeper sends it beyond."""
    now, stored, vias = NOW, payment(work_at=NOW + 15 * MINUTE), []
    for delay in DELAYS:
        plan = after(stored, reply("wait"), now)
        assert plan.check_at == now + delay * SECOND
        vias.append(plan.via)
        now = plan.check_at
        stored = replace(stored, attempt=plan.attempt)
    assert vias == ["queue" if delay <= 900 else "sweeper" for delay in DELAYS]
    assert stored.attempt == len(DELAYS)


LAST = len(DELAYS)
"""The attempts before the last answer."""


def test_a_last_answer_without_a_success_expires_the_payment() -> None:
    """The normal end of an abandoned checkout: EXPIRED, and no check is planned (P5)."""
    assert after(payment(attempt=LAST), reply("wait")) == CheckPlan(E, LAST + 1)


@pytest.mark.parametrize("answer", [DOWN, INVALID])
def test_a_last_check_without_a_reply_is_repeated(answer: GatewayResult) -> None:
    """Only a reply tells that the payment has not been made."""
    plan = after(payment(attempt=LAST), answer, random_fraction=0)
    assert (plan.status, plan.attempt, plan.check_at) == (P, LAST, NOW + 5 * SECOND)


def test_the_answer_before_the_last_is_followed_by_one_more_check() -> None:
    """After the last delay."""
    plan = after(payment(attempt=LAST - 1), reply("wait"))
    assert (plan.status, plan.via, plan.check_at) == (P, "sweeper", NOW + DELAYS[-1] * SECOND)


def test_a_late_answer_expires_a_payment_that_was_given_up() -> None:
    """The sweeper gave up while it was under way: now it is known, and nobody need look."""
    plan = after(payment(U, give_up_at=NOW, attention="x"), reply("wait"))
    assert (plan.status, plan.via) == (E, None)


def test_a_stray_check_of_an_expired_payment_plans_nothing() -> None:
    """A message that was delivered late: only FAILED and REVIEW have late checks."""
    assert after(payment(E, attempt=LAST + 1), reply("wait")).via is None


@pytest.mark.parametrize(("days", "expires_at"), [(0, None), (30, NOW // 1000 + 30 * 86_400)])
def test_an_expired_payment_may_be_deleted_after_the_retention(
    days: int, expires_at: int | None
) -> None:
    """Without the parameter it stays."""
    rules = replace(RULES, retention_days=days)
    assert after(payment(attempt=LAST), reply("wait"), rules=rules).expires_at == expires_at


@pytest.mark.parametrize(
    ("stored", "answer", "deleted"),
    [
        (payment(P, give_up_at=NOW - HOUR), DOWN, False),
        (payment(R, attention="x", history=()), reply(payAmount="1"), False),
        (payment(R, attention=None, history=()), reply(payAmount="1"), True),
        (payment(F, history=()), reply("fail"), True),
    ],
)
def test_nothing_is_deleted_that_waits_for_a_person(
    stored: Payment, answer: GatewayResult, *, deleted: bool
) -> None:
    """UNRESOLVED and REVIEW, until somebody has closed the case."""
    old = (StatusChange(NOW - 2 * DAY, None, stored.status, "queue"),)
    stored = replace(stored, history=old, registration=Registration(expected_amount="2"))
    plan = after(stored, answer, rules=replace(RULES, retention_days=30))
    assert (plan.via, plan.expires_at is not None) == (None, deleted)


@pytest.mark.parametrize("attempt", [3, LAST])
def test_no_check_is_planned_after_a_success(attempt: int) -> None:
    """Whatever the attempt: SUCCEEDED, not EXPIRED."""
    assert after(payment(attempt=attempt), reply()) == CheckPlan(S, attempt + 1)


def test_a_reply_ends_the_error() -> None:
    """``lastError`` is about the last check."""
    error = CheckError("unavailable", NOW, 3, NOW)
    assert after(payment(last_error=error), reply("wait")).error is None


# Outages


@pytest.mark.parametrize("answer", [DOWN, INVALID])
def test_trouble_uses_no_attempt(answer: GatewayResult) -> None:
    """The next check comes after 5 s, doubled after each one without a reply in a row (P6, P7)."""
    stored, waits = payment(attempt=7), []
    for _ in range(10):
        plan = after(stored, answer, random_fraction=0)
        assert (plan.status, plan.attempt, plan.via) == (P, 7, "queue")
        assert plan.check_at is not None
        waits.append((plan.check_at - NOW) // SECOND)
        stored = replace(stored, last_error=plan.error)
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


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
def test_the_error_tells_how_often_since_when_and_how(
    answer: GatewayResult, kind: Any, how: Any, http_status: int | None
) -> None:
    """Trouble of any kind goes on: a 503 after a time-out is the second try."""
    first = after(payment(), answer).error
    assert first == CheckError(kind, NOW, 1, NOW, how, http_status)
    before = CheckError("unavailable", NOW - HOUR, 4, NOW - DAY, "timeout")
    second = after(payment(last_error=before), answer).error
    assert second == CheckError(kind, NOW, 5, NOW - DAY, how, http_status)


def test_after_two_hours_the_distance_grows_with_the_age_of_the_trouble() -> None:
    """An eighth of it."""
    error = CheckError("unavailable", NOW - HOUR, 40, NOW - 16 * HOUR)
    plan = after(payment(last_error=error), DOWN, random_fraction=0)
    assert (plan.via, plan.check_at) == ("sweeper", NOW + 2 * HOUR)


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


@settings(max_examples=100)
@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=20, max_size=20))
def test_a_two_hour_outage_takes_at_most_15_checks(fractions: list[float]) -> None:
    """Whatever the jitter, and the payment stays as it was (P6, P7)."""
    now, stored, checks = NOW, payment(attempt=2, work_at=NOW + 15 * MINUTE), 0
    while now <= NOW + 2 * HOUR:
        plan = after(stored, DOWN, now, random_fraction=fractions[checks])
        checks += 1
        assert (plan.status, plan.attempt) == (P, 2)
        assert plan.check_at is not None
        stored = replace(stored, last_error=plan.error, work_at=plan.work_at or stored.work_at)
        now = plan.check_at
    assert checks <= 15


# Giving up


def test_an_answer_at_give_up_at_expires_the_payment() -> None:
    """Never FAILED by giving up (P5)."""
    plan = after(payment(give_up_at=NOW), reply("wait"))
    assert (plan.status, plan.via, plan.check_at, plan.work_at) == (E, None, None, None)


@pytest.mark.parametrize("answer", [DOWN, INVALID])
@pytest.mark.parametrize(
    ("since", "passed", "wait"),
    [
        (NOW, 0, 5 * SECOND),  # a hiccup
        (NOW - 7 * DAY, 0, HOUR // 2),  # trouble for days: half the grace, not six hours
        (NOW - 7 * DAY, HOUR // 2, HOUR // 2),
        (NOW - 7 * DAY, HOUR - 1, 1),
    ],
)
def test_the_check_at_give_up_at_is_repeated_for_an_hour(
    answer: GatewayResult, since: int, passed: int, wait: int
) -> None:
    """Its reply tells EXPIRED from UNRESOLVED."""
    error = None if since == NOW else CheckError("unavailable", NOW, 60, since)
    stored = payment(give_up_at=NOW - passed, last_error=error)
    plan = after(stored, answer, random_fraction=0)
    assert (plan.status, plan.check_at) == (P, NOW + wait)


@pytest.mark.parametrize("answer", [DOWN, INVALID])
def test_an_hour_after_give_up_at_nobody_knows(answer: GatewayResult) -> None:
    """UNRESOLVED, never FAILED by giving up (P5)."""
    plan = after(payment(give_up_at=NOW - HOUR), answer)
    assert (plan.status, plan.via, plan.check_at, plan.work_at) == (U, None, None, None)


@pytest.mark.parametrize(("answer", "status"), [(reply(), S), (reply("fail"), F)])
def test_a_reply_counts_also_after_give_up_at(answer: GatewayResult, status: Status) -> None:
    """SUCCEEDED and FAILED go before the end."""
    assert after(payment(give_up_at=NOW - DAY), answer).status is status


@pytest.mark.parametrize("stored", [F, R])
def test_failed_and_review_are_never_given_up(stored: Status) -> None:
    """An outage at their late check ends the checks, not the status."""
    plan = after(payment(stored, give_up_at=NOW - HOUR), DOWN)
    assert (plan.status, plan.via) == (stored, None)


@pytest.mark.parametrize("answer", [reply("wait"), DOWN, INVALID])
def test_no_check_is_planned_after_give_up_at(answer: GatewayResult) -> None:
    """The last one is at ``giveUpAt`` itself."""
    plan = after(payment(attempt=20, give_up_at=NOW + 3 * SECOND), answer)
    assert plan.check_at == NOW + 3 * SECOND


# Late checks


@pytest.mark.parametrize("n", [4, LAST + 1])
@pytest.mark.parametrize(("answer", "status"), [(reply("fail"), F), (reply(payAmount="1"), R)])
def test_failed_and_review_get_two_late_checks(
    answer: GatewayResult, status: Status, n: int
) -> None:
    """An hour and a day after the change, by the sweeper, beyond the schedule; then no more."""
    stored = payment(attempt=n - 1, registration=Registration(expected_amount="2"))
    first = after(stored, answer)
    assert first == CheckPlan(status, n, None, "sweeper", NOW + HOUR, NOW + HOUR)
    change = StatusChange(NOW, P, status, "queue")
    stored = replace(stored, status=status, attempt=n, history=(change,))
    second = after(stored, answer, NOW + HOUR + MINUTE)
    assert second == CheckPlan(status, n + 1, None, "sweeper", NOW + DAY, NOW + DAY)
    third = after(replace(stored, attempt=n + 1), answer, NOW + DAY + MINUTE)
    assert third == CheckPlan(status, n + 2)


def test_late_checks_count_from_the_last_change() -> None:
    """A FAILED payment that becomes REVIEW gets two more."""
    stored = payment(F, registration=Registration(expected_amount="2"))
    plan = after(stored, reply(payAmount="1"), NOW + DAY)
    assert (plan.status, plan.work_at) == (R, NOW + DAY + HOUR)


def test_late_checks_without_a_history_count_from_now() -> None:
    """Somebody removed the history; the payment is still followed."""
    plan = after(payment(F, attempt=4, history=()), reply("fail"))
    assert (plan.via, plan.work_at) == ("sweeper", NOW + HOUR)


@pytest.mark.parametrize(("left", "moved"), [(DAY, True), (2 * DAY, False), (9 * DAY, False)])
def test_late_checks_move_give_up_at_to_48_hours_away(left: int, *, moved: bool) -> None:
    """At least: both fit in, and repetitions of the second one."""
    plan = after(payment(give_up_at=NOW + left), reply("fail"))
    assert plan.give_up_at == (NOW + 2 * DAY if moved else None)


def test_a_later_late_check_leaves_give_up_at() -> None:
    """Only the change of status moves it."""
    stored = payment(F, give_up_at=NOW + 2 * DAY)
    assert after(stored, reply("fail"), NOW + HOUR + MINUTE).give_up_at is None


def test_what_an_operator_accepted_counts_as_a_change() -> None:
    """The late checks begin anew."""
    history = (
        StatusChange(NOW - 9 * DAY, P, R, "queue"),
        StatusChange(NOW - MINUTE, R, R, "operator"),
    )
    stored = payment(R, history=history, registration=Registration(expected_amount="2"))
    plan = after(stored, reply(payAmount="1"))
    assert (plan.status, plan.work_at) == (R, NOW - MINUTE + HOUR)


def test_an_unanswered_late_check_is_repeated_soon() -> None:
    """It does not count as a late check."""
    stored = payment(F, attempt=4, history=(StatusChange(NOW, P, F, "queue"),))
    for answer in (DOWN, INVALID):
        plan = after(stored, answer, NOW + HOUR, random_fraction=0)
    assert (plan.via, plan.check_at) == ("queue", NOW + HOUR + 5 * SECOND)


# Live checks


@pytest.mark.parametrize("answer", [reply("wait"), reply()])
def test_a_live_check_leaves_attempt_and_planned_check(answer: Reply) -> None:
    """They belong to the checks from the queue."""
    followed = payment(attempt=4, work_at=NOW + MINUTE)
    plan = plan_after_live_check(followed, answer, RULES, NOW)
    assert (plan.attempt, plan.via, plan.check_at, plan.work_at) == (4, None, None, None)


@pytest.mark.parametrize("stored", [payment(work_at=NOW + MINUTE), payment(U), payment(E)])
def test_a_live_check_that_finds_a_failure_plans_late_checks(stored: Payment) -> None:
    """FAILED and REVIEW get two, however they came about."""
    plan = plan_after_live_check(stored, reply("fail"), RULES, NOW)
    assert (plan.status, plan.via, plan.work_at) == (F, "sweeper", NOW + HOUR)


def test_a_live_check_without_a_change_plans_nothing() -> None:
    """A FAILED payment that is still FAILED has had its late checks."""
    assert plan_after_live_check(payment(F), reply("fail"), RULES, NOW) == CheckPlan(F, 0)


# The watchdog


@pytest.mark.parametrize(
    ("remaining", "moved"),
    [(None, True), (-MINUTE, True), (2 * MINUTE - 1, True), (2 * MINUTE, False), (HOUR, False)],
)
def test_the_watchdog_moves_only_when_it_is_near(remaining: int | None, *, moved: bool) -> None:
    """To ``nextCheckAt`` + 15 min when less than 2 min would remain: index writes cost."""
    check_at = NOW + DELAYS[0] * SECOND
    work_at = None if remaining is None else check_at + remaining
    plan = after(payment(work_at=work_at), reply("wait"))
    assert plan.check_at == check_at
    assert plan.work_at == (check_at + 15 * MINUTE if moved else None)


@settings(max_examples=100)
@given(
    st.sampled_from(OPEN),
    st.integers(0, 30),
    st.integers(-DAY, 10 * DAY),
    st.none() | st.integers(-HOUR, HOUR),
    st.sampled_from([*REPLIES.values(), DOWN, INVALID]),
    st.floats(0, 1, exclude_max=True),
)
def test_a_pending_payment_always_has_a_next_check(
    status: Status,
    attempt: int,
    left: int,
    work: int | None,
    answer: GatewayResult,
    random_fraction: float,
) -> None:
    """Watched by the sweeper; a delay in the queue is one that SQS accepts (P5)."""
    stored = payment(
        status,
        attempt=attempt,
        give_up_at=NOW + left,
        work_at=None if work is None else NOW + work,
        registration=Registration(expected_amount="2"),
    )
    plan = after(stored, answer, random_fraction=random_fraction)
    assert plan.status.rank >= status.rank
    assert plan.attempt - attempt in (0, 1)
    if plan.via is None:
        assert plan.status is not P
    else:
        assert plan.check_at is not None
        assert plan.check_at >= NOW
        watched = plan.work_at or stored.work_at
        assert watched is not None
        assert watched >= plan.check_at
    if plan.via == "queue":
        assert plan.check_at is not None
        assert plan.check_at - NOW <= 900 * SECOND
