"""What a reply means, and what follows it."""

from dataclasses import replace
from itertools import product

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

P, U, F, R, S = Status
DOWN = GatewayUnavailable("down", pay_id=PAY_ID)
NONSENSE = InvalidReply("nonsense", pay_id=PAY_ID, http_status=418)
MIDDLE = 0.5
"""The chance that leaves a delay as it is."""


def after(
    stored: Payment,
    answer: GatewayResult,
    now: int = NOW,
    *,
    random_fraction: float = MIDDLE,
    rules: Rules = RULES,
) -> CheckPlan:
    """Return what follows *answer* to a check of the chain."""
    return plan_next_check(stored, answer, rules, now, random_fraction)


# What is a success


@pytest.mark.parametrize("text", ["success", "SUCCESS", "Success", "sUcCeSs"])
def test_success_is_success_in_any_case(text: str) -> None:
    """The documents show two cases of it."""
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
    """Nothing is stripped and nothing beyond ASCII counts: a long s is no s (P2)."""
    assert not is_success(text)
    assert status_of_reply(reply(text), Registration(), ()) is not S


@settings(max_examples=200)
@given(st.text(max_size=9) | st.text(alphabet="sucesSUCES\u017f\u0131\u0130", max_size=9))
def test_a_success_has_these_seven_letters(text: str) -> None:
    """No other text passes."""
    letters = [{small, small.upper()} for small in "success"]
    spelt = len(text) == 7 and all(c in pair for c, pair in zip(text, letters, strict=True))
    assert is_success(text) == spelt


def test_no_character_beyond_ascii_becomes_one_of_its_letters() -> None:
    """In lower case; if one ever does, it is still no success (P2)."""
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
def test_only_what_the_deployment_lists_is_a_failure(
    pay_rst: str, status: Status, *, unknown: bool
) -> None:
    """Any other value leaves the payment PENDING, and is counted."""
    assert status_of_reply(reply(pay_rst), Registration(), RULES.failed_pay_rst_values) is status
    assert is_unknown_pay_rst(reply(pay_rst), RULES.failed_pay_rst_values) is unknown


def test_no_value_is_a_failure_by_default() -> None:
    """The documents show no value but success."""
    assert (
        status_of_reply(
            reply("fail"), Registration(), Rules(Schedule(DELAYS), "prod").failed_pay_rst_values
        )
        is P
    )


# Amounts


@pytest.mark.parametrize(
    ("registered", "paid", "right"),
    [
        (Registration(), None, True),
        (Registration(), "nonsense", True),
        (Registration(), "$19.99", True),
        (Registration("A-17"), None, True),
        (Registration(expected_amount="19.99"), "$19.99", True),
        (Registration(expected_amount="19.99"), "19.99", True),
        (Registration(expected_amount="19.9"), "USD 19.90", True),
        (Registration(expected_amount="1234.5"), "1,234.50", True),
        (Registration(expected_amount="19.99"), "19.98", False),
        (Registration(expected_amount="19.99"), "1,999", False),
        (Registration(expected_amount="19.99"), "0", False),
        (Registration(expected_amount="19.99"), None, False),
        (Registration(expected_amount="19.99"), "", False),
        (Registration(expected_amount="19.99"), "nineteen", False),
        (Registration(expected_amount="19.99"), "19.99\n", False),
        (Registration(expected_amount="19.99"), "١٩.٩٩", False),
        (Registration(expected_amount="19.99"), "19.990", False),
        (Registration(expected_amount="19.99", currency="USD"), "19.99", True),
        (Registration(expected_amount="19.99", currency="USD"), "$19.99", True),
        (Registration(expected_amount="19.99", currency="USD"), "USD 19.99", True),
        (Registration(expected_amount="19.99", currency="USD"), "EUR 19.99", False),
        (Registration(expected_amount="19.99", currency="USD"), "€19.99", False),
        (Registration(expected_amount="100", currency="JPY"), "¥100", True),
        (Registration(expected_amount="100", currency="CNY"), "¥100", True),
        (Registration(expected_amount="100", currency="USD"), "¥100", False),
        (Registration(expected_amount="100"), "EUR 100", True),
    ],
)
def test_a_registered_amount_is_compared_to_the_cent(
    registered: Registration, paid: str | None, *, right: bool
) -> None:
    """Registered but different, unreadable or in another currency: REVIEW, never SUCCEEDED."""
    assert amount_matches(paid, registered) is right
    said = reply() if paid is None else reply(payAmount=paid)
    assert status_of_reply(said, registered, ()) is (S if right else R)


