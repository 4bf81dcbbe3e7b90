"""Contract of template.yaml, alarms: each watches an existing metric and says what to do."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from payresult.handlers.sweeper import WATCHED
from tests.contract.commands import Cloud, filled
from tests.support.emitted import emitted
from tests.support.template import FUNCTIONS, MADE, RESOURCES, ROOT, TEMPLATE, of_type

RUNBOOK = ROOT / "docs/operations.md"
ALARMS = of_type("AWS::CloudWatch::Alarm")
COMPUTED = {name: it for name, it in ALARMS.items() if "Metrics" in it}
CUSTOM = {name: it for name, it in ALARMS.items() if it.get("Namespace") == "payresult"}
AWS_METRICS = {
    "DeadLetterAlarm": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "DeadLetterQueue"),
    "QueueAgeAlarm": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "ChecksQueue"),
    "StreamAgeAlarm": ("AWS/Lambda", "IteratorAge", "PublisherFunction"),
    "ApiThrottledAlarm": ("AWS/Lambda", "Throttles", "ApiFunction"),
    "LoopDroppedAlarm": ("AWS/Lambda", "RecursiveInvocationsDropped", "ChecksFunction"),
    **{f"{name}ErrorsAlarm": ("AWS/Lambda", "Errors", f"{name}Function") for name in FUNCTIONS},
}


def description(name: str) -> str:
    """Return the description of the alarm *name*, without inserted values."""
    text: str = ALARMS[name]["AlarmDescription"]["Fn::Sub"]
    return text


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """A simulated account in which the commands can be run."""
    with Cloud.made() as made:
        yield made


def test_every_alarm_of_ours_watches_a_metric_that_the_functions_write() -> None:
    """Same namespace, name and dimensions.

    CloudWatch accepts an alarm on a metric that is never written; it would never be raised.
    """
    written = {(it.namespace, it.name, it.dimensions) for it in emitted()}
    watched = {
        (
            metric["Namespace"],
            metric["MetricName"],
            tuple((it["Name"], MADE[it["Value"]["Ref"]]) for it in metric["Dimensions"]),
        )
        for metric in _own_metrics()
    }
    assert {metric for _, metric, _ in watched} == {
        "ApiFailures",
        "AttentionNew",
        "AttentionTotal",
        "BadReplies",
        "ChecksAnswered",
        "ChecksUnanswered",
        "EventsUnsent",
        "MessagesFailed",
        "MessagesRefused",
        "OtherPartnerItems",
        "PaymentsSucceeded",
        "PaymentsUnpaid",
        "SweeperHeartbeat",
        "UnreadableItems",
    }
    assert watched <= written


def test_what_an_expression_reads_is_written_by_each_sweep() -> None:
    """So that it exists in a stack whose gateway never said "success", or never answered."""
    queries = [query for it in COMPUTED.values() for query in it["Metrics"]]
    read = {it["MetricStat"]["Metric"]["MetricName"] for it in queries if "MetricStat" in it}
    assert read == set(WATCHED)


def _own_metrics() -> list[dict[str, Any]]:
    """Return every metric of ours that an alarm watches, alone or in an expression."""
    queries = [query for it in COMPUTED.values() for query in it["Metrics"]]
    return [*CUSTOM.values(), *(it["MetricStat"]["Metric"] for it in queries if "MetricStat" in it)]


def test_our_alarms_have_exactly_the_one_dimension_that_our_metrics_have() -> None:
    """CloudWatch identifies a metric by all its dimensions: one more or less is another metric."""
    for metric in _own_metrics():
        assert metric["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]


def test_the_other_alarms_watch_the_metrics_that_aws_writes_about_our_resources() -> None:
    """Each by the dimension that the service documents."""
    seen = {}
    for name in ALARMS.keys() - CUSTOM.keys() - COMPUTED.keys():
        alarm = ALARMS[name]
        (dimension,) = alarm["Dimensions"]
        if alarm["Namespace"] == "AWS/SQS":
            assert dimension["Name"] == "QueueName"
            resource, attribute = dimension["Value"]["Fn::GetAtt"]
            assert attribute == "QueueName"
        else:
            assert dimension["Name"] == "FunctionName"
            resource = dimension["Value"]["Ref"]
        seen[name] = (alarm["Namespace"], alarm["MetricName"], resource)
    assert seen == AWS_METRICS


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_says_what_happened_whom_it_hurts_and_what_to_do_first(name: str) -> None:
    """Three parts of over 20 characters each, within CloudWatch's limit of 1,024 in total."""
    parts = re.fullmatch("What: (.+) Customers: (.+) First: (.+)", description(name))
    assert parts
    assert all(len(part) > 20 for part in parts.groups())
    assert len(filled(description(name), stack="s" * 128)) <= 1024


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_the_first_thing_to_do_is_a_command_that_runs(name: str, cloud: Cloud) -> None:
    """As pasted, with the stack's own names."""
    commands = re.findall("First: `([^`]+)`", description(name))
    assert len(commands) == 1
    cloud.run(filled(commands[0]))


SCANS = re.compile(r"list .*--(status|older-than)|reconcile|republish|scan (?!.*--index-name)")
"""What reads the whole table; an index has only what is planned, unsent or waits for a person."""


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_the_first_thing_to_do_does_not_read_the_whole_table(name: str) -> None:
    """It would take tens of minutes with ten million payments, beside the reads of customers."""
    [command] = re.findall("First: `([^`]+)`", description(name))
    assert not SCANS.search(command)


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_tells_the_topic_where_there_is_one(name: str) -> None:
    """Without a topic it is visible in CloudWatch only."""
    topic = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    assert ALARMS[name]["AlarmActions"] == topic
    assert TEMPLATE["Conditions"]["HasAlarmTopic"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]
    }


def test_the_runbook_names_no_alarm_that_is_gone() -> None:
    """A person who is paged must not read outdated text."""
    text = RUNBOOK.read_text(encoding="utf-8")
    assert set(re.findall(r"\b[A-Z][A-Za-z]+Alarm\b", text)) <= set(ALARMS)


def test_only_the_heartbeat_takes_silence_for_trouble() -> None:
    """The other metrics are not written while nothing happens."""
    breaching = {name for name, it in ALARMS.items() if it["TreatMissingData"] == "breaching"}
    assert breaching == {"SweeperSilentAlarm"}
    alarm = ALARMS["SweeperSilentAlarm"]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    kept = {name for name, it in ALARMS.items() if it["TreatMissingData"] == "ignore"}
    assert kept == {"AttentionNewAlarm", "AttentionTotalAlarm"}  # without a sweep nothing is known
    others = ALARMS.keys() - breaching - kept
    assert {ALARMS[name]["TreatMissingData"] for name in others} == {"notBreaching"}


FIRST_TIME = (
    *("DeadLetter", "AttentionNew", "UnsentEvents", "Unreadable", "OtherPartner", "LoopDropped"),
)


def test_the_first_malformed_message_rings() -> None:
    """So does the first that waits for a person, is unreadable, not announced, or dropped."""
    for name in FIRST_TIME:
        alarm = ALARMS[f"{name}Alarm"]
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)


def test_an_alarm_that_the_emulator_refuses_is_left_out_there() -> None:
    """It has no metric math."""
    computed = {"GatewayDownAlarm", "GatewayRepliesAlarm", "NoneSucceededAlarm"}
    assert COMPUTED.keys() == computed
    assert all(RESOURCES[name]["Condition"] == "OnAws" for name in computed)
    assert not [name for name in ALARMS.keys() - computed if "Condition" in RESOURCES[name]]
