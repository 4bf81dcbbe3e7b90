"""Checks of the stack itself, its queues, its schedule, its bus, and its API."""

import json

from payresult_cli import http_api
from payresult_cli.doctor.check import SET_BACK, Deployed, Finding, attention, ok
from payresult_cli.errors import CommandError
from payresult_cli.formatting import format_count, format_duration

SILENT_AFTER_MS = 300_000
"""As SweeperSilentAlarm: the sweeper should finish a run every minute."""

BUS_STATEMENT = "OnlyPublisherAndSweeperSend"
_ROUTE = "/payments/query"
_BAD_REQUEST, _FORBIDDEN = 400, 403
_INVALID = "urn:payresult:problem:invalid-input"


def stack_status(deployed: Deployed) -> Finding:
    """Check that the last deployment is complete."""
    status = deployed.description["StackStatus"]
    if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return ok(status)
    return attention(f"{status}: wait for it, or see the stack's events and deploy again")


def queue(deployed: Deployed) -> Finding:
    """Check that a message that fails goes to the dead-letter queue, and count what waits."""
    found = _attributes(deployed, deployed.stack.queue_url)
    if "RedrivePolicy" not in found:
        return attention(f"it has no dead-letter queue: {SET_BACK}")
    visible = found["ApproximateNumberOfMessages"]
    delayed = found["ApproximateNumberOfMessagesDelayed"]
    return ok(f"{visible} messages wait, {delayed} are planned")


def dead_letters(deployed: Deployed) -> Finding:
    """Count the messages that failed five times."""
    found = _attributes(deployed, deployed.stack.dead_letter_queue_url)
    counted = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    count = sum(int(found[name]) for name in counted)
    if count:
        shown = deployed.command("redrive --dry-run")
        return attention(f"{format_count(count, 'message')}: {shown} shows why")
    return ok("none")


def schedule(deployed: Deployed) -> Finding:
    """Check that the sweeper is run every minute."""
    rule = deployed.resource("SweeperFunctionEveryMinute")
    state = deployed.client("events").describe_rule(Name=rule)["State"]
    if state != "ENABLED":
        return attention(f"{state}: `aws events enable-rule --name {rule}`")
    return ok("enabled")


def heartbeat(deployed: Deployed) -> Finding:
    """Look for the last sweep that ended, in its log: there the metric comes from."""
    group = f"/aws/lambda/{deployed.stack.name}-sweeper"
    arguments = {
        "logGroupName": group,
        "filterPattern": "SweeperHeartbeat",
        "startTime": deployed.now - SILENT_AFTER_MS,
    }
    while True:  # a page may be empty although there are more (AWS, FilterLogEvents)
        page = deployed.client("logs").filter_log_events(**arguments)
        if page["events"] or "nextToken" not in page:
            break
        arguments["nextToken"] = page["nextToken"]
    if not page["events"]:
        silent = format_duration(SILENT_AFTER_MS)
        return attention(f"no sweep ended within {silent}: see SweeperSilentAlarm")
    age = deployed.now - max(event["timestamp"] for event in page["events"])
    return ok(f"{format_duration(max(age, 0))} ago")


def bus_policy(deployed: Deployed) -> Finding:
    """Check that nobody but publisher and sweeper may send events."""
    name = deployed.output("EventBusName")
    policy = deployed.client("events").describe_event_bus(Name=name).get("Policy", "{}")
    statements = json.loads(policy).get("Statement", [])
    if BUS_STATEMENT in {each.get("Sid") for each in statements}:
        return ok("only publisher and sweeper send")
    return attention(f"without {BUS_STATEMENT} others can send events: {SET_BACK}")


def archive(deployed: Deployed) -> Finding:
    """Check that events are archived."""
    name = deployed.resource("EventArchive").rpartition("/")[2]
    found = deployed.client("events").describe_archive(ArchiveName=name)
    if found["State"] != "ENABLED":
        return attention(f"{found['State']}: `aws events describe-archive --archive-name {name}`")
    return ok(f"{found['EventCount']} events, kept for {found.get('RetentionDays')} days")


def subscribers(deployed: Deployed) -> Finding:
    """Check that somebody gets the events: a rule on the bus, besides archive and audit queue.

    In the sandbox the demo reads the audit queue. CloudFormation's id of the rule is "bus|rule",
    which its page does not say (aws-cloudformation/cloudformation-coverage-roadmap, issue 1131).
    """
    name = deployed.output("EventBusName")
    found = deployed.client("events").list_rules(EventBusName=name)["Rules"]
    rules = {each["Name"]: each["State"] for each in found if "ManagedBy" not in each}
    disabled = [rule for rule, state in rules.items() if state == "DISABLED"]
    if disabled:
        return attention(f"disabled: {', '.join(disabled)}: `aws events enable-rule`")
    own = {} if deployed.emulated else deployed.resources.get("AuditRule", {})
    others = rules.keys() - {own.get("PhysicalResourceId", "").rpartition("|")[2]}
    if not others:
        return attention(
            "nobody gets events: the bus has no rule of a subscriber (events/subscriber has one)"
        )
    return ok(f"{format_count(len(others), 'rule')} on the bus")


def signed_call(deployed: Deployed) -> Finding:
    """Send a call that the api function itself refuses: nothing is stored, no gateway asked."""
    request = http_api.signed_post(deployed.stack, _ROUTE, {"payIds": []})
    response = deployed.context.dependencies.send_request(request)
    if response.status == _FORBIDDEN:
        raise PermissionError(f"execute-api:Invoke on POST {_ROUTE}")
    try:
        kind = json.loads(response.body).get("type")
    except (AttributeError, ValueError):
        kind = None
    if (response.status, kind) == (_BAD_REQUEST, _INVALID):
        return ok("API Gateway, IAM and the api function answer")
    raise CommandError(f"HTTP {response.status}: see ApiErrorsAlarm in docs/operations.md")


def _attributes(deployed: Deployed, url: str) -> dict[str, str]:
    found: dict[str, str] = deployed.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["All"]
    )["Attributes"]
    return found