def test_a_wrong_amount_does_not_make_a_failure_a_review() -> None:
    """Only a success is looked at that closely."""
    said = reply("fail", payAmount="1")
    assert status_of_reply(said, Registration(expected_amount="2"), {"fail"}) is F


# The status graph

SAYS = {
    P: reply("whatever"),
    F: reply("fail"),
    R: reply(payAmount="1"),
    S: reply(payAmount="2"),
}
OPEN = [P, U, F, R]


def test_ranks_are_those_of_the_design() -> None:
    """They are in the table, so they never change."""
    assert [status.rank for status in Status] == [10, 15, 20, 25, 30]


@pytest.mark.parametrize(("stored", "said"), list(product(Status, Status)))
def test_a_reply_only_raises_the_rank(stored: Status, said: Status) -> None:
    """For each pair of statuses."""
    assert higher_status(stored, said).rank == max(stored.rank, said.rank)


@pytest.mark.parametrize(("stored", "said"), list(product(OPEN, SAYS)))
def test_each_answer_in_each_status(stored: Status, said: Status) -> None:
    """By the chain and by a live check: the higher of the two, and nothing else."""
    now = payment(stored, registration=Registration(expected_amount="2"))
    higher = stored if stored.rank > said.rank else said
    assert after(now, SAYS[said]).status is higher
    assert plan_after_live_check(now, SAYS[said], RULES, NOW).status is higher


@pytest.mark.parametrize(("stored", "answer"), list(product(OPEN, [DOWN, NONSENSE])))
def test_silence_and_nonsense_change_no_status(stored: Status, answer: GatewayResult) -> None:
    """A failure is not an answer (P7)."""
    assert after(payment(stored), answer).status is stored


# The chain


def test_the_chain_keeps_to_the_schedule() -> None:
    """Answer by answer: attempt, time, and who leads: SQS up to 900 s, then the sweeper."""
    now, stored, leads = NOW, payment(work_at=NOW + 15 * MINUTE), []
    for delay in DELAYS:
        then = after(stored, reply("wait"), now)
        assert then.check_at == now + delay * SECOND
        leads.append(then.via)
        now = then.check_at
        stored = replace(stored, attempt=then.attempt)
    assert leads == ["queue"] * 12 + ["sweeper"] * 14
    assert stored.attempt == 26


@pytest.mark.parametrize("answer", [reply("wait"), NONSENSE])
def test_the_27th_answer_is_the_last(answer: GatewayResult) -> None:
    """Unsettled then: UNRESOLVED, in that write, and nobody asks again."""
    then = after(payment(attempt=26), answer)
    assert (then.status, then.attempt) == (U, 27)
    assert (then.via, then.check_at, then.work_at) == (None, None, None)


def test_the_27th_answer_still_settles() -> None:
    """A payment that is paid at last is paid."""
    assert after(payment(attempt=26), reply()) == CheckPlan(S, 27)


def test_the_26th_answer_is_not_the_last() -> None:
    """A day later there is one more."""
    then = after(payment(attempt=25), reply("wait"))
    assert (then.status, then.via, then.check_at) == (P, "sweeper", NOW + DAY)


def test_an_unresolved_payment_that_is_followed_anew_stays_unresolved() -> None:
    """Its status says that it was given up once."""
    then = after(payment(U, attempt=0), reply("wait"))
    assert (then.status, then.via, then.check_at) == (U, "queue", NOW + 5 * SECOND)


def test_a_success_leaves_nothing_to_follow() -> None:
    """From any attempt."""
    assert after(payment(attempt=3), reply()) == CheckPlan(S, 4)


def test_an_answer_ends_the_trouble() -> None:
    """``lastError`` is about the last check."""
    error = CheckError("unavailable", NOW, 3)
    assert after(payment(last_error=error), reply("wait")).error is None


def test_nonsense_uses_an_attempt_and_is_kept() -> None:
    """An answer without a meaning is an answer: the schedule goes on."""
    then = after(payment(attempt=1), NONSENSE)
    assert (then.attempt, then.check_at) == (2, NOW + 10 * SECOND)
    assert then.error == CheckError("bad_reply", NOW, 1, 418)


# Outages


