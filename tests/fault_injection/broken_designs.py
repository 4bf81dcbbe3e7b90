"""C14, the controls: designs known to be wrong. A campaign must detect the error of each.

Each is a ClientWrapper (see ``simulation``) that changes single calls to a dependency, so that the
rest of the system stays as it is. Those of the state machine are in ``broken_states``.
"""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

from tests.support.expressions import placeholders
from tests.support.fake_aws import Request, operation_kind
from tests.support.fake_gateway import HOUR, GatewayResponse
from tests.support.functions import Client
from tests.support.memory_table import client_error
from tests.support.simulation import ClientWrapper, Simulation

Item = dict[str, Any]


class Call(NamedTuple):
    """A call of *function* as the design makes it."""

    simulation: Simulation
    function: str
    make: Callable[..., Any]

    def __call__(self, request: Request) -> Any:
        """Make the call."""
        return self.make(**request)


Replacement = Callable[[Request, Call], Any]
"""Makes a call in another way, and returns its response."""


def broken(
    dependency: str, operation: str, *functions: str
) -> Callable[[Replacement], ClientWrapper]:
    """Return a decorator: the design in which *functions* (default: all) make a call otherwise."""

    def decorate(replacement: Replacement) -> ClientWrapper:
        def wrap(simulation: Simulation, function: str, connected: str, client: Client) -> Client:
            if connected != dependency or (functions and function not in functions):
                return client
            call = Call(simulation, function, getattr(client, operation))
            return _Patched(client, operation, lambda **request: replacement(request, call))

        return wrap

    return decorate


def both(one: ClientWrapper, other: ClientWrapper) -> ClientWrapper:
    """Return the design that is broken in two ways."""

    def wrap(simulation: Simulation, function: str, dependency: str, client: Client) -> Client:
        wrapped = one(simulation, function, dependency, client)
        return other(simulation, function, dependency, wrapped)

    return wrap


class _Patched:
    """A client with one operation replaced."""

    def __init__(self, client: Client, operation: str, replacement: Callable[..., Any]) -> None:
        self._client = client
        setattr(self, operation, replacement)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def edited(request: Request, **parts: Any) -> Request:
    """Return *request* with *parts* replaced and without placeholders that are unused then."""
    edited = request | parts
    used = placeholders(edited["UpdateExpression"] + edited.get("ConditionExpression", ""))
    for part in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        edited[part] = {key: it for key, it in edited[part].items() if key in used}
    return edited


def reading(change: Callable[[Item], Item], *functions: str) -> ClientWrapper:
    """Payments are read as *change* returns them."""

    @broken("table", "batch_get_item", *functions)
    def read(request: Request, call: Call) -> Any:
        response = call(request)
        found = response["Responses"]
        changed = {table: [change(item) for item in items] for table, items in found.items()}
        return response | {"Responses": changed}

    return read


@broken("table", "update_item")
def emit_on_transition(request: Request, call: Call) -> Any:
    """No outbox: the event is sent directly after the write that makes a payment SUCCEEDED."""
    if operation_kind("update_item", request) != "succeed":
        return call(request)
    text = re.sub(r", #work(Shard|At) = :new_work\1\b", "", request["UpdateExpression"])
    text = text.replace("REMOVE ", "REMOVE #workShard, #workAt, ")
    values = request["ExpressionAttributeValues"]
    sent = values | {":new_eventState": {"S": "SENT"}}
    response = call(edited(request, UpdateExpression=text, ExpressionAttributeValues=sent))
    event = {"Entries": [{"Detail": values[":new_event"]["S"]}]}
    call.simulation.call(call.function, "bus", "put_events", event)
    return response


@broken("bus", "put_events")
def ignore_failed_entries(request: Request, call: Call) -> Any:
    """FailedEntryCount in the response of PutEvents is ignored."""
    call(request)
    return {"Entries": [{"EventId": "x"} for _ in request["Entries"]]}


@broken("bus", "put_events")
def random_ids(request: Request, call: Call) -> Any:
    """Each time an event is sent it gets a new id."""
    entries = []
    for entry in request["Entries"]:
        detail = json.loads(entry["Detail"])
        detail["metadata"]["eventId"] = str(uuid4())
        entries.append(entry | {"Detail": json.dumps(detail)})
    return call(request | {"Entries": entries})


def record_before_send() -> ClientWrapper:
    """A check is recorded before the message for the next check is sent."""
    delayed: dict[str, Request] = {}

    @broken("queue", "send_message_batch", "checks")
    def send(request: Request, _call: Call) -> Any:
        delayed.update({json.loads(it["MessageBody"])["payId"]: it for it in request["Entries"]})
        return {}

    @broken("table", "update_item", "checks")
    def update(request: Request, call: Call) -> Any:
        response = call(request)
        pay_id = request["Key"]["pk"]["S"].partition("#")[2]
        if entry := delayed.pop(pay_id, None):
            call.simulation.call("checks", "queue", "send_message_batch", {"Entries": [entry]})
        return response

    return both(send, update)


@broken("table", "update_item", "checks")
def _without_step(request: Request, call: Call) -> Any:
    condition = re.sub(r"\(#step < :step\) AND ", "", request.get("ConditionExpression", ""))
    return call(edited(request, ConditionExpression=condition))


no_step_condition = both(reading(lambda item: item | {"step": {"N": "0"}}, "checks"), _without_step)
"""Duplicate messages are not recognised: each one makes a check and sends the next message."""


def cached_responses() -> ClientWrapper:
    """An idempotency layer around the query keeps responses for an hour, the usual default."""
    cache: dict[str, tuple[int, GatewayResponse]] = {}

    @broken("gateway", "query")
    def query(request: Request, call: Call) -> Any:
        until, response = cache.get(request["pay_id"], (0, None))
        if response is None or until <= call.simulation.now:
            response = call(request)
            cache[request["pay_id"]] = call.simulation.now + HOUR, response
        return response

    return query


@broken("table", "update_item")
def unconditional_success(request: Request, call: Call) -> Any:
    """A success is written without a condition, also over an earlier one."""
    if operation_kind("update_item", request) == "succeed":
        anything = "attribute_exists(#payId) OR attribute_not_exists(#payId)"
        return call(edited(request, ConditionExpression=anything))
    return call(request)


@broken("gateway", "query")
def no_identity_check(request: Request, call: Call) -> Any:
    """A response is used without a check that it is about the queried payment."""
    response = call(request)
    body = response.body.replace(b'"other"', json.dumps(request["pay_id"]).encode())
    return response._replace(body=body)


def no_sweep_for(kind: str) -> ClientWrapper:
    """The sweeper forgets lost checks ("CHECK"), or unsent events ("EVENT")."""

    @broken("table", "query", "sweeper")
    def query(request: Request, call: Call) -> Any:
        [partition, *_] = request["ExpressionAttributeValues"].values()
        page = call(request)
        if not partition["S"].startswith(kind):
            return page
        table = call.simulation.dynamodb
        for key in page.get("Items", ()):  # what stays due would let the sweeper run each minute
            stored = table.items[key["pk"]["S"]]
            table.put(
                {name: stored[name] for name in stored if name not in ("workShard", "workAt")}
            )
        return {"Items": [], "Count": 0}

    return query


@broken("gateway", "query")
def fail_in_trouble(request: Request, call: Call) -> Any:
    """A message fails where the gateway says nothing."""
    response = call(request)
    if response.status != 200:
        raise client_error("GatewayUnavailable")
    return response
