"""Puts the simulated gateway and a subscriber's queue beside a stack, and takes them away again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sandbox import provider

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

FOLDER = Path(__file__).parent
ENVIRONMENT = "acceptance"
"""The EnvironmentName of a stack that may be tested: its gateway is exchanged for the run."""

_IMPORT = "from sandbox.provider import reply_to, verdict_on\n"
_CAPABILITIES: Any = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
_WAIT: Any = {"Delay": 2, "MaxAttempts": 450}


class Refused(Exception):
    """The stack is not there for tests."""


def describe(client: CloudFormationClient, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return outputs and parameters of a stack."""
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    outputs = {it["OutputKey"]: it["OutputValue"] for it in stack.get("Outputs", [])}
    parameters = stack.get("Parameters", [])
    given = {it["ParameterKey"]: it.get("ParameterValue", "") for it in parameters}
    return outputs, given


@contextmanager
def beside(client: CloudFormationClient, name: str) -> Iterator[dict[str, str]]:
    """Deploy acceptance/template.yaml beside the stack *name*; yield its outputs, then delete it.

    Refused if the stack's EnvironmentName is not ENVIRONMENT: a production stack is never tested.
    """
    outputs, parameters = describe(client, name)
    if "EnvironmentName" not in parameters or "EventBusName" not in outputs:
        raise Refused(f"stack {name!r} is none of payresult")
    if parameters["EnvironmentName"] != ENVIRONMENT:
        raise Refused(
            f"stack {name!r} has EnvironmentName={parameters['EnvironmentName']}: deploy one with"
            f" EnvironmentName={ENVIRONMENT} for this (docs/acceptance.md)"
        )
    own = f"{name}-acceptance"
    client.create_stack(
        StackName=own,
        TemplateBody=template(),
        Parameters=[{"ParameterKey": "EventBusName", "ParameterValue": outputs["EventBusName"]}],
        Capabilities=_CAPABILITIES,
    )
    try:
        client.get_waiter("stack_create_complete").wait(StackName=own, WaiterConfig=_WAIT)
        yield describe(client, own)[0]
    finally:
        client.delete_stack(StackName=own)
        client.get_waiter("stack_delete_complete").wait(StackName=own, WaiterConfig=_WAIT)


@contextmanager
def parameters_changed(client: CloudFormationClient, name: str, **changed: str) -> Iterator[None]:
    """Update the stack's parameters, and set them back at the end, also after half an update."""
    _, before = describe(client, name)
    try:
        update(client, name, **changed)
        yield
    finally:
        update(client, name, **{key: before[key] for key in changed})


def update(client: CloudFormationClient, name: str, **changed: str) -> None:
    """Deploy the stack's own template again with other parameters.

    CloudFormation refuses an update that changes nothing, and one during another (AWS,
    UpdateStack).
    """
    _wait_until_at_rest(client, name)
    _, given = describe(client, name)
    if changed.items() <= given.items():
        return
    parameters: Any = [
        {"ParameterKey": key, "ParameterValue": changed[key]}
        if key in changed
        else {"ParameterKey": key, "UsePreviousValue": True}
        for key in given
    ]
    client.update_stack(
        StackName=name,
        UsePreviousTemplate=True,
        Parameters=parameters,
        Capabilities=_CAPABILITIES,
    )
    client.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig=_WAIT)


def _wait_until_at_rest(client: CloudFormationClient, name: str) -> None:
    for _ in range(_WAIT["MaxAttempts"]):
        status = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            return
        time.sleep(_WAIT["Delay"])


def template() -> str:
    """Return acceptance/template.yaml with the gateway's code in it.

    CloudFormation makes it the file index.py (AWS, AWS::Lambda::Function Code, ZipFile).
    """
    text = (FOLDER / "template.yaml").read_text(encoding="utf-8")
    code = gateway_code()
    quoted = yaml.safe_dump(code, default_style='"', width=1_000_000).strip()
    return text.replace("GATEWAY_CODE", quoted)


def gateway_code() -> str:
    """Return the gateway as one file: the provider's rules, and the function without its import."""
    rules = Path(provider.__file__).read_text(encoding="utf-8")
    function = (FOLDER / "gateway_function.py").read_text(encoding="utf-8")
    return f"{rules}\n{function.replace(_IMPORT, '')}"
