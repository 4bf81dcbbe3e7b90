"""`make acceptance STACK=…`: plays the cases against a stack on AWS; EMULATOR=1 against a sandbox.

Exits 1 if a case failed, 2 if it could not begin or was stopped. With EMULATOR=1 the table is also
written into docs/acceptance.md.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from acceptance.deployment import (
    ENVIRONMENT,
    Refused,
    beside,
    describe,
    parameters_changed,
    update,
)
from acceptance.loopback import loopback_gateway
from acceptance.process import ignore_settings
from acceptance.report import FAILED, Result, run_cases, table, write
from acceptance.target import CHECK_DELAYS, SERVICES, Emulator, Target
from sandbox.audit import AuditQueueReader
from sandbox.client import Client
from sandbox.environment import VISIBILITY_SECONDS, start_sandbox
from sandbox.packages import ROOT
from sandbox.signals import Stopped, catch_stop_signals, ignore_stop_signals

CONNECTIONS = 20
"""Of each client: more than cases run at the same time."""

NO_GATEWAY = "http://127.0.0.1:9"
"""The port for "discard" (RFC 863): nothing answers there."""

DOCUMENT = ROOT / "docs" / "acceptance.md"


def main() -> int:
    """Run it; return the exit code."""
    name = os.environ.get("STACK", "")
    emulator = bool(os.environ.get("EMULATOR"))
    if not name and not emulator:
        return _error("name a stack for tests: make acceptance STACK=payresult-acceptance")
    if emulator:
        ignore_settings()
    catch_stop_signals()
    try:
        with on_emulator() if emulator else on_aws(name) as target:
            results = _run(target)
            ignore_stop_signals()
    except (Refused, BotoCoreError, ClientError) as error:
        return _error(str(error))
    except Stopped:
        return _error("stopped")
    text = table(
        results, "On the emulator" if emulator else f"On AWS, {target.session.region_name}"
    )
    print(text)  # noqa: T201 - the result of the run
    if emulator:
        write(DOCUMENT, text)
    return 1 if any(each.outcome == FAILED for each in results) else 0


@contextmanager
def on_aws(name: str) -> Iterator[Target]:
    """Yield the stack *name* of the usual AWS environment with the simulated gateway."""
    session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
    with played(session, name) as target:
        yield target


@contextmanager
def on_emulator() -> Iterator[Target]:
    """Yield a stack of its own on the emulator, with the gateway on loopback.

    It is deployed for a gateway that does not answer, and updated as on AWS.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        loopback_gateway() as gateway_url,
        start_sandbox(Path(folder), 0, NO_GATEWAY) as sandbox,
    ):
        sandbox.set_visibility_timeout(VISIBILITY_SECONDS)
        credentials, name = sandbox.credentials, sandbox.stack["EventBusName"]
        session = boto3.Session(
            credentials.access_key_id,
            credentials.secret_access_key,
            region_name=sandbox.outputs["region"],
        )
        api_url = f"{credentials.endpoint}/_aws/execute-api/{sandbox.stack['ApiId']}"
        emulator = Emulator(credentials.endpoint, gateway_url, api_url, Client(sandbox))
        cloudformation = session.client("cloudformation", endpoint_url=emulator.endpoint_url)
        update(cloudformation, name, EnvironmentName=ENVIRONMENT)
        with played(session, name, emulator) as target:
            yield target


@contextmanager
def played(session: boto3.Session, name: str, emulator: Emulator | None = None) -> Iterator[Target]:
    """Put gateway and queue beside the stack, yield it, and take all of this run away again."""
    endpoint_url = emulator.endpoint_url if emulator else None
    clients = _clients(session, endpoint_url)
    cloudformation = clients["cloudformation"]
    with beside(cloudformation, name) as own:
        changed = {
            "GatewayBaseUrl": emulator.gateway_url if emulator else own["GatewayBaseUrl"],
            "CheckDelays": ",".join(map(str, CHECK_DELAYS)),
        }
        with parameters_changed(cloudformation, name, **changed):
            outputs, _ = describe(cloudformation, name)
            with AuditQueueReader(clients["sqs"], own["EventsQueueUrl"]) as events:
                run = str(int(time.time()))
                target = Target(session, clients, name, outputs, events, run, emulator)
                try:
                    yield target
                finally:
                    _remove(target)


def _clients(session: boto3.Session, endpoint_url: str | None) -> dict[str, Any]:
    client: Any = session.client
    config = Config(max_pool_connections=CONNECTIONS)
    return {it: client(it, endpoint_url=endpoint_url, config=config) for it in SERVICES}


def _remove(target: Target) -> None:
    """Delete the payments of this run, and its dead letters: nothing of it is followed further.

    The gateway of a run is gone afterwards, and the real one must not be asked about its payIds.
    """
    table_name, sqs = target.outputs["TableName"], target.client("sqs")
    partner = describe(target.client("cloudformation"), target.name)[1]["PartnerCode"]
    keys = [f"{partner}#{kind}{pay_id}" for pay_id in target.used for kind in ("", "order#")]
    for key in keys:
        target.client("dynamodb").delete_item(TableName=table_name, Key={"pk": {"S": key}})
    delete_dead_letters(sqs, target.outputs["DeadLetterQueueUrl"], target.run)


def delete_dead_letters(sqs: Any, queue_url: str, run: str) -> None:
    """Delete the messages of a run. Those of others are hidden from others for a moment.

    A short poll asks only some of SQS's servers: none found is not none there (AWS, "Amazon SQS
    short and long polling").
    """
    while batch := sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=2
    ).get("Messages"):
        for message in batch:
            if run in message["Body"]:
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def _run(target: Target) -> list[Result]:
    results = []
    for result in run_cases(target):
        results.append(result)
        line = f"{result.outcome:<8}  {result.name}: {result.note} ({result.seconds:.0f} s)"
        print(line, file=sys.__stderr__, flush=True)
    return results


def _error(text: str) -> int:
    print(f"acceptance: {text}", file=sys.stderr)  # noqa: T201 - one line for the user
    return 2


if __name__ == "__main__":
    sys.exit(main())
