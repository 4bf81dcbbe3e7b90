"""Contract of events/subscriber: it agrees with the event's schema, and its template is correct."""

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

from tests.support import template
from tests.support.template import ROOT, load

FOLDER = ROOT / "events" / "subscriber"
TEMPLATE = load(FOLDER / "template.yaml")
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
ARCHIVE_DAYS: int = template.properties("EventArchive")["RetentionDays"]
LONGEST = 14 * 24 * 3600
STACK = {"Ref": "AWS::StackName"}
RULE_ARN = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/%s/${AWS::StackName}"
"""Of a rule with the stack's name on the bus (AWS, "Actions, resources, and condition keys for
Amazon EventBridge")."""


def properties(name: str) -> dict[str, Any]:
    """Return the properties of a resource."""
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


def source(bus: str) -> dict[str, Any]:
    """Return the condition that the rule sends."""
    return {"ArnEquals": {"aws:SourceArn": {"Fn::Sub": RULE_ARN % bus}}}


def test_it_checks_events_by_the_published_schema() -> None:
    """Its copy is the same file, byte for byte."""
    published = ROOT / "events" / "schemas" / "payment-succeeded.json"
    assert (FOLDER / "function" / "schema.json").read_bytes() == published.read_bytes()


def test_its_rule_is_the_one_that_subscribers_are_told() -> None:
    """With the environment as a parameter."""
    text = (ROOT / "events" / "README.md").read_text(encoding="utf-8")
    (told,) = (json.loads(block) for block in re.findall("```json\n(.*?)```", text, re.DOTALL))
    told["detail"]["metadata"]["environment"] = [{"Ref": "EnvironmentName"}]
    assert properties("Rule")["EventPattern"] == told
    assert properties("Rule")["EventBusName"] == {"Ref": "EventBusName"}


def test_the_resources_to_copy_are_a_rule_and_a_queue_that_it_may_send_to(tmp_path: Path) -> None:
    """In docs/subscribers.md: the published pattern, and the policy that lets events in."""
    text = (ROOT / "docs" / "subscribers.md").read_text(encoding="utf-8")
    [block] = re.findall("```yaml\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "template.yaml"
    file.write_text(block, encoding="utf-8")
    resources = load(file)
    copied = {name: resource["Properties"] for name, resource in resources.items()}
    published = deepcopy(properties("Rule")["EventPattern"])
    published["detail"]["metadata"]["environment"] = ["prod"]
    assert copied["Rule"]["EventPattern"] == published
    [statement] = copied["QueuePolicy"]["PolicyDocument"]["Statement"]
    [own] = properties("QueuePolicy")["PolicyDocument"]["Statement"]
    own = own | {"Resource": {"Fn::GetAtt": ["Queue", "Arn"]}, "Condition": source("payresult")}
    assert statement == own
    assert (resources["Rule"]["DependsOn"], copied["Rule"]["Name"]) == ("QueuePolicy", STACK)


def test_an_event_has_a_queue_at_each_step() -> None:
    """Undelivered and failed events are kept for the maximum time of SQS."""
    (target,) = properties("Rule")["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["Queue", "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["UndeliveredQueue", "Arn"]}}
    redrive = properties("Queue")["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    queues = {name for name, it in RESOURCES.items() if it["Type"] == "AWS::SQS::Queue"}
    assert queues == {"Queue", "DeadLetterQueue", "UndeliveredQueue"}
    assert {properties(name)["MessageRetentionPeriod"] for name in queues} == {LONGEST}


def test_the_rule_may_send_to_its_queues_and_nobody_else() -> None:
    """EventBridge uses no role here: the policy of the queue permits it."""
    queues = ["Queue", "UndeliveredQueue"]
    assert properties("QueuePolicy")["Queues"] == [{"Ref": name} for name in queues]
    (statement,) = properties("QueuePolicy")["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": [{"Fn::GetAtt": [name, "Arn"]} for name in queues],
        "Condition": source("${EventBusName}"),
    }


def test_the_rule_begins_when_it_may_send_to_its_queues() -> None:
    """An event that it may not deliver is lost: the other queue refuses it as well.

    AWS, "Using dead-letter queues to process undelivered events": no retry without permission.
    """
    assert RESOURCES["Rule"]["DependsOn"] == "QueuePolicy"
    assert properties("Rule")["Name"] == STACK


def test_a_message_is_hidden_while_the_function_may_be_at_it() -> None:
    """Six times its timeout. It returns what failed, so that only this is delivered again."""
    function = properties("Function")
    assert properties("Queue")["VisibilityTimeout"] == 6 * function["Timeout"]
    source = function["Events"]["Queue"]["Properties"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_an_alarm_rings_at_the_first_event_that_was_not_acted_on() -> None:
    """In each of the two queues for failed events, and in the other one if it is not read.

    A message that fails has left that one after all of its receives.
    """
    alarms = [it["Properties"] for it in RESOURCES.values() if it["Type"].endswith("::Alarm")]
    watched = {alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0]: alarm for alarm in alarms}
    read = properties("Queue")
    longest = read["RedrivePolicy"]["maxReceiveCount"] * read["VisibilityTimeout"]
    visible, age = "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"
    assert {
        name: (it["MetricName"], it["Threshold"], it["ComparisonOperator"])
        for name, it in watched.items()
    } == {
        "DeadLetterQueue": (visible, 1, "GreaterThanOrEqualToThreshold"),
        "UndeliveredQueue": (visible, 1, "GreaterThanOrEqualToThreshold"),
        "Queue": (age, longest, "GreaterThanThreshold"),
    }
    assert all(alarm["EvaluationPeriods"] == 1 for alarm in alarms)


def test_claims_never_expire_and_receipts_do_long_after_the_archive() -> None:
    """A copy may come from the archive, and then wait in the rule, the queue and the DLQ."""
    for kept in ("ClaimsTable", "ActivationsTable", "RefundsTable"):
        assert "TimeToLiveSpecification" not in {*properties(kept)}
    lifetime = properties("ReceiptsTable")["TimeToLiveSpecification"]
    assert lifetime == {"AttributeName": "expiration", "Enabled": True}
    code = (FOLDER / "function" / "app.py").read_text(encoding="utf-8")
    assert f"{ARCHIVE_DAYS} days in the archive" in code
    assert f"{ARCHIVE_DAYS + 1 + 14 + 14} days" in code


def test_it_runs_what_its_tests_run() -> None:
    """Each pin and each hash is in requirements/dev.txt too."""
    locks = FOLDER / "function" / "requirements.txt", ROOT / "requirements/dev.txt"
    own, ours = (set(path.read_text(encoding="utf-8").splitlines()) for path in locks)
    assert own <= ours


def test_what_is_pinned_by_hash_is_installed_alone() -> None:
    """Beside a file with hashes pip takes no requirement without (pip, "Secure installs")."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    [pinned] = [line for line in text.splitlines() if " -r " in line]
    assert pinned == "pip install -r function/requirements.txt"
