"""Deploys templates on the emulator as `sam deploy` does, with a change set."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sandbox.credentials import REGION, Credentials
from sandbox.packages import ROOT, package
from sandbox.waiting import wait_for

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

STACK_NAME = "payresult-sandbox"
PARTNER_CODE = "P000818"
ENVIRONMENT_NAME = "sandbox"

_LOCAL_URI = re.compile(r"^(\s+(?:CodeUri|ContentUri):\s*)(\S+)\s*$", re.MULTILINE)
_TIMEOUT_SECONDS = 60


class DeploymentFailed(Exception):
    """The stack was rejected or rolled back; the message has CloudFormation's reasons."""


def deploy(credentials: Credentials, gateway_url: str, delays: Sequence[int]) -> dict[str, str]:
    """Deploy template.yaml with the gateway at *gateway_url*; the outputs of the stack.

    *delays* are the seconds between the checks of a payment.
    """
    return deploy_template(
        credentials, STACK_NAME, ROOT / "template.yaml", parameters(gateway_url, delays)
    )


def deploy_template(
    credentials: Credentials, stack: str, template: Path, values: Mapping[str, str]
) -> dict[str, str]:
    """Deploy *template* as *stack* with the parameters *values*; the outputs of the stack."""
    url = _upload(credentials.client("s3"), f"{stack}-artifacts", template)
    cloudformation: CloudFormationClient = credentials.client("cloudformation")
    try:
        _execute(cloudformation, stack, url, values)
    except ClientError as error:
        raise DeploymentFailed(str(error)) from error
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    if found["StackStatus"] != "CREATE_COMPLETE":
        raise DeploymentFailed(_reasons(cloudformation, stack))
    _fix_concurrency(credentials.client("lambda"))
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def parameters(gateway_url: str, delays: Sequence[int]) -> dict[str, str]:
    """The parameters of template.yaml that differ from their defaults in the sandbox."""
    return {
        "PartnerCode": PARTNER_CODE,
        "GatewayBaseUrl": gateway_url,
        "EnvironmentName": ENVIRONMENT_NAME,
        "CheckDelays": ",".join(map(str, delays)),
        "DeletionProtection": "false",
        "AuditQueue": "true",
        "Architecture": "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64",
        "Emulated": "true",
    }


def _upload(s3: S3Client, bucket: str, template: Path) -> str:
    """Upload the code that *template* refers to, and its text with the S3 URIs; the text's URL.

    A template of over 51,200 bytes is only taken from S3 (AWS, CloudFormation quotas).
    """
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def uploaded(match: re.Match[str]) -> str:
        content = package(template.parent / match[2])
        key = hashlib.sha256(content).hexdigest()
        s3.put_object(Bucket=bucket, Key=key, Body=content)
        return f"{match[1]}s3://{bucket}/{key}"

    body = _LOCAL_URI.sub(uploaded, template.read_text(encoding="utf-8"))
    s3.put_object(Bucket=bucket, Key=template.name, Body=body.encode())
    return f"{s3.meta.endpoint_url}/{bucket}/{template.name}"


def _execute(
    cloudformation: CloudFormationClient, stack: str, url: str, values: Mapping[str, str]
) -> None:
    change_set = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName="create",
        ChangeSetType="CREATE",
        TemplateURL=url,
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in values.items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )["Id"]

    def created() -> bool:
        state = cloudformation.describe_change_set(ChangeSetName=change_set)
        if state["Status"] == "FAILED":
            raise DeploymentFailed(state["StatusReason"])
        return state["Status"] == "CREATE_COMPLETE"

    def finished() -> bool:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        return not found["StackStatus"].endswith("IN_PROGRESS")

    wait_for("the change set", created, _TIMEOUT_SECONDS)
    cloudformation.execute_change_set(ChangeSetName=change_set)
    wait_for("the stack", finished, _TIMEOUT_SECONDS)


def _reasons(cloudformation: CloudFormationClient, stack: str) -> str:
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    return "\n".join(
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for event in reversed(failed)
    )


def _fix_concurrency(functions: LambdaClient) -> None:
    """Set the MaximumConcurrency of each queue as a number.

    The emulator stores the value of a template parameter as text, and then polls neither that
    queue nor those of later stacks.
    """
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if "ScalingConfig" in mapping:
            maximum = int(mapping["ScalingConfig"]["MaximumConcurrency"])
            functions.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": maximum}
            )