def test_an_unavailable_gateway_uses_no_attempt() -> None:
    """The next try comes after 5 s, doubling with each in a row."""
    stored, waits = payment(attempt=7), []
    for _ in range(10):
        then = after(stored, DOWN, random_fraction=0)
        assert (then.status, then.attempt, then.via) == (P, 7, "queue")
        assert then.check_at is not None
        waits.append((then.check_at - NOW) // SECOND)
        stored = replace(stored, last_error=then.error)
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert stored.last_error == CheckError("unavailable", NOW, 10)


def test_nonsense_in_between_starts_the_doubling_anew() -> None:
    """Only tries in a row count."""
    then = after(payment(last_error=CheckError("bad_reply", NOW, 9)), DOWN, random_fraction=0)
    assert then.error == CheckError("unavailable", NOW, 1)
    assert then.check_at == NOW + 5 * SECOND


@pytest.mark.parametrize(
    ("asked", "lead", "wait"),
    [(60, "queue", 60), (900, "queue", 900), (901, "sweeper", 901), (10**9, "sweeper", 86400)],
)
def test_retry_after_is_led_by_whom_it_suits(asked: float, lead: str, wait: int) -> None:
    """SQS up to 900 s, above that the sweeper, by ``workAt``, for a day at most."""
    then = after(payment(), GatewayUnavailable("later", pay_id=PAY_ID, retry_after=asked))
    assert (then.via, then.check_at) == (lead, NOW + wait * SECOND)
    assert lead == "queue" or then.work_at == then.check_at


@settings(max_examples=100)
@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=20, max_size=20))
def test_an_outage_of_two_hours_sees_15_tries_at_most(chances: list[float]) -> None:
    """With every chance, and the payment is as it was (P6, P7)."""
    now, stored, tries = NOW, payment(attempt=2, work_at=NOW + 15 * MINUTE), 0
    while now <= NOW + 2 * HOUR:
        then = after(stored, DOWN, now, random_fraction=chances[tries])
        tries += 1
        assert (then.status, then.attempt) == (P, 2)
        assert then.check_at is not None
        stored = replace(stored, last_error=then.error, work_at=then.work_at or stored.work_at)
        now = then.check_at
    assert tries <= 15


# The end of the time


@pytest.mark.parametrize("answer", [reply("wait"), DOWN, NONSENSE])
def test_when_the_time_is_over_a_payment_is_unresolved(answer: GatewayResult) -> None:
    """At ``giveUpAt``, whatever the answer; never FAILED by giving up (P5)."""
    then = after(payment(give_up_at=NOW), answer)
    assert (then.status, then.via, then.check_at, then.work_at) == (U, None, None, None)


@pytest.mark.parametrize(("answer", "status"), [(reply(), S), (reply("fail"), F)])
def test_an_answer_counts_also_when_the_time_is_over(answer: GatewayResult, status: Status) -> None:
    """A true answer is worth more than the clock."""
    assert after(payment(give_up_at=NOW - DAY), answer).status is status


@pytest.mark.parametrize("stored", [F, R])
def test_failed_and_review_are_never_given_up(stored: Status) -> None:
    """An outage at their late check ends the following, not the status."""
    then = after(payment(stored, give_up_at=NOW), DOWN)
    assert (then.status, then.via) == (stored, None)


@pytest.mark.parametrize("answer", [reply("wait"), DOWN])
def test_no_check_is_planned_beyond_the_end(answer: GatewayResult) -> None:
    """The last one is at ``giveUpAt`` itself."""
    then = after(payment(attempt=20, give_up_at=NOW + 3 * SECOND), answer)
    assert then.check_at == NOW + 3 * SECOND


# Late checks


@pytest.mark.parametrize(("answer", "status"), [(reply("fail"), F), (reply(payAmount="1"), R)])
def test_failed_and_review_are_looked_at_twice_more(answer: GatewayResult, status: Status) -> None:
    """An hour and a day after the change, by the sweeper; then no more."""
    stored = payment(attempt=3, registration=Registration(expected_amount="2"))
    first = after(stored, answer)
    assert first == CheckPlan(status, 4, None, "sweeper", NOW + HOUR, NOW + HOUR)
    stored = replace(
        stored, status=status, attempt=4, history=(StatusChange(NOW, P, status, "queue"),)
    )
    second = after(stored, answer, NOW + HOUR + MINUTE)
    assert second == CheckPlan(status, 5, None, "sweeper", NOW + DAY, NOW + DAY)
    assert after(replace(stored, attempt=5), answer, NOW + DAY + MINUTE) == CheckPlan(status, 6)


def test_late_checks_count_from_the_last_change() -> None:
    """A FAILED payment that turns out to be a REVIEW gets its own two."""
    stored = payment(F, registration=Registration(expected_amount="2"))
    then = after(stored, reply(payAmount="1"), NOW + DAY)
    assert (then.status, then.work_at) == (R, NOW + DAY + HOUR)


def test_late_checks_without_a_history_count_from_now() -> None:
    """A hand took it away; the payment is still followed."""
    then = after(payment(F, attempt=4, history=()), reply("fail"))
    assert (then.via, then.work_at) == ("sweeper", NOW + HOUR)


