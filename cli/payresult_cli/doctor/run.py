"""The list of all checks, and how they are run: at the same time, none stopped by another."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from payresult_cli.doctor import alarms, functions, payments, surroundings
from payresult_cli.doctor.check import Check, Deployed, Finding, State, attention
from payresult_cli.errors import error_text, is_access_denied

POLICY = "docs/operations.md has the policy of doctor"

_RESOURCES = "cloudformation:ListStackResources"
_QUERY_WORK = "dynamodb:Query"
_NO_METRICS = "the emulator measures nothing, so no alarm changes"
_NOT_APPLIED = "the emulator does not apply this property of the template"
_LEFT_OUT = "the emulator does not have it, so the sandbox leaves it out"
_SANDBOX = "the sandbox is deployed without"

CHECKS = (
    Check("stack", surroundings.stack_status, ("cloudformation:DescribeStacks",)),
    Check("functions", functions.active, ("lambda:GetFunctionConfiguration",)),
    Check("code", functions.code, ("lambda:GetFunctionConfiguration", "lambda:GetLayerVersion")),
    Check("queue mapping", functions.queue_mapping, ("lambda:ListEventSourceMappings",)),
    Check("stream mapping", functions.stream_mapping, ("lambda:ListEventSourceMappings",)),
    Check(
        "loop detection",
        functions.loop_detection,
        ("lambda:GetFunctionRecursionConfig",),
        _NOT_APPLIED,
    ),
    Check("reserved", functions.reserved_concurrency, ("lambda:GetFunctionConcurrency",)),
    Check("account", functions.account_concurrency, ("lambda:GetAccountSettings",)),
    Check("sweeper rule", surroundings.schedule, (_RESOURCES, "events:DescribeRule")),
    Check("last sweep", surroundings.heartbeat, ("logs:FilterLogEvents",)),
    Check("checks queue", surroundings.queue, ("sqs:GetQueueAttributes",)),
    Check("dead letters", surroundings.dead_letters, ("sqs:GetQueueAttributes",)),
    Check("attention", payments.waiting, (_QUERY_WORK,)),
    Check("unsent events", payments.unsent_events, (_QUERY_WORK, "dynamodb:BatchGetItem")),
    Check("late checks", payments.late_checks, (_QUERY_WORK,)),
    Check("table", payments.table, ("dynamodb:DescribeTable",)),
    Check("protection", payments.protection, ("dynamodb:DescribeTable",), _SANDBOX),
    Check("recovery", payments.recovery, ("dynamodb:DescribeContinuousBackups",), _NOT_APPLIED),
    Check("time to live", payments.time_to_live, ("dynamodb:DescribeTimeToLive",), _NOT_APPLIED),
    Check("alarms", alarms.existing, (_RESOURCES, "cloudwatch:DescribeAlarms")),
    Check("raised", alarms.raised, (_RESOURCES, "cloudwatch:DescribeAlarms"), _NO_METRICS),
    Check(
        "notified",
        alarms.notified,
        (_RESOURCES, "cloudwatch:DescribeAlarms", "sns:ListSubscriptionsByTopic"),
        _SANDBOX,
    ),
    Check("bus policy", surroundings.bus_policy, ("events:DescribeEventBus",), _LEFT_OUT),
    Check("archive", surroundings.archive, (_RESOURCES, "events:DescribeArchive"), _LEFT_OUT),
    Check("subscribers", surroundings.subscribers, (_RESOURCES, "events:ListRules")),
    Check("signed call", surroundings.signed_call, ("execute-api:Invoke",)),
)
"""All checks, in the order in which they are shown."""


def run_checks(deployed: Deployed) -> Iterator[tuple[Check, Finding]]:
    """Run all checks at the same time, and yield each with its finding in the order of CHECKS."""
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        running = [pool.submit(_finding, check, deployed) for check in CHECKS]
        for check, future in zip(CHECKS, running, strict=True):
            yield check, future.result()


def _finding(check: Check, deployed: Deployed) -> Finding:
    if deployed.emulated and check.emulator:
        return Finding(State.UNCHECKED, f"cannot be checked here: {check.emulator}")
    try:
        return check.run(deployed)
    except PermissionError as error:
        return _denied(str(error))
    except Exception as error:
        if isinstance(error, ClientError) and is_access_denied(error):
            return _denied(_permission(check, error))
        text = error_text(error)
        if text is None:
            raise
        return attention(text)


def _denied(permission: str) -> Finding:
    return Finding(State.DENIED, f"these credentials lack {permission}: {POLICY}")


def _permission(check: Check, error: ClientError) -> str:
    """Return the permission of the call that was denied.

    It has the call's name, or its beginning: GetLayerVersionByArn needs lambda:GetLayerVersion
    (AWS, "Actions, resources, and condition keys for AWS Lambda").
    """
    call = error.operation_name
    needed = (it for it in check.permissions if call.startswith(it.partition(":")[2]))
    return next(needed, call)
