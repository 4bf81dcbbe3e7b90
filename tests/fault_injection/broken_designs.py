"""C14, the controls: designs known to be wrong. A campaign must detect the error of each.

Each is a ClientWrapper (see ``simulation``), so that the rest of the system stays as it is.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.support.expressions import placeholders
from tests.support.fake_aws import Request, operation_kind
from tests.support.fake_gateway import HOUR, GatewayResponse
from tests.support.functions import Client
from tests.support.simulation import Simulation

Call = Callable[[Request], Any]


class PatchedClient:
    """A client with one operation replaced; *replacement* gets the request and the original."""

    def __init__(
        self, client: Client, operation: str, replacement: Callable[[Request, Call], Any]
    ) -> None:
        self._client = client
        self._operation = operation
        self._replacement = replacement

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._client, name)
        if name != self._operation:
            return call
        return lambda **request: self._replacement(request, lambda changed: call(**changed))


def emit_on_transition(
    simulation: Simulation, function: str, dependency: str, client: Client
) -> Client:
    """No outbox: the event is sent directly after the write that makes a payment SUCCEEDED."""

    def update(request: Request, call: Call) -> Any:
        if operation_kind("update_item", request) != "succeed":
            return call(request)
        text = request["UpdateExpression"]
        for name in ("workShard", "workAt"):
            text = text.replace(f", #{name} = :new_{name}", "")
        text = text.replace("REMOVE ", "REMOVE #workShard, #workAt, ")
        values = request["ExpressionAttributeValues"]
        detail = values[":new_event"]["S"]
        sent = values | {":new_eventState": {"S": "SENT"}}
        response = call(edited(request, UpdateExpression=text, ExpressionAttributeValues=sent))
        simulation.call(function, "bus", "put_events", {"Entries": [{"Detail": detail}]})
        return response

    return PatchedClient(client, "update_item", update) if dependency == "table" else client


def ignore_failed_entries(
    _simulation: Simulation, _function: str, dependency: str, client: Client
) -> Client:
    """FailedEntryCount in the response of PutEvents is ignored."""

    def put(request: Request, call: Call) -> Any:
        call(request)
        return {"Entries": [{"EventId": "x"} for _ in request["Entries"]]}

    return PatchedClient(client, "put_events", put) if dependency == "bus" else client


def random_ids(_simulation: Simulation, _function: str, dependency: str, client: Client) -> Client:
    """Each time an event is sent it gets a new id."""

    def put(request: Request, call: Call) -> Any:
        entries = []
        for entry in request["Entries"]:
            detail = json.loads(entry["Detail"])
            detail["metadata"]["eventId"] = str(uuid4())
            entries.append(entry | {"Detail": json.dumps(detail)})
        return call(request | {"Entries": entries})

    return PatchedClient(client, "put_events", put) if dependency == "bus" else client


class RecordBeforeSend:
    """A check is recorded before the message for the next check is sent."""

    def __init__(self) -> None:
        self._delayed: defaultdict[str, list[Request]] = defaultdict(list)

    def __call__(
        self, simulation: Simulation, function: str, dependency: str, client: Client
    ) -> Client:
        """Delay the messages to the queue until the write to the table."""
        if (function, dependency) == ("checks", "queue"):
            return self._delaying(client)
        return (
            self._sending(simulation, client)
            if (function, dependency) == ("checks", "table")
            else client
        )

    def _delaying(self, client: Client) -> Client:
        def send(request: Request, _call: Call) -> Any:
            for entry in request["Entries"]:
                self._delayed[json.loads(entry["MessageBody"])["payId"]] = [entry]
            return {}

        return PatchedClient(client, "send_message_batch", send)

    def _sending(self, simulation: Simulation, client: Client) -> Client:
        def update(request: Request, call: Call) -> Any:
            response = call(request)
            pay_id = request["Key"]["pk"]["S"].partition("#")[2]
            if entries := self._delayed.pop(pay_id, []):
                simulation.call("checks", "queue", "send_message_batch", {"Entries": entries})
            return response

        return PatchedClient(client, "update_item", update)


def no_step_condition(
    _simulation: Simulation, function: str, dependency: str, client: Client
) -> Client:
    """Duplicate messages are not recognised: each one makes a check and sends the next message."""
    if function != "checks" or dependency != "table":
        return client

    def read(request: Request, call: Call) -> Any:
        response = call(request)
        return response | {
            "Responses": {
                table: [item | {"step": {"N": "0"}} for item in items]
                for table, items in response["Responses"].items()
            }
        }

    def update(request: Request, call: Call) -> Any:
        condition = re.sub(r"\(#step < :step\) AND ", "", request.get("ConditionExpression", ""))
        return call(edited(request, ConditionExpression=condition))

    return PatchedClient(PatchedClient(client, "batch_get_item", read), "update_item", update)


class CachedResponses:
    """An idempotency layer around the query keeps responses for an hour, the usual default."""

    def __init__(self) -> None:
        self._cache: dict[str, tuple[int, GatewayResponse]] = {}

    def __call__(
        self, simulation: Simulation, _function: str, dependency: str, client: Client
    ) -> Client:
        """Query the gateway only if no response is in the cache."""

        def query(request: Request, call: Call) -> GatewayResponse:
            until, response = self._cache.get(request["pay_id"], (0, None))
            if response is None or until <= simulation.now:
                response = call(request)
                self._cache[request["pay_id"]] = simulation.now + HOUR, response
            return response

        return PatchedClient(client, "query", query) if dependency == "gateway" else client


def unconditional_success(
    _simulation: Simulation, _function: str, dependency: str, client: Client
) -> Client:
    """A success is written without a condition, also over an earlier one."""

    def update(request: Request, call: Call) -> Any:
        if operation_kind("update_item", request) == "succeed":
            anything = "attribute_exists(#payId) OR attribute_not_exists(#payId)"
            return call(edited(request, ConditionExpression=anything))
        return call(request)

    return PatchedClient(client, "update_item", update) if dependency == "table" else client


def no_identity_check(
    _simulation: Simulation, _function: str, dependency: str, client: Client
) -> Client:
    """A response is used without a check that it is about the queried payment."""

    def query(request: Request, call: Call) -> GatewayResponse:
        response: GatewayResponse = call(request)
        body = response.body.replace(b'"other"', json.dumps(request["pay_id"]).encode())
        return response._replace(body=body)

    return PatchedClient(client, "query", query) if dependency == "gateway" else client


def no_event_sweep(
    _simulation: Simulation, function: str, dependency: str, client: Client
) -> Client:
    """The sweeper does not look for unsent events."""

    def query(request: Request, call: Call) -> Any:
        [partition, *_] = request["ExpressionAttributeValues"].values()
        found = not partition["S"].startswith("EVENT")
        return call(request) if found else {"Items": [], "Count": 0}

    return (
        PatchedClient(client, "query", query)
        if (function, dependency) == ("sweeper", "table")
        else client
    )


def no_check_sweep(
    _simulation: Simulation, function: str, dependency: str, client: Client
) -> Client:
    """The sweeper does not look for checks whose message is lost."""

    def query(request: Request, call: Call) -> Any:
        [partition, *_] = request["ExpressionAttributeValues"].values()
        found = not partition["S"].startswith("CHECK")
        return call(request) if found else {"Items": [], "Count": 0}

    return (
        PatchedClient(client, "query", query)
        if (function, dependency) == ("sweeper", "table")
        else client
    )


def edited(request: Request, **parts: Any) -> Request:
    """Return *request* with *parts* replaced and without placeholders that are unused then."""
    edited = request | parts
    used = placeholders(edited["UpdateExpression"] + edited.get("ConditionExpression", ""))
    for part in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        edited[part] = {key: it for key, it in edited[part].items() if key in used}
    return edited
