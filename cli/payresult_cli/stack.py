"""The deployment that a command works on: where its parts are, and with whose keys."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from payresult.aws.dynamodb import PaymentRepository
from payresult_cli.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

SANDBOX = Path(__file__).parents[2] / ".sandbox" / "outputs.json"
_CONFIG = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5}
)


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of payresult: the outputs and parameters that commands need, and a session."""

    name: str
    partner_code: str
    table: str
    queue_url: str
    dead_letter_url: str
    api_url: str
    check_delays: str
    failed_pay_rst_values: str
    session: boto3.Session
    endpoint: str | None = None

    def client(self, service: str) -> Any:
        """Return a boto3 client of *service*."""
        return self.session.client(service, endpoint_url=self.endpoint, config=_CONFIG)  # type: ignore[call-overload]  # the stubs know literal names only

    def store(self) -> PaymentRepository:
        """Return the payments."""
        return PaymentRepository(self.client("dynamodb"), self.table, self.partner_code)


def find(stack: str, *, sandbox: bool) -> Stack:
    """Return the stack of this name in the usual AWS environment, or the sandbox's."""
    if sandbox:
        return find_sandbox(SANDBOX)
    # boto3 by itself reads AWS_DEFAULT_REGION only; the AWS CLI and the other SDKs read this one.
    return find_stack(boto3.Session(region_name=os.environ.get("AWS_REGION")), stack)


def find_sandbox(outputs: Path) -> Stack:
    """Return the system of which a running sandbox wrote *outputs*."""
    try:
        found = json.loads(outputs.read_text(encoding="utf-8"))
        keys = found["accessKeyId"], found["secretAccessKey"]
        # The template names the bus after the stack; the API is reached by the sandbox's front.
        place = found["eventBusName"], found["awsEndpoint"], found["apiUrl"]
        session = boto3.Session(*keys, region_name=found["region"])
    except FileNotFoundError:
        raise CommandError(
            "no sandbox is running in this checkout: start it with `make sandbox`"
        ) from None
    except (KeyError, TypeError, ValueError):
        raise CommandError(f"{outputs} is not what a sandbox writes: start it anew") from None
    return find_stack(session, *place)


def find_stack(
    session: boto3.Session, name: str, endpoint: str | None = None, api_url: str | None = None
) -> Stack:
    """Return the system that CloudFormation describes under *name*."""
    client: CloudFormationClient = session.client(
        "cloudformation", None, endpoint_url=endpoint, config=_CONFIG
    )
    try:
        stack: Any = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        region = client.meta.region_name
        raise CommandError(
            f"no stack {name!r} in {region}: name it with --stack, or set AWS_REGION or AWS_PROFILE"
        ) from None
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    given = {
        each["ParameterKey"]: each.get("ParameterValue", "") for each in stack.get("Parameters", [])
    }
    output, parameter = partial(_of, name, outputs), partial(_of, name, given)
    return Stack(
        name=name,
        partner_code=parameter("PartnerCode"),
        table=output("TableName"),
        queue_url=output("ChecksQueueUrl"),
        dead_letter_url=output("DeadLetterQueueUrl"),
        api_url=api_url or output("ApiUrl"),
        check_delays=parameter("CheckDelays"),
        failed_pay_rst_values=parameter("FailedPayRstValues"),
        session=session,
        endpoint=endpoint,
    )


def _of(stack: str, values: Mapping[str, str], name: str) -> str:
    try:
        return values[name]
    except KeyError:
        raise CommandError(
            f"stack {stack!r} has no {name}: is it payresult's, and is its deployment complete?"
        ) from None
