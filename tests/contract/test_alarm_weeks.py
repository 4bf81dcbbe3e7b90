"""Contract of template.yaml, alarms (P5, P7): silent in a normal week, and heard in a bad one.

The real handlers run on the virtual clock, and the alarms are evaluated each minute on the metrics
that they write. What only AWS measures (throttling, dropped loops) is given as data points.
"""

from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from tests.contract.alarms import ALARMS, Points, Recorder, rings
from tests.support.fake_aws import Call
from tests.support.fake_gateway import (
    DAY,
    HOUR,
    HTML_PAGE,
    MINUTE,
    SECOND,
    UNAVAILABLE,
    GatewayResponse,
    json_response,
)
from tests.support.memory_table import client_error
from tests.support.simulation import START, Simulation

WRAPPED = GatewayResponse(200, b'{"data": {"payRst": "success"}, "status": {"code": "CB-00-0000"}}')
FAILURES = (UNAVAILABLE, HTML_PAGE, WRAPPED)

OF_THE_GATEWAY = ("GatewayDownAlarm", "GatewayRepliesAlarm", "NoneSucceededAlarm")
OF_MESSAGES = ("MessagesFailedAlarm", "MessagesRefusedAlarm")
OF_OUR_METRICS = (*OF_THE_GATEWAY, *OF_MESSAGES, "ApiFailuresAlarm")

Said = Callable[[str, int], GatewayResponse]


class Story:
    """A simulation whose gateway says what *said* returns for (payId, milliseconds since START)."""

    def __init__(self, said: Said) -> None:
        self.simulation = Simulation(
            lambda pay_id, _, now: said(pay_id, now - START),
            Random(1),  # noqa: S311 - no secret
        )
        self.points = Recorder(self.simulation).points
        self.number = 0

    @property
    def now(self) -> int:
        """Milliseconds since START."""
        return self.simulation.now - START

    def order(self) -> str:
        """Queue a new payment and return its payId."""
        self.number += 1
        self.simulation.send_order(f"pay-{self.number}")
        return f"pay-{self.number}"

    def run(self, duration: int) -> None:
        """Let *duration* milliseconds pass."""
        end = self.simulation.now + duration
        self.simulation.run(duration)
        self.simulation.now = end

    def orders(self, count: int, every: int) -> None:
        """Queue *count* payments, one *every* so many milliseconds."""
        for _ in range(count):
            self.order()
            self.run(every)

    def rings(self, name: str) -> list[int]:
        """Return when the alarm was raised, in milliseconds since START."""
        return [at - START for at in rings(name, self.points, START, self.simulation.now)]


def waiting(pay_id: str, _: int) -> GatewayResponse:
    """Nobody has paid yet."""
    return json_response(pay_id, "waiting")


def one_of_three_pays(rng: Random, pay_id: str, _: int) -> GatewayResponse:
    """One payment of three is paid, one answer of a hundred fails, and two payIds always fail."""
    if pay_id.startswith("poison"):
        return {"poison-1": UNAVAILABLE, "poison-2": WRAPPED}[pay_id]
    if rng.random() < 0.01:
        return rng.choice(FAILURES)
    paid = int(pay_id.removeprefix("pay-")) % 3 == 0
    return json_response(pay_id, "success" if paid else "waiting")


@pytest.fixture(scope="module")
def normal_week() -> Story:
    """A quiet night, abandoned checkouts, a busy hour, and two payIds that never get an answer.

    Both are followed, and callers ask about both each two seconds, for twenty minutes: twice as
    long as GatewayDownAlarm looks back.
    """
    story = Story(partial(one_of_three_pays, Random(2)))  # noqa: S311 - no secret
    story.run(12 * HOUR)  # nothing happens
    for pay_id in ("poison-1", "poison-2"):
        story.simulation.send_order(pay_id)
    for _ in range(600):
        for pay_id in ("poison-1", "poison-2"):
            story.simulation.get_payment(pay_id)
        story.run(2 * SECOND)
    story.orders(30, MINUTE)
    story.orders(15, HOUR)
    story.run(7 * DAY - story.now)
    return story


@pytest.mark.parametrize("name", OF_OUR_METRICS)
def test_in_a_normal_week_nobody_is_paged(normal_week: Story, name: str) -> None:
    """Not by abandoned checkouts, not by a quiet night, and not by a poisonous payId."""
    assert normal_week.rings(name) == []