@pytest.mark.parametrize(("attempt", "lead"), [(25, "sweeper"), (26, None)])
def test_late_checks_are_within_the_27(attempt: int, lead: str | None) -> None:
    """The 27th answer is the last, whatever it says (P6)."""
    assert after(payment(attempt=attempt), reply("fail")).via == lead


def test_nonsense_at_a_late_check_leaves_the_other_one() -> None:
    """It is an answer: the first late check is done. They count from the end of the history."""
    changes = (StatusChange(NOW - DAY, None, P, "queue"), StatusChange(NOW, P, F, "queue"))
    stored = payment(F, attempt=4, history=changes)
    then = after(stored, NONSENSE, NOW + HOUR)
    assert (then.status, then.via, then.work_at) == (F, "sweeper", NOW + DAY)


def test_nonsense_at_the_last_late_check_is_followed_by_the_schedule() -> None:
    """The last word of a late check must have a meaning."""
    stored = payment(F, attempt=20, history=(StatusChange(NOW, P, F, "queue"),))
    then = after(stored, NONSENSE, NOW + DAY)
    assert (then.status, then.attempt, then.via) == (F, 21, "sweeper")
    assert then.work_at == NOW + 2 * DAY


def test_an_outage_at_a_late_check_is_tried_again_soon() -> None:
    """No answer is no late check."""
    stored = payment(F, attempt=4, history=(StatusChange(NOW, P, F, "queue"),))
    then = after(stored, DOWN, NOW + HOUR, random_fraction=0)
    assert (then.via, then.check_at) == ("queue", NOW + HOUR + 5 * SECOND)


# Live checks


def test_a_live_check_leaves_the_chain_as_it_is() -> None:
    """Its attempt and its plan are the chain's own."""
    followed = payment(attempt=4, work_at=NOW + MINUTE)
    for answer in (reply("wait"), reply("fail"), reply()):
        then = plan_after_live_check(followed, answer, RULES, NOW)
        assert (then.attempt, then.via, then.check_at, then.work_at) == (4, None, None, None)


def test_a_live_check_starts_late_checks_where_nobody_follows() -> None:
    """An UNRESOLVED payment that turns out FAILED is looked at twice more."""
    then = plan_after_live_check(payment(U, attempt=20), reply("fail"), RULES, NOW)
    assert (then.status, then.via, then.work_at) == (F, "sweeper", NOW + HOUR)


def test_a_live_check_that_changes_nothing_starts_nothing() -> None:
    """A FAILED payment that is still FAILED has had its late checks."""
    assert plan_after_live_check(payment(F), reply("fail"), RULES, NOW) == CheckPlan(F, 0)


# The watchdog


@pytest.mark.parametrize(
    ("remaining", "moved"),
    [(None, True), (-MINUTE, True), (2 * MINUTE - 1, True), (2 * MINUTE, False), (HOUR, False)],
)
def test_the_watchdog_moves_only_when_it_is_near(remaining: int | None, *, moved: bool) -> None:
    """To ``nextCheckAt`` + 15 min when less than 2 min would remain: index writes are dear."""
    check_at = NOW + 5 * SECOND
    work_at = None if remaining is None else check_at + remaining
    then = after(payment(work_at=work_at), reply("wait"))
    assert then.check_at == check_at
    assert then.work_at == (check_at + 15 * MINUTE if moved else None)


@settings(max_examples=100)
@given(
    st.sampled_from(OPEN),
    st.integers(0, 30),
    st.integers(-DAY, 10 * DAY),
    st.none() | st.integers(-HOUR, HOUR),
    st.sampled_from([*SAYS.values(), DOWN, NONSENSE]),
    st.floats(0, 1, exclude_max=True),
)
def test_whatever_happens_a_payment_settles_or_is_looked_at_again(
    status: Status,
    attempt: int,
    left: int,
    work: int | None,
    answer: GatewayResult,
    random_fraction: float,
) -> None:
    """Open ones have a next check in the table, and SQS can hold back what it leads (P5)."""
    stored = payment(
        status,
        attempt=attempt,
        give_up_at=NOW + left,
        work_at=None if work is None else NOW + work,
        registration=Registration(expected_amount="2"),
    )
    then = after(stored, answer, random_fraction=random_fraction)
    assert then.status.rank >= status.rank
    assert then.attempt - attempt in (0, 1)
    if then.via is None:
        assert then.status is not P
    else:
        assert then.check_at is not None
        assert then.check_at >= NOW
        watched = then.work_at or stored.work_at
        assert watched is not None
        assert watched >= then.check_at
    if then.via == "queue":
        assert then.check_at is not None
        assert then.check_at - NOW <= 900 * SECOND
