"""The deployment that a command works on: its resources, its settings, and the AWS session."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.items import SCHEMA_VERSION
from payresult_cli.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

SANDBOX_OUTPUTS = Path(__file__).parents[2] / ".sandbox" / "outputs.json"
_CLIENT_CONFIG = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5}
)
_SANDBOX_CONFIG = _CLIENT_CONFIG.merge(Config(proxies={}))  # HTTP_PROXY is not for loopback

_NO_SETTINGS: dict[str, Any] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Of a botocore session that reads no AWS_PROFILE and no file of the user's: name in the file,
environment variable, default, conversion (botocore.session.Session, session_vars)."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: the outputs and parameters that commands need, and an AWS session."""

    name: str
    partner_code: str
    table_name: str
    queue_url: str
    dead_letter_queue_url: str
    api_url: str
    check_delays: str
    failed_pay_rst_values: str
    retention_days: int
    session: boto3.Session
    endpoint_url: str | None = None

    def client(self, service: str) -> Any:
        """Return a boto3 client of *service*."""
        return self.session.client(  # type: ignore[call-overload]  # the stubs know literal names only
            service, endpoint_url=self.endpoint_url, config=_config(self.endpoint_url)
        )

    def repository(self) -> PaymentRepository:
        """Return the stored payments."""
        client = self.client("dynamodb")
        return PaymentRepository(client, self.table_name, self.partner_code, time.sleep)


def load_stack(name: str, *, sandbox: bool) -> Stack:
    """Return the stack *name* of the usual AWS environment, or the sandbox's stack."""
    if sandbox:
        return find_sandbox(SANDBOX_OUTPUTS)
    # boto3 by itself reads AWS_DEFAULT_REGION only; the AWS CLI and the other SDKs read this one.
    return find_stack(boto3.Session(region_name=os.environ.get("AWS_REGION")), name)


def find_sandbox(outputs_file: Path) -> Stack:
    """Return the stack of the running sandbox that wrote *outputs_file*."""
    try:
        outputs = json.loads(outputs_file.read_text(encoding="utf-8"))
        keys = outputs["accessKeyId"], outputs["secretAccessKey"]
        # The template names the bus after the stack; the sandbox serves the API at another URL.
        location = outputs["eventBusName"], outputs["awsEndpoint"], outputs["apiUrl"]
        own = botocore.session.Session(_NO_SETTINGS)
        session = boto3.Session(*keys, region_name=outputs["region"], botocore_session=own)
    except FileNotFoundError:
        raise CommandError(
            "no sandbox is running in this clone: start it with `make sandbox`,"
            " and wait for the end of its demo"
        ) from None
    except (KeyError, TypeError, ValueError):
        raise CommandError(
            f"{outputs_file} is not a valid sandbox file: restart the sandbox"
        ) from None
    return find_stack(session, *location)


def find_stack(
    session: boto3.Session, name: str, endpoint_url: str | None = None, api_url: str | None = None
) -> Stack:
    """Return the stack that CloudFormation describes under *name*."""
    client: CloudFormationClient = session.client(
        "cloudformation", None, endpoint_url=endpoint_url, config=_config(endpoint_url)
    )
    description = _describe(client, name)
    outputs = {each["OutputKey"]: each["OutputValue"] for each in description.get("Outputs", [])}
    parameters = {
        each["ParameterKey"]: each.get("ParameterValue", "")
        for each in description.get("Parameters", [])
    }
    output, parameter = partial(_value, name, outputs), partial(_value, name, parameters)
    _require_same_schema(name, output("SchemaVersion"))
    return Stack(
        name=name,
        partner_code=parameter("PartnerCode"),
        table_name=output("TableName"),
        queue_url=output("ChecksQueueUrl"),
        dead_letter_queue_url=output("DeadLetterQueueUrl"),
        api_url=api_url or output("ApiUrl"),
        check_delays=parameter("CheckDelays"),
        failed_pay_rst_values=parameter("FailedPayRstValues"),
        retention_days=int(parameter("RetentionDays")),
        session=session,
        endpoint_url=endpoint_url,
    )


def _config(endpoint_url: str | None) -> Config:
    return _SANDBOX_CONFIG if endpoint_url else _CLIENT_CONFIG


def _describe(client: "CloudFormationClient", name: str) -> Any:
    try:
        return client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        region = client.meta.region_name
        raise CommandError(
            f"no stack {name!r} in {region}: name it with --stack, or set AWS_REGION or AWS_PROFILE"
        ) from None


def _require_same_schema(name: str, deployed: str) -> None:
    """Refuse to write items that the deployed functions would not understand."""
    if deployed != str(SCHEMA_VERSION):
        raise CommandError(
            f"stack {name!r} stores payments in version {deployed}, this clone in version"
            f" {SCHEMA_VERSION}: use a clone of the release that is deployed"
        )


def _value(stack_name: str, values: Mapping[str, str], name: str) -> str:
    try:
        return values[name]
    except KeyError:
        raise CommandError(
            f"stack {stack_name!r} has no {name}:"
            " is it a payresult stack, and is its deployment complete?"
        ) from None
