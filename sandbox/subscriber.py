"""Deploys the application of events/subscriber beside ours, on the same emulator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.deploy import ENVIRONMENT, deploy_template
from sandbox.packages import ROOT

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from sandbox.environment import Sandbox

STACK = "payresult-subscriber"

VISIBILITY_SECONDS = 6
"""How long a message that failed stays hidden; the template's figure is 180."""


def with_subscriber(sandbox: Sandbox) -> Sandbox:
    """The sandbox with a subscriber on its bus, whose stack's outputs are in `subscriber`."""
    values = {"EventBusName": sandbox.stack["EventBusName"], "EnvironmentName": ENVIRONMENT}
    template = ROOT / "events" / "subscriber" / "template.yaml"
    outputs = deploy_template(sandbox.account, STACK, template, values)
    sqs: SQSClient = sandbox.account.client("sqs")
    sqs.set_queue_attributes(
        QueueUrl=outputs["QueueUrl"], Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    )
    return replace(sandbox, subscriber=outputs)
