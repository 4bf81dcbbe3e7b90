"""template.yaml as plain data, for the tests of the template."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("Api", "Checks", "Publisher", "Sweeper")
MADE = {
    "AWS::StackName": "payresult",
    "Table": "payments",
    "ChecksQueue": "https://sqs.eu-central-1.amazonaws.com/123456789012/checks",
    "EventBus": "payresult",
}
"""Resources that a deployment creates, by the name that the template refers to."""

AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""The environment of a process without the developer's AWS account."""


class _Loader(yaml.CSafeLoader):
    """A safe loader that also knows the short forms of CloudFormation."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """Return the long form: ``!Ref x`` is {"Ref": x}, ``!GetAtt a.b`` {"Fn::GetAtt": [a, b]}."""
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise yaml.constructor.ConstructorError(None, None, f"unexpected !{suffix}")
    if suffix == "Ref":
        return {"Ref": value}
    return {f"Fn::{suffix}": value.split(".", 1) if suffix == "GetAtt" else value}


_Loader.add_multi_constructor("!", _short_form)


def load(path: Path = ROOT / "template.yaml") -> dict[str, Any]:
    """Return the template as plain data, with its short forms expanded."""
    text = path.read_text(encoding="utf-8")
    template: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    return template


TEMPLATE = load()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def properties(name: str) -> dict[str, Any]:
    """Return the properties of the resource called *name*."""
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of each resource of the type *kind*, by name."""
    return {name: properties(name) for name, it in RESOURCES.items() if it["Type"] == kind}


def environment() -> dict[str, Any]:
    """Return the environment variables that every function gets, unresolved."""
    found: dict[str, Any] = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    return found


def deployed_environment(**chosen: str) -> dict[str, str]:
    """Return that environment in a deployment with the parameters *chosen*."""
    parameters = TEMPLATE["Parameters"].items()
    known = {name: it["Default"] for name, it in parameters if "Default" in it}
    known |= {"PartnerCode": "P000818"} | MADE | chosen
    values = environment().items()
    return {name: str(known[it["Ref"]]) if isinstance(it, dict) else it for name, it in values}


def statements(name: str) -> list[dict[str, Any]]:
    """Return the statements of the role called *name*."""
    return [
        statement
        for policy in properties(name)["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def walk(node: object) -> Iterator[object]:
    """Yield *node* and everything inside it."""
    yield node
    if isinstance(node, dict):
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)
