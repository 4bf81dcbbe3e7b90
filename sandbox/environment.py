"""Joins the parts: emulator, gateway, deployed template and front, ended in order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.credentials import REGION, Account, root
from sandbox.deploy import STACK, deploy
from sandbox.emulator import Emulator
from sandbox.gateway import SimulatedGateway
from sandbox.page.pages import Pages
from sandbox.signing_proxy import Front
from sandbox.subscriber import with_subscriber

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

CHECK_DELAYS = (1, 1, 1, 2, 2, 3, 3, 5, 5, 10, 10, 15)
"""Seconds from one check to the next: short, so that one can watch a payment being followed."""

VISIBILITY_SECONDS = 6
"""How long a message stays hidden: a malformed one is in the DLQ after five times that. Longer
than any check takes, also on a busy machine, but for those of a gateway that hangs: they are
begun twice then, which does no harm."""

VISIBILITY_ELSEWHERE = 20
"""The same with another gateway, which should not be asked twice for being slow."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The running system: what `outputs.json` says, and what only the story and tests use."""

    account: Account
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
            "awsEndpoint": self.account.endpoint,
            "region": REGION,
            "accessKeyId": self.account.access_key_id,
            "secretAccessKey": self.account.secret_access_key,
            "checksQueueUrl": self.stack["ChecksQueueUrl"],
            "deadLetterQueueUrl": self.stack["DeadLetterQueueUrl"],
            "tableName": self.stack["TableName"],
            "eventBusName": self.stack["EventBusName"],
            "auditQueueUrl": self.stack["AuditQueueUrl"],
            "gatewayUrl": self.gateway_url,
            **self._of_subscriber,
        }

    @property
    def _of_subscriber(self) -> dict[str, str]:
        if self.subscriber is None:
            return {}
        return {"activationsTableName": self.subscriber["ActivationsTableName"]}

    def hide_messages(self, seconds: int) -> None:
        """Set how long a message that somebody took stays hidden; the template's figure is 120.

        On the running queue, so that the template need not know of it.
        """
        sqs: SQSClient = self.account.client("sqs")
        hidden: dict[QueueAttributeNameType, str] = {"VisibilityTimeout": str(seconds)}
        sqs.set_queue_attributes(QueueUrl=self.stack["ChecksQueueUrl"], Attributes=hidden)

    def role(self, logical_name: str) -> str:
        """The ARN of a role of the stack."""
        cloudformation: CloudFormationClient = self.account.client("cloudformation")
        found = cloudformation.describe_stack_resource(
            StackName=STACK, LogicalResourceId=logical_name
        )["StackResourceDetail"]
        iam: IAMClient = self.account.client("iam")
        return iam.get_role(RoleName=found["PhysicalResourceId"])["Role"]["Arn"]


@contextmanager
def running(
    directory: Path,
    port: int,
    other_gateway: str | None = None,
    delays: Sequence[int] = CHECK_DELAYS,
    *,
    subscribed: bool = False,
) -> Iterator[Sandbox]:
    """The sandbox with its files in *directory* and its front at *port* (0: any that is free).

    *other_gateway* is a base URL that takes the simulated gateway's place; with *subscribed*,
    events/subscriber is deployed too.
    """
    with ExitStack() as parts:
        front = parts.enter_context(closing(Front(port)))
        gateway = None if other_gateway else parts.enter_context(SimulatedGateway())
        gateway_url = gateway.url if gateway else str(other_gateway)
        emulator = parts.enter_context(Emulator(directory))
        account = root(emulator.endpoint).user("sandbox", "*")
        stack = deploy(account, gateway_url, delays)
        _adapt(account, stack)
        front.serve(account.user("front", "execute-api:Invoke"), stack["ApiId"])
        sandbox = Sandbox(account, stack, front.url, gateway_url, gateway)
        sandbox.hide_messages(VISIBILITY_SECONDS if gateway else VISIBILITY_ELSEWHERE)
        if subscribed:
            sandbox = with_subscriber(sandbox)
        front.show(parts.enter_context(closing(Pages(sandbox))))
        yield sandbox


def write_outputs(sandbox: Sandbox, path: Path) -> None:
    """Write `outputs.json` so that nobody ever reads half of it."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(sandbox.outputs, indent=2) + "\n", encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(path)


def _adapt(account: Account, stack: dict[str, str]) -> None:
    """Change on the running system what the template cannot say for the emulator's sake.

    It keeps a MaximumConcurrency that comes from a parameter as text, and then polls nothing.
    """
    functions: LambdaClient = account.client("lambda")
    found = functions.list_event_source_mappings(FunctionName=stack["ChecksFunctionName"])
    for mapping in found["EventSourceMappings"]:
        most = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        functions.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": most}
        )
