"""Contract of `payresult doctor`: each check finds its fault; a missing permission is named."""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError

import payresult
from payresult.domain.payment import Payment
from payresult_cli.doctor.check import SET_BACK
from payresult_cli.doctor.run import CHECKS
from payresult_cli.http_api import HttpResponse
from tests.support.commands import CommandResult
from tests.support.factories import HOUR, MINUTE, NOW
from tests.support.template import ROOT, of_type
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

TOPIC = "arn:aws:sns:eu-central-1:123456789012:ops"
LAYERS = [
    {"Arn": "arn:aws:lambda:eu-central-1:123456789012:layer:payresult-code:7"},
    {"Arn": "arn:aws:lambda:eu-central-1:123456789012:layer:payresult-deps:3"},
]
OUTPUTS = {f"{name}FunctionName": name for name in ("Api", "Checks", "Publisher", "Sweeper")} | {
    "EventBusName": "payresult"
}
PARAMETERS = {
    "MaximumConcurrency": "5",
    "ApiReservedConcurrency": "",
    "AlarmTopicArn": TOPIC,
    "Emulated": "false",
}
ALARMS = list(of_type("AWS::CloudWatch::Alarm"))
MAPPINGS, RESERVED = "list_event_source_mappings", "get_function_concurrency"
REFUSAL = HttpResponse(400, b'{"type": "urn:payresult:problem:invalid-input"}')

SIGNED_CALL = {"payIds": list[str]()}
"""What the API is asked: a list that the api function itself refuses."""


@cache
def layer() -> bytes:
    """Return the deployed layer with this clone's sources."""
    top, archive = Path(payresult.__file__).parent, io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path in top.rglob("*.py"):
            file.write(path, f"python/payresult/{path.relative_to(top)}")
        file.writestr("python/payresult/__pycache__/x.pyc", b"")
    return archive.getvalue()


def alarms(*names: str, **changes: Any) -> dict[str, Any]:
    """Return alarms as CloudWatch describes them, all by default."""
    healthy = {"ActionsEnabled": True, "StateValue": "OK", "AlarmActions": [TOPIC]}
    each = [{"AlarmName": f"payresult-{name}"} | healthy | changes for name in names or ALARMS]
    return {"MetricAlarms": each}


def resources() -> list[dict[str, str]]:
    """Return the stack's resources that are asked for by name."""
    kinds = dict.fromkeys(ALARMS, "AWS::CloudWatch::Alarm") | {
        "SweeperFunctionEveryMinute": "AWS::Events::Rule",
        "EventArchive": "AWS::Events::Archive",
    }
    return [
        {"LogicalResourceId": n, "PhysicalResourceId": f"payresult-{n}", "ResourceType": kind}
        for n, kind in kinds.items()
    ]


def healthy() -> dict[str, Any]:
    """Return what AWS answers to each call about a stack that needs nothing."""
    return {
        "describe_stacks": stack(),
        "list_stack_resources": {"StackResourceSummaries": resources()},
        "get_function_configuration": {"State": "Active", "Layers": LAYERS},
        "get_layer_version_by_arn": {"Content": {"Location": "https://layers.invalid/code"}},
        MAPPINGS: mappings(),
        "get_function_recursion_config": {"RecursiveLoop": "Allow"},
        RESERVED: {},
        "get_account_settings": limits(1000),
        "describe_rule": {"State": "ENABLED"},
        "filter_log_events": {"events": [{"timestamp": NOW - MINUTE}]},
        "get_queue_attributes": queue(),
        "describe_table": table(),
        "describe_continuous_backups": backups("ENABLED"),
        "describe_time_to_live": time_to_live("ENABLED", "expiresAt"),
        "describe_alarms": alarms(),
        "list_subscriptions_by_topic": {"Subscriptions": [subscription("arn:aws:sns:x")]},
        "describe_event_bus": {
            "Policy": json.dumps({"Statement": [{"Sid": "OnlyPublisherAndSweeperSend"}]})
        },
        "describe_archive": {"State": "ENABLED", "EventCount": 7, "RetentionDays": 400},
        "list_rules": rules(State="ENABLED"),
    }


def stack(status: str = "UPDATE_COMPLETE", **parameters: str) -> dict[str, Any]:
    """Return the stack as CloudFormation describes it."""
    given = PARAMETERS | parameters
    described = {
        "StackStatus": status,
        "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in OUTPUTS.items()],
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
    }
    return {"Stacks": [described]}


