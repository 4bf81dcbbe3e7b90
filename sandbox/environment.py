"""Starts emulator, gateway, deployed template and signing proxy, and stops them in order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.credentials import REGION, Credentials, root_credentials
from sandbox.deploy import STACK_NAME, deploy
from sandbox.emulator import Emulator
from sandbox.gateway import SimulatedGateway
from sandbox.page.pages import Pages
from sandbox.signing_proxy import SigningProxy
from sandbox.subscriber import deploy_subscriber

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

CHECK_DELAYS = (1, 1, 1, 2, 2, 3, 3, 5, 5, 10, 10, 15)
"""Seconds between the checks of a payment; short, so that a person can watch them."""

VISIBILITY_SECONDS = 6
"""Visibility timeout of the checks queue: a malformed message is in the DLQ after five times that.
Longer than a check takes on a busy machine, except with a gateway that hangs: such a check is
started twice, which does no harm."""

EXTERNAL_VISIBILITY_SECONDS = 20
"""The same with an external gateway, which should not be asked twice when it is slow."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The running system: what `outputs.json` has, and what only the demo and the tests use."""

    credentials: Credentials
    stack: dict[str, str]
    api_url: str
    gateway_url: str
    gateway: SimulatedGateway | None
    subscriber: dict[str, str] | None = None

    @property
    def outputs(self) -> dict[str, str]:
        """The content of `outputs.json`."""
        return {
            "apiUrl": self.api_url,
            "awsEndpoint": self.credentials.endpoint,
            "region": REGION,
            "accessKeyId": self.credentials.access_key_id,
            "secretAccessKey": self.credentials.secret_access_key,
            "checksQueueUrl": self.stack["ChecksQueueUrl"],
            "deadLetterQueueUrl": self.stack["DeadLetterQueueUrl"],
            "tableName": self.stack["TableName"],
            "eventBusName": self.stack["EventBusName"],
            "auditQueueUrl": self.stack["AuditQueueUrl"],
            "gatewayUrl": self.gateway_url,
            **self._subscriber_outputs,
        }

    @property
    def _subscriber_outputs(self) -> dict[str, str]:
        if self.subscriber is None:
            return {}
        return {"activationsTableName": self.subscriber["ActivationsTableName"]}

    def set_visibility_timeout(self, seconds: int) -> None:
        """Set the visibility timeout of the checks queue; the template has 120 s.

        On the deployed queue, so that the template needs no parameter for it.
        """
        sqs: SQSClient = self.credentials.client("sqs")
        attributes: dict[QueueAttributeNameType, str] = {"VisibilityTimeout": str(seconds)}
        sqs.set_queue_attributes(QueueUrl=self.stack["ChecksQueueUrl"], Attributes=attributes)

    def role_arn(self, logical_name: str) -> str:
        """The ARN of a role of the stack."""
        cloudformation: CloudFormationClient = self.credentials.client("cloudformation")
        found = cloudformation.describe_stack_resource(
            StackName=STACK_NAME, LogicalResourceId=logical_name
        )["StackResourceDetail"]
        iam: IAMClient = self.credentials.client("iam")
        return iam.get_role(RoleName=found["PhysicalResourceId"])["Role"]["Arn"]


@contextmanager
def start_sandbox(
    directory: Path,
    port: int,
    external_gateway_url: str | None = None,
    delays: Sequence[int] = CHECK_DELAYS,
    *,
    with_subscriber: bool = False,
) -> Iterator[Sandbox]:
    """The sandbox with its files in *directory* and its proxy at *port* (0: any free port).

    With *external_gateway_url* no gateway is simulated; *with_subscriber* deploys
    events/subscriber too.
    """
    with ExitStack() as parts:
        proxy = parts.enter_context(closing(SigningProxy(port)))
        gateway = None if external_gateway_url else parts.enter_context(SimulatedGateway())
        gateway_url = gateway.url if gateway else str(external_gateway_url)
        emulator = parts.enter_context(Emulator(directory))
        credentials = root_credentials(emulator.endpoint).create_user("sandbox", "*")
        stack = deploy(credentials, gateway_url, delays)
        caller = credentials.create_user("signing-proxy", "execute-api:Invoke")
        proxy.start(caller, stack["ApiId"])
        sandbox = Sandbox(credentials, stack, proxy.url, gateway_url, gateway)
        sandbox.set_visibility_timeout(
            VISIBILITY_SECONDS if gateway else EXTERNAL_VISIBILITY_SECONDS
        )
        if with_subscriber:
            sandbox = deploy_subscriber(sandbox)
        proxy.serve_pages(parts.enter_context(closing(Pages(sandbox))))
        yield sandbox


def write_outputs(sandbox: Sandbox, path: Path) -> None:
    """Write `outputs.json` atomically."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(sandbox.outputs, indent=2) + "\n", encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(path)
