"""Checks of the functions: triggers, loop detection, concurrency, and the code that runs."""

import io
import zipfile
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSRequest

import payresult
from payresult_cli.doctor.check import FUNCTIONS, SET_BACK, Deployed, Finding, attention, ok
from payresult_cli.errors import CommandError
from payresult_cli.formatting import format_count

_OK = 200
OTHER_FUNCTIONS = 3
"""The api function, the publisher and the sweeper run beside the checks: one each at the least."""

MAX_FILES_NAMED = 3


def active(deployed: Deployed) -> Finding:
    """Check that all functions can run, with the same layers: a deployment is complete."""
    found = {name: _configuration(deployed, name) for name in FUNCTIONS}
    for name, each in found.items():
        state, update = each.get("State", "Active"), each.get("LastUpdateStatus", "Successful")
        if (state, update) != ("Active", "Successful"):
            return attention(f"{name}: state {state}, last update {update}: wait, or {SET_BACK}")
    if len({_layers(each) for each in found.values()}) > 1:
        return attention(f"they have different layers: {SET_BACK}")
    return ok(f"all {len(found)} active")


def code(deployed: Deployed) -> Finding:
    """Compare the sources in the deployed layer with those that this tool runs with."""
    layers = _layers(_configuration(deployed, "Api"))
    own = next((arn for arn in layers if arn.rpartition(":")[0].endswith("-code")), None)
    if own is None:
        return attention(f"the functions have no layer with the code: {SET_BACK}")
    layer = deployed.client("lambda").get_layer_version_by_arn(Arn=own)
    here, there = _local_sources(), _sources(_download(deployed, layer["Content"]["Location"]))
    different = sorted(name for name in here | there if here.get(name) != there.get(name))
    if different:
        named = ", ".join(different[:MAX_FILES_NAMED])
        return attention(
            f"it differs from this clone in {format_count(len(different), 'file')} ({named}):"
            " use a clone of the release that is deployed, or deploy this one"
        )
    return ok(f"the same as in this clone, {len(here)} files")


def queue_mapping(deployed: Deployed) -> Finding:
    """Check that messages reach the checks function, and how many batches at a time."""
    mapping = _mapping(deployed, "Checks")
    found, wanted = mapping.get("ScalingConfig", {}), deployed.parameter("MaximumConcurrency")
    if str(found.get("MaximumConcurrency")) != wanted:
        return attention(
            f"MaximumConcurrency is not {wanted}: `aws lambda update-event-source-mapping"
            f" --scaling-config MaximumConcurrency={wanted} --uuid {mapping['UUID']}`"
        )
    return ok(f"enabled, at most {wanted} batches at a time")


def stream_mapping(deployed: Deployed) -> Finding:
    """Check that the table's stream reaches the publisher."""
    _mapping(deployed, "Publisher")
    return ok("enabled")


def loop_detection(deployed: Deployed) -> Finding:
    """Check that Lambda lets the checks function send to its own queue.

    AWS, "Use Lambda recursive loop detection to prevent infinite loops".
    """
    name = deployed.function("Checks")
    found = deployed.client("lambda").get_function_recursion_config(FunctionName=name)
    if found["RecursiveLoop"] != "Allow":
        return attention(
            "it stops each payment after some 16 checks: `aws lambda put-function-recursion-config"
            f" --recursive-loop Allow --function-name {name}`"
        )
    return ok("off (RecursiveLoop: Allow)")


def reserved_concurrency(deployed: Deployed) -> Finding:
    """Check that each function reserves what the template says; 0 switches a function off."""
    for name in FUNCTIONS:
        function = deployed.function(name)
        found = deployed.client("lambda").get_function_concurrency(FunctionName=function)
        reserved = str(found.get("ReservedConcurrentExecutions", ""))
        wanted = deployed.parameter("ApiReservedConcurrency") if name == "Api" else ""
        if reserved == "0":
            return attention(
                f"{name} is switched off: `aws lambda delete-function-concurrency"
                f" --function-name {function}`"
            )
        if reserved != wanted:
            return attention(
                f"{name} reserves {reserved or 'none'}, not {wanted or 'none'}: {SET_BACK}"
            )
    return ok("as deployed")


def account_concurrency(deployed: Deployed) -> Finding:
    """Check that the account has enough for the queue and one invocation of each other function."""
    limits = deployed.client("lambda").get_account_settings()["AccountLimit"]
    free = limits["UnreservedConcurrentExecutions"]
    needed = int(deployed.parameter("MaximumConcurrency")) + OTHER_FUNCTIONS
    if free < needed:
        return attention(
            f"{free} unreserved, and at least {needed} are needed: ask AWS for a higher quota of"
            ' "Concurrent executions"'
        )
    return ok(f"{free} of {limits['ConcurrentExecutions']} unreserved")


def _configuration(deployed: Deployed, name: str) -> dict[str, Any]:
    client, function = deployed.client("lambda"), deployed.function(name)
    found: dict[str, Any] = client.get_function_configuration(FunctionName=function)
    return found


def _layers(configuration: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(each["Arn"] for each in configuration.get("Layers", [])))


def _mapping(deployed: Deployed, name: str) -> dict[str, Any]:
    function = deployed.function(name)
    found = deployed.client("lambda").list_event_source_mappings(FunctionName=function)
    mappings: list[dict[str, Any]] = found["EventSourceMappings"]
    if len(mappings) != 1:
        raise CommandError(f"{format_count(len(mappings), 'mapping')} instead of one: {SET_BACK}")
    if mappings[0]["State"] != "Enabled":
        raise CommandError(
            f"{mappings[0]['State']}: `aws lambda update-event-source-mapping --enabled"
            f" --uuid {mappings[0]['UUID']}`"
        )
    return mappings[0]


def _download(deployed: Deployed, url: str) -> bytes:
    response = deployed.context.dependencies.send_request(AWSRequest("GET", url).prepare())
    if response.status != _OK:
        raise CommandError(f"the layer cannot be downloaded (HTTP {response.status}): try again")
    return response.body


def _sources(archive: bytes) -> dict[str, bytes]:
    """Return the package's sources in a layer, which has them below python/payresult/."""
    start = f"python/{payresult.__name__}/"
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        names = [name for name in files.namelist() if name.startswith(start)]
        return {
            name.removeprefix(start): files.read(name) for name in names if name.endswith(".py")
        }


def _local_sources() -> dict[str, bytes]:
    top = Path(payresult.__file__).parent
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*.py")}