def mappings(**changes: Any) -> dict[str, Any]:
    """Return an event source mapping, the only one of its function."""
    found = {"UUID": "u-1", "State": "Enabled", "ScalingConfig": {"MaximumConcurrency": 5}}
    return {"EventSourceMappings": [found | changes]}


def limits(free: int) -> dict[str, Any]:
    """Return the account's limits."""
    return {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": free}}


def queue(messages: int = 0, **changes: Any) -> dict[str, Any]:
    """Return a queue's attributes."""
    counts = ("Messages", "MessagesNotVisible", "MessagesDelayed")
    found = {f"ApproximateNumberOf{name}": "0" for name in counts}
    found |= {"RedrivePolicy": "{}", "ApproximateNumberOfMessages": str(messages)}
    return {"Attributes": {k: v for k, v in (found | changes).items() if v is not None}}


def table(**changes: Any) -> dict[str, Any]:
    """Return the table's description."""
    found = {
        "TableStatus": "ACTIVE",
        "GlobalSecondaryIndexes": [
            {"IndexName": name, "IndexStatus": "ACTIVE"} for name in ("work", "attention")
        ],
        "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        "DeletionProtectionEnabled": True,
    }
    return {"Table": found | changes}


def backups(state: str) -> dict[str, Any]:
    """Return the state of point-in-time recovery."""
    return {
        "ContinuousBackupsDescription": {
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": state}
        }
    }


def time_to_live(state: str, attribute: str | None = None) -> dict[str, Any]:
    """Return the state of TTL."""
    return {"TimeToLiveDescription": {"TimeToLiveStatus": state, "AttributeName": attribute}}


def subscription(arn: str) -> dict[str, str]:
    """Return a subscription of the topic."""
    return {"SubscriptionArn": arn, "Protocol": "email", "Endpoint": "ops@shop.example"}


def rules(**changes: str) -> dict[str, Any]:
    """Return the bus's rules: a subscriber's with *changes*, and the archive's own."""
    archive = {"Name": "Events-Archive-x", "State": "ENABLED", "ManagedBy": "events.amazonaws.com"}
    return {"Rules": [archive, {"Name": "activation"} | changes] if changes else [archive]}


class Doctor:
    """`payresult doctor` on a stack about which AWS answers *answers*."""

    def __init__(self, cli: CommandLine, answers: dict[str, Any]) -> None:
        self.cli = cli
        self.answers = answers
        self.layer = layer()
        self.response = REFUSAL
        cli.api = self._respond
        for call in answers:
            cli.intercept(call, self._answer(call))

    def run(self, *options: str) -> CommandResult:
        """Run it."""
        return self.cli.run("doctor", *options)

    def line(self, check: str) -> tuple[str, str]:
        """Run it and return state and text of one check; every check has its line."""
        result = self.run("--json")
        records = result.records
        assert [each["check"] for each in records] == [each.name for each in CHECKS]
        states = {each["state"] for each in records}
        assert result.code == bool(states & {"attention", "denied"})
        [found] = [each for each in records if each["check"] == check]
        return found["state"], found["text"]

    def _answer(self, call: str) -> Callable[..., Any]:
        def handler(_call: Any, **_arguments: Any) -> Any:
            answer = self.answers[call]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return handler

    def _respond(self, body: Any) -> HttpResponse:
        if body is None:
            return HttpResponse(200, self.layer)
        assert body == SIGNED_CALL
        return self.response


@pytest.fixture
def doctor(cli: CommandLine) -> Doctor:
    """The doctor of a stack that needs nothing."""
    return Doctor(cli, healthy())


def test_a_healthy_stack_is_ok_in_every_line(doctor: Doctor) -> None:
    """Exit code 0, a line for each of at least twelve checks, and a sum on stderr."""
    result = doctor.run()
    assert result.code == 0
    assert len(CHECKS) >= 12
    assert [line.split()[0] for line in result.out.splitlines()] == ["ok"] * len(CHECKS)
    assert result.err == f"{len(CHECKS)} checks: {len(CHECKS)} ok\n"
    [notified] = [line for line in result.out.splitlines() if " notified " in line]
    assert "email ops@shop.example" in notified


def error(code: str, operation: str = "Call") -> ClientError:
    """Return AWS's answer to a call that it refuses."""
    return ClientError({"Error": {"Code": code}}, operation)


PARTS: list[tuple[str, str, dict[str, Any] | ClientError, str]] = [
    # check, call, its answer, what is said
    ("stack", "describe_stacks", stack("UPDATE_ROLLBACK_FAILED"), "UPDATE_ROLLBACK_FAILED"),
    ("functions", "get_function_configuration", {"State": "Inactive"}, "state Inactive"),
    ("code", "get_function_configuration", {"State": "Active"}, "no layer with the code"),
    ("queue mapping", MAPPINGS, mappings(State="Disabled"), "--enabled --uuid u-1"),
    (
        *("queue mapping", MAPPINGS, mappings(ScalingConfig={})),
        "update-event-source-mapping --scaling-config MaximumConcurrency=5 --uuid u-1",
    ),
    ("stream mapping", MAPPINGS, {"EventSourceMappings": []}, "0 mappings instead of one"),
    (
        *("loop detection", "get_function_recursion_config", {"RecursiveLoop": "Terminate"}),
        "put-function-recursion-config --recursive-loop Allow --function-name Checks",
    ),
    ("reserved", RESERVED, {"ReservedConcurrentExecutions": 0}, "Api is switched off"),
    ("reserved", RESERVED, {"ReservedConcurrentExecutions": 9}, "Api reserves 9, not none"),
    ("account", "get_account_settings", limits(7), "7 unreserved, and at least 8 are needed"),
    ("sweeper rule", "describe_rule", {"State": "DISABLED"}, "aws events enable-rule"),
    ("last sweep", "filter_log_events", {"events": []}, "no sweep ended within 5 min"),
    ("checks queue", "get_queue_attributes", queue(RedrivePolicy=None), "no dead-letter queue"),
    (
        *("dead letters", "get_queue_attributes", queue(3)),
        "3 messages: `cli/payresult redrive --dry-run --stack payresult`",
    ),
    ("table", "describe_table", table(GlobalSecondaryIndexes=[]), "indexes {}"),
    ("table", "describe_table", table(StreamSpecification={}), "its stream is off"),
    (
        *("protection", "describe_table", table(DeletionProtectionEnabled=False)),
        "DeletionProtection=true",
    ),
    (
        *("recovery", "describe_continuous_backups", backups("DISABLED")),
        "aws dynamodb update-continuous-backups --table-name payments --point",
    ),
    ("time to live", "describe_time_to_live", time_to_live("DISABLED"), "DISABLED"),
    ("time to live", "describe_time_to_live", time_to_live("ENABLED", "ttl"), "expiresAt"),
    ("alarms", "describe_alarms", alarms(*ALARMS[1:]), f"deleted: {ALARMS[0]}"),
    ("alarms", "describe_alarms", alarms(ActionsEnabled=False), "their actions are off"),
    (
        *("raised", "describe_alarms", alarms("QueueAgeAlarm", StateValue="ALARM")),
        "QueueAgeAlarm: docs/operations.md",
    ),
    ("notified", "describe_stacks", stack(AlarmTopicArn=""), "nobody: deploy with AlarmTopicArn"),
    (
        *("notified", "describe_alarms", alarms("QueueAgeAlarm", AlarmActions=[])),
        "QueueAgeAlarm do not notify",
    ),
    (
        *("notified", "list_subscriptions_by_topic"),
        *({"Subscriptions": [subscription("PendingConfirmation")]}, "nobody has confirmed"),
    ),
    ("bus policy", "describe_event_bus", {}, "others can send events"),
    ("archive", "describe_archive", {"State": "CREATE_FAILED"}, "CREATE_FAILED"),
    ("archive", "list_stack_resources", {"StackResourceSummaries": []}, "has no EventArchive"),
    ("archive", "describe_archive", error("ResourceNotFoundException"), "does not exist"),
    ("subscribers", "list_rules", rules(State="DISABLED"), "disabled: activation"),
    ("subscribers", "list_rules", rules(), "the bus has no rule of a subscriber"),
]


@pytest.mark.parametrize(("check", "call", "answer", "text"), PARTS, ids=lambda it: str(it)[:40])
def test_wants_attention(
    doctor: Doctor, check: str, call: str, answer: dict[str, Any], text: str
) -> None:
    """Exit code 1; the line says what to do."""
    doctor.answers[call] = answer
    state, found = doctor.line(check)
    assert state == "attention"
    assert text in found
    assert "deploy the template" not in found


def test_what_differs_from_the_template_leads_to_a_section_of_the_runbook() -> None:
    """A deployment of the same template does not set it back (AWS, drift-aware change sets)."""
    [section] = re.findall('see "(.+)" in docs/operations.md', SET_BACK)
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"\n## {section}\n" in text


def test_functions_with_different_layers_want_attention(doctor: Doctor) -> None:
    """Each function by itself is active."""
    names = iter([LAYERS, LAYERS[1:]] * 4)
    doctor.cli.intercept(
        "get_function_configuration", lambda _call, **_: {"State": "Active", "Layers": next(names)}
    )
    state, text = doctor.line("functions")
    assert state == "attention"
    assert "different layers" in text


def test_code_of_another_release_is_named(doctor: Doctor) -> None:
    """By its first three files; a URL that is not valid any more wants attention too."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("python/payresult/errors.py", "")
    doctor.layer = archive.getvalue()
    state, text = doctor.line("code")
    assert state == "attention"
    count = len([*Path(payresult.__file__).parent.rglob("*.py")])
    assert f"differs from this clone in {count} files (__init__.py, " in text
    doctor.cli.api = lambda body: HttpResponse(403, b"") if body is None else REFUSAL
    assert doctor.line("code")[0] == "attention"


@pytest.mark.parametrize(
    "response", [HttpResponse(500, b'{"message": "x"}'), HttpResponse(200, b"[]")]
)
def test_another_answer_of_the_api_wants_attention(doctor: Doctor, response: HttpResponse) -> None:
    """API Gateway answers for a function that fails."""
    doctor.response = response
    assert doctor.line("signed call") == (
        "attention",
        f"HTTP {response.status}: see ApiErrorsAlarm in docs/operations.md",
    )


def test_log_is_searched_to_its_end(doctor: Doctor) -> None:
    """A page may be empty although there are more (AWS, FilterLogEvents)."""
    pages: Any = iter([{"events": [], "nextToken": "2"}, {"events": [{"timestamp": NOW}]}])
    doctor.cli.intercept("filter_log_events", lambda _call, **_: next(pages))
    assert doctor.line("last sweep") == ("ok", "0 s ago")


def test_resources_are_listed_to_their_end(doctor: Doctor) -> None:
    """Of each page of the stack's resources."""

    def page(_call: Any, *, StackName: str, NextToken: str = "0") -> Any:  # noqa: N803 - AWS
        assert StackName == "payresult"
        number, listed = int(NextToken), resources()
        more = {"NextToken": str(number + 1)} if number + 1 < len(listed) else {}
        return {"StackResourceSummaries": [listed[number]]} | more

    doctor.cli.intercept("list_stack_resources", page)
    assert doctor.line("alarms") == ("ok", f"all {len(ALARMS)} exist")


@pytest.mark.parametrize("name", ["payresult|payresult-AuditRule-X", "payresult-AuditRule-X"])
def test_the_audit_queue_is_no_subscriber(doctor: Doctor, name: str) -> None:
    """Only in the sandbox, whose demo reads it."""
    audit = resources()[-1] | {"LogicalResourceId": "AuditRule", "PhysicalResourceId": name}
    doctor.answers["list_stack_resources"] = {"StackResourceSummaries": [*resources(), audit]}
    doctor.answers["list_rules"] = rules(Name="payresult-AuditRule-X", State="ENABLED")
    assert doctor.line("subscribers")[0] == "attention"
    doctor.answers["describe_stacks"] = stack(Emulated="true")
    assert doctor.line("subscribers") == ("ok", "1 rule on the bus")


def test_what_waits_for_a_person_is_counted(doctor: Doctor, world: World) -> None:
    """By its reason."""
    world.register("p-1")
    world.register("p-2")
    world.table.change("p-1", attention="P000818#REVIEW", attentionSince=NOW)
    world.table.change("p-2", attention="P000818#DUPLICATE", attentionSince=NOW)
    state, text = doctor.line("attention")
    assert (state, text.split(":")[0]) == ("attention", "1 REVIEW, 1 DUPLICATE")


def paid_unsent(world: World) -> Payment:
    """Return a payment that was paid a day after it came, and whose event nobody has sent."""
    world.register("p-1")
    world.now += 24 * HOUR
    world.pay("p-1")
    return world.table.payment("p-1")


@pytest.mark.parametrize(
    ("age", "state", "text"),
    [(3 * MINUTE, "ok", "1, the oldest for 3 min"), (HOUR, "attention", "explain p-1")],
)
def test_an_old_unsent_event(doctor: Doctor, world: World, age: int, state: str, text: str) -> None:
    """Also one that was postponed; the stream and the sweeper have three minutes."""
    payment = paid_unsent(world)
    doctor.cli.now = payment.history[-1].at + age
    world.table.change("p-1", workAt=doctor.cli.now + 14 * MINUTE)
    found = doctor.line("unsent events")
    assert found[0] == state
    assert text in found[1]


def test_unsent_events_of_one_moment_are_all_counted(doctor: Doctor, world: World) -> None:
    """`republish` marks several in a millisecond."""
    payment = paid_unsent(world)
    world.pay("p-2")
    doctor.cli.now = payment.history[-1].at + MINUTE
    assert doctor.line("unsent events") == ("ok", "2, the oldest for 60 s")


def test_unsent_event_of_an_unreadable_payment_wants_attention(
    doctor: Doctor, world: World
) -> None:
    """Nobody sends it, and nobody can say how old it is."""
    payment = paid_unsent(world)
    world.table.change("p-1", schemaVersion=2)
    doctor.cli.now = payment.history[-1].at + MINUTE
    state, text = doctor.line("unsent events")
    assert state == "attention"
    assert text.startswith("1 payment not read: `cli/payresult explain p-1 ")


def test_a_check_that_nobody_sent_is_found(doctor: Doctor, world: World) -> None:
    """The sweeper comes each minute."""
    world.register("p-1")
    due = world.table.item("p-1")["workAt"]
    doctor.cli.now = int(due) + 4 * MINUTE
    assert doctor.line("late checks") == ("ok", "none")
    doctor.cli.now = int(due) + 6 * MINUTE
    assert "1 payment or more over 5 min late" in doctor.line("late checks")[1]


def camel(call: str) -> str:
    """Return the operation of a client's method."""
    return "".join(part.capitalize() for part in call.split("_"))


def test_each_missing_permission_is_named_and_the_other_checks_go_on(doctor: Doctor) -> None:
    """Exit code 1: nobody knows what these checks would find."""
    for call in doctor.answers.keys() - {"describe_stacks"}:
        doctor.answers[call] = error("AccessDeniedException", camel(call))
    doctor.response = HttpResponse(403, b"")
    records = doctor.run("--json").records
    assert [each["check"] for each in records] == [each.name for each in CHECKS]
    for check, record in zip(CHECKS, records, strict=True):
        if record["state"] == "denied":
            named = record["text"].split(" lack ")[1].split(":", 2)
            assert ":".join(named[:2]).split(" ")[0] in check.permissions
    fine = {each["check"] for each in records if each["state"] == "ok"}
    assert fine == {"stack", "attention", "unsent events", "late checks"}
    assert {each["state"] for each in records} == {"ok", "denied"}
    assert doctor.run().code == 1


def test_a_bug_is_not_hidden(doctor: Doctor) -> None:
    """It would look like a fault of the stack."""
    doctor.answers["describe_archive"] = {}
    with pytest.raises(KeyError):
        doctor.run()


def test_sandbox_shows_what_its_emulator_cannot(doctor: Doctor) -> None:
    """As unchecked, never as ok; that alone is exit code 0."""
    doctor.answers["describe_stacks"] = stack(Emulated="true")
    result = doctor.run("--json")
    unchecked = {it["check"] for it in result.records if it["state"] == "unchecked"}
    assert unchecked == {check.name for check in CHECKS if check.emulator}
    assert result.code == 0


def test_checks_run_at_the_same_time(doctor: Doctor) -> None:
    """The answer comes soon after the slowest of them."""
    together = Barrier(4, timeout=20)

    def wait(answer: dict[str, Any]) -> Callable[..., Any]:
        def handler(_call: Any, **_: Any) -> Any:
            together.wait()
            return answer

        return handler

    calls = ("get_account_settings", "describe_archive", "describe_rule", "list_rules")
    for call in calls:
        doctor.cli.intercept(call, wait(doctor.answers[call]))
    assert doctor.run().code == 0


def test_help_needs_no_library_but_click() -> None:
    """It is there within 0.1 s: the parts that take long to import are not."""
    program = (
        "import sys; from payresult_cli.app import main; main(['--help']);"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{ROOT / 'cli'}:{ROOT / 'layers/payresult/python'}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(ran.stderr.split())
    assert not loaded & {"boto3", "botocore", "pydantic", "urllib3", "payresult", "http", "ssl"}