def test_the_normal_week_has_what_could_raise_them(normal_week: Story) -> None:
    """Otherwise its silence would say nothing."""
    total = partial(normal_week.points.value, statistic="Sum", start=START, end=START + 7 * DAY)
    assert (total("LiveChecksFailed") or 0) > 1000
    assert (total("ChecksUnanswered") or 0) > 50
    assert (total("BadReplies") or 0) > 50
    assert (total("PaymentsUnpaid") or 0) >= 30


@pytest.mark.parametrize("failure", [UNAVAILABLE, HTML_PAGE])
def test_a_dead_gateway_is_heard_within_ten_minutes(failure: GatewayResponse) -> None:
    """With one order each two minutes; callers' 503s are not taken for failures of ours."""
    outage = range(HOUR, 2 * HOUR)
    story = Story(lambda pay_id, at: failure if at in outage else waiting(pay_id, at))
    for _ in range(45):
        pay_id = story.order()
        story.run(MINUTE)
        story.simulation.get_payment(pay_id)
        story.run(MINUTE)
    [heard] = story.rings("GatewayDownAlarm")
    assert outage.start < heard <= outage.start + 10 * MINUTE
    assert story.rings("ApiFailuresAlarm") == story.rings("GatewayRepliesAlarm") == []


def paid_by_another_word(pay_id: str, _: int) -> GatewayResponse:
    """All payments are paid, and the gateway calls it "paid"."""
    return json_response(pay_id, "paid")


def a_third_means_nothing(pay_id: str, at: int) -> GatewayResponse:
    """As when one of the gateway's three machines has a new version."""
    return WRAPPED if pay_id[-1] in "369" else waiting(pay_id, at)


def unavailable(*_: object) -> GatewayResponse:
    """The gateway is down all the time."""
    return UNAVAILABLE


@pytest.mark.parametrize(
    ("said", "payments", "every", "after", "raised"),
    [
        # Seven tries each in ten minutes: 14 of the 15 that are needed, and 21.
        (unavailable, 2, SECOND, DAY, set()),
        (unavailable, 3, SECOND, DAY, {"GatewayDownAlarm"}),
        (a_third_means_nothing, 60, MINUTE, 0, {"GatewayRepliesAlarm"}),
        (paid_by_another_word, 29, 10 * MINUTE, 7 * HOUR, set()),
        (paid_by_another_word, 30, 10 * MINUTE, 7 * HOUR, {"NoneSucceededAlarm"}),
        # Only payments of which the gateway says that they are not paid count.
        (unavailable, 40, 5 * MINUTE, 0, {"GatewayDownAlarm"}),
    ],
)
def test_the_alarm_of_what_is_wrong_at_the_gateway_is_raised_once_and_no_other(
    said: Said, payments: int, every: int, after: int, raised: set[str]
) -> None:
    """Of the three about the gateway, within six hours; nothing is broken on our side."""
    story = Story(said)
    story.orders(payments, every)
    story.run(after)
    heard = {name: story.rings(name) for name in OF_OUR_METRICS}
    assert {name: len(times) for name, times in heard.items() if times} == dict.fromkeys(raised, 1)
    assert all(at <= 6 * HOUR for times in heard.values() for at in times)


def test_a_rush_after_a_quiet_night_is_not_taken_for_a_success_by_another_word() -> None:
    """Forty orders in a minute, of which a third is paid some minutes later."""
    paid_from = 7 * HOUR + 5 * MINUTE

    def said(pay_id: str, at: int) -> GatewayResponse:
        paid = at >= paid_from and pay_id[-1] in "369"
        return json_response(pay_id, "success" if paid else "waiting")

    story = Story(said)
    story.run(7 * HOUR)
    story.orders(40, SECOND)
    story.run(12 * HOUR)
    assert story.rings("NoneSucceededAlarm") == []


@pytest.mark.parametrize(("broken_for", "times"), [(HOUR, 1), (MINUTE, 0)])
@pytest.mark.parametrize(
    ("broken", "code", "alarm"),
    [
        # callers get a 503 or a 500
        (("api", "batch_get_item"), "InternalServerError", "ApiFailuresAlarm"),
        # the invocations succeed all the same
        (("checks", "register"), "AccessDeniedException", "MessagesFailedAlarm"),
    ],
)
def test_what_fails_is_heard_and_a_single_failure_is_not(
    broken: tuple[str, str], code: str, alarm: str, broken_for: int, times: int
) -> None:
    """DynamoDB refuses; one order and one caller come each three minutes."""

    def refuse(call: Call) -> None:
        now = HOUR <= story.now < HOUR + broken_for
        if now and call.when == "before" and (call.function, call.kind) == broken:
            raise client_error(code)

    story = Story(waiting)
    story.simulation.on_call = refuse
    for _ in range(60):
        story.simulation.get_payment(f"app-{story.order()}")
        story.run(3 * MINUTE)
    heard = {name: len(story.rings(name)) for name in ("ApiFailuresAlarm", *OF_MESSAGES)}
    assert heard == dict.fromkeys(heard, 0) | {alarm: times}


