"""Checks of the alarms: whether they exist, what they say, and whom they notify."""

from typing import Any

from payresult_cli.doctor.check import SET_BACK, Deployed, Finding, attention, ok
from payresult_cli.formatting import printable

MAX_ALARMS = 100
"""The most that one DescribeAlarms returns (AWS, DescribeAlarms); the template has some twenty."""


def existing(deployed: Deployed) -> Finding:
    """Check that each alarm of the stack exists and may act."""
    found = _alarms(deployed)
    missing = sorted(_names(deployed).keys() - found.keys())
    if missing:
        return attention(f"deleted: {', '.join(missing)}: {SET_BACK}")
    silent = [name for name, alarm in found.items() if not alarm["ActionsEnabled"]]
    if silent:
        return attention(
            f"their actions are off: {', '.join(silent)}: `aws cloudwatch enable-alarm-actions`"
        )
    return ok(f"all {len(found)} exist")


def raised(deployed: Deployed) -> Finding:
    """Name the alarms in the state ALARM."""
    found = [name for name, it in _alarms(deployed).items() if it["StateValue"] == "ALARM"]
    if found:
        return attention(f"{', '.join(found)}: docs/operations.md has a section for each")
    return ok("none")


def notified(deployed: Deployed) -> Finding:
    """Say whom the alarms notify."""
    topic = deployed.parameter("AlarmTopicArn")
    if not topic:
        return attention("nobody: deploy with AlarmTopicArn")
    silent = [n for n, alarm in _alarms(deployed).items() if topic not in alarm["AlarmActions"]]
    if silent:
        return attention(f"{', '.join(silent)} do not notify {topic}: {SET_BACK}")
    found = deployed.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    # "PendingConfirmation" instead of an ARN (AWS, SNS Subscription).
    confirmed = [each for each in found if each["SubscriptionArn"].startswith("arn:")]
    if not confirmed:
        return attention(f"nobody has confirmed a subscription to {topic}")
    return ok(", ".join(printable(f"{it['Protocol']} {it['Endpoint']}") for it in confirmed))


def _names(deployed: Deployed) -> dict[str, str]:
    """Return the alarms' names in CloudWatch by their names in the template."""
    return {
        name: each["PhysicalResourceId"]
        for name, each in deployed.resources.items()
        if each["ResourceType"] == "AWS::CloudWatch::Alarm"
    }


def _alarms(deployed: Deployed) -> dict[str, dict[str, Any]]:
    """Return the alarms that exist by their names in the template."""
    names = _names(deployed)
    found = deployed.client("cloudwatch").describe_alarms(
        AlarmNames=list(names.values()), MaxRecords=MAX_ALARMS
    )
    by_name = {each["AlarmName"]: each for each in found["MetricAlarms"]}
    return {name: by_name[it] for name, it in names.items() if it in by_name}
