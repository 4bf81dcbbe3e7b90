"""Deploys the example application events/subscriber on the same emulator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.deploy import ENVIRONMENT_NAME, deploy_template
from sandbox.packages import ROOT

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from sandbox.environment import Sandbox

STACK_NAME = "payresult-subscriber"

VISIBILITY_SECONDS = 6
"""Visibility timeout of its queue; the template has 180."""


def deploy_subscriber(sandbox: Sandbox) -> Sandbox:
    """The sandbox with a subscriber on its bus; its stack's outputs are in `subscriber`."""
    values = {"EventBusName": sandbox.stack["EventBusName"], "EnvironmentName": ENVIRONMENT_NAME}
    template = ROOT / "events" / "subscriber" / "template.yaml"
    outputs = deploy_template(sandbox.credentials, STACK_NAME, template, values)
    sqs: SQSClient = sandbox.credentials.client("sqs")
    sqs.set_queue_attributes(
        QueueUrl=outputs["QueueUrl"], Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    )
    return replace(sandbox, subscriber=outputs)