def test_each_refused_message_is_heard() -> None:
    """Also the second one, whose dead letter comes to one that is there."""
    story = Story(waiting)
    for _ in range(2):
        story.simulation.queue.put("not JSON")
        story.run(HOUR)
    first, second = story.rings("MessagesRefusedAlarm")
    assert first <= 10 * MINUTE < HOUR < second <= HOUR + 10 * MINUTE
    assert story.rings("MessagesFailedAlarm") == []


def given(name: str, values: dict[int, float]) -> Points:
    """Return *values* of a metric by minute since START."""
    points = Points()
    for minute, value in values.items():
        points.add(name, START + minute * MINUTE, value)
    return points


@pytest.mark.parametrize(
    ("name", "metric", "silent", "heard"),
    [
        ("ApiThrottledAlarm", "Throttles", {60: 40.0}, {60: 3.0, 67: 1.0}),
        ("LoopDroppedAlarm", "RecursiveInvocationsDropped", {}, {60: 1.0}),
        ("OtherPartnerAlarm", "OtherPartnerItems", dict.fromkeys(range(90), 0.0), {60: 2.0}),
    ],
)
def test_what_has_to_last_lasts_and_what_must_not_happen_is_heard_at_once(
    name: str, metric: str, silent: dict[int, float], heard: dict[int, float]
) -> None:
    """A burst of throttled calls is repeated by its callers; the other two never happen."""
    end = START + 3 * HOUR
    assert rings(name, given(metric, silent), START, end) == []
    assert len(rings(name, given(metric, heard), START, end)) == 1


def test_a_payment_in_review_pages_at_once_and_again_after_a_day() -> None:
    """The sweeper counts both numbers; another payment pages although the first still waits."""
    story = Story(lambda pay_id, _: json_response(pay_id, "success", payAmount="$1.00"))
    first, second = HOUR, 5 * HOUR
    while story.now < 26 * HOUR:
        if story.now in {first, second}:
            story.simulation.send_order(f"pay-{story.now}", expectedAmount="19.99")
        story.simulation.sweep()
        story.run(MINUTE)
    new = story.rings("AttentionNewAlarm")
    assert len(new) == 2
    assert all(0 < at - came <= 2 * MINUTE for at, came in zip(new, (first, second), strict=True))
    [old] = story.rings("AttentionTotalAlarm")
    assert first + 24 * HOUR <= old <= first + 25 * HOUR


def test_a_payment_that_is_dealt_with_within_the_day_does_not_page_again() -> None:
    """Nor does one each day, each for some hours."""
    day = {minute: float(8 * 60 <= minute % 1440 < 20 * 60) for minute in range(7 * 1440)}
    assert rings("AttentionTotalAlarm", given("AttentionTotal", day), START, START + 7 * DAY) == []


def test_without_a_sweep_the_alarm_stays_as_it_is() -> None:
    """Then nobody knows whether something waits, and SweeperSilentAlarm is raised.

    The next sweep that finds the same raises it no second time.
    """
    points = given("AttentionNew", {60: 1.0, 120: 1.0})
    assert rings("AttentionNewAlarm", points, START, START + DAY) == [START + 61 * MINUTE]


# What is missing: AWS, "Configuring how CloudWatch alarms treat missing data", 3 of 3 data points.
# The newest is on the right, "0" is within the threshold, "X" breaches it.
@pytest.mark.parametrize(
    ("series", "not_breaching", "breaching"),
    [
        ("0-X-X", False, False),
        ("----0", False, False),
        ("-----", False, True),
        ("0XX-X", True, True),
        ("--X--", False, True),
    ],
)
def test_the_evaluator_treats_missing_data_as_the_page_says(
    series: str, *, not_breaching: bool, breaching: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Actual data points first; what is then missing is filled in as TreatMissingData says."""
    points = Points()
    for minute, sign in enumerate(series):
        if sign != "-":
            points.add("m", START + minute * MINUTE, float(sign == "X"))
    end = START + len(series) * MINUTE
    for treatment, expected in (("notBreaching", not_breaching), ("breaching", breaching)):
        alarm = {
            "MetricName": "m",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 3,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": treatment,
        }
        monkeypatch.setitem(ALARMS, "made", alarm)
        assert bool(rings("made", points, end, end)) == expected
