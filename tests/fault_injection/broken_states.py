"""C14, the controls of the state machine: designs known to be wrong, as in ``broken_designs``."""

import json
import re
from collections.abc import Callable, Collection
from typing import Any

from payresult.aws.orders import HELD
from tests.fault_injection.broken_designs import Call, PatchedClient, edited
from tests.support.fake_aws import Request, operation_kind
from tests.support.fake_gateway import DAY, HOUR, GatewayResponse
from tests.support.functions import Client
from tests.support.memory_table import client_error
from tests.support.simulation import START, ClientWrapper, Simulation

Item = dict[str, Any]
ANY_FUNCTION = ("api", "checks", "publisher", "sweeper", "operator")


def _patched(
    dependency: str,
    operation: str,
    functions: Collection[str],
    replacement: Callable[[Request, Call], Any],
) -> ClientWrapper:
    def wrap(_simulation: Simulation, function: str, connected: str, client: Client) -> Client:
        here = connected == dependency and function in functions
        return PatchedClient(client, operation, replacement) if here else client

    return wrap


def without_condition(name: str, *functions: str) -> ClientWrapper:
    """Writes of *functions* do not demand that attributes, *name*, are as they were read."""
    either = rf"(?:{name})"
    clause = rf"\((#{either} = :read_{either}|attribute_not_exists\(#{either}\))\)"

    def update(request: Request, call: Call) -> Any:
        text = re.sub(f"{clause} AND | AND {clause}", "", request["ConditionExpression"])
        return call(edited(request, ConditionExpression=text))

    return _patched("table", "update_item", functions, update)


def without_attribute(names: Collection[str], *functions: str) -> ClientWrapper:
    """Writes of *functions* do not set the attributes *names*."""

    def update(request: Request, call: Call) -> Any:
        text = request["UpdateExpression"]
        for name in names:
            text = re.sub(rf", #{name} = :new_{name}\b|#{name} = :new_{name}, ", "", text)
        return call(edited(request, UpdateExpression=text))

    return _patched("table", "update_item", functions, update)


def reading(change: Callable[[Item], Item]) -> ClientWrapper:
    """Payments are read as *change* returns them."""

    def read(request: Request, call: Call) -> Any:
        response = call(request)
        return response | {
            "Responses": {
                table: [change(item) for item in items]
                for table, items in response["Responses"].items()
            }
        }

    return _patched("table", "batch_get_item", ANY_FUNCTION, read)


def forget_accepted(item: Item) -> Item:
    """Return a payment that has succeeded without what an operator accepted."""
    accepted = {"acceptedPayAmount", "acceptedAbsent"} if "event" in item else set()
    return {name: value for name, value in item.items() if name not in accepted}


def forget_trouble(item: Item) -> Item:
    """Return a payment without the trouble of its last check: each try is the first one."""
    return {name: value for name, value in item.items() if name != "lastError"}


def changed(at: int) -> Callable[[Item], Item]:
    """Return a change after which the status of each payment changed *at* that time."""

    def change(item: Item) -> Item:
        entries = [{"M": each["M"] | {"at": {"N": str(at)}}} for each in item["history"]["L"]]
        return item | {"history": {"L": entries}}

    return change


NEVER_RESTART, ALWAYS_RESTART = reading(changed(START + 3650 * DAY)), reading(changed(0))
NO_EPOCH = without_condition("giveUpAt|acceptedPayAmount|acceptedAbsent", "api", "checks")


def endless_history(
    _simulation: Simulation, _function: str, dependency: str, client: Client
) -> Client:
    """Each write keeps the whole history."""

    def update(request: Request, call: Call) -> Any:
        new = request["ExpressionAttributeValues"].get(":new_history", {"L": []})["L"]
        if len(new) < 2:
            return call(request)
        text = re.sub(
            r"#history = :new_history\b",
            "#history = list_append(#history, :new_history)",
            request["UpdateExpression"],
        )
        values = request["ExpressionAttributeValues"] | {":new_history": {"L": new[-1:]}}
        return call(request | {"UpdateExpression": text, "ExpressionAttributeValues": values})

    return PatchedClient(client, "update_item", update) if dependency == "table" else client


def no_giving_up(_simulation: Simulation, function: str, dependency: str, client: Client) -> Client:
    """The sweeper gives nothing up."""

    def update(request: Request, call: Call) -> Any:
        if {"S": "UNRESOLVED"} in request["ExpressionAttributeValues"].values():
            raise client_error("ConditionalCheckFailedException")
        return call(request)

    swept = (function, dependency) == ("sweeper", "table")
    return PatchedClient(client, "update_item", update) if swept else client


def no_check_at_the_end(
    simulation: Simulation, function: str, dependency: str, client: Client
) -> Client:
    """The sweeper does not send the check that is due at ``giveUpAt``."""

    def send(request: Request, call: Call) -> Any:
        return {} if simulation.now >= START + 9 * DAY else call(request)

    swept = (function, dependency) == ("sweeper", "queue")
    return PatchedClient(client, "send_message_batch", send) if swept else client


def no_step(_simulation: Simulation, _function: str, dependency: str, client: Client) -> Client:
    """A follow-up is a message like an order's: it registers what is not stored."""

    def send(request: Request, call: Call) -> Any:
        entries = []
        for entry in request["Entries"]:
            body = json.loads(entry["MessageBody"])
            body.pop("step", None)
            entries.append(entry | {"MessageBody": json.dumps(body)})
        return call(request | {"Entries": entries})

    return PatchedClient(client, "send_message_batch", send) if dependency == "queue" else client


def fail_in_trouble(
    _simulation: Simulation, _function: str, dependency: str, client: Client
) -> Client:
    """A message fails where the gateway says nothing."""

    def query(request: Request, call: Call) -> GatewayResponse:
        response: GatewayResponse = call(request)
        if response.status != 200:
            raise client_error("GatewayUnavailable")
        return response

    return PatchedClient(client, "query", query) if dependency == "gateway" else client


class ClaimAllFirst:
    """The sweeper claims all that is due before it sends any of it."""

    def __init__(self) -> None:
        self._delayed: list[Request] = []

    def __call__(
        self, _simulation: Simulation, function: str, dependency: str, client: Client
    ) -> Client:
        """Delay the messages until the sweeper looks for the next ones."""
        if (function, dependency) == ("sweeper", "queue"):
            self._send = client.send_message_batch
            return PatchedClient(client, "send_message_batch", self._delay)
        if (function, dependency) == ("sweeper", "table"):
            return PatchedClient(client, "query", self._query)
        return client

    def _delay(self, request: Request, _call: Call) -> Any:
        self._delayed.append(request)
        return {}

    def _query(self, request: Request, call: Call) -> Any:
        delayed, self._delayed = self._delayed, []
        for each in delayed:
            self._send(**each)
        return call(request)


def claim_for_long(
    _simulation: Simulation, function: str, dependency: str, client: Client
) -> Client:
    """A claimed check is not sent again for ten days."""

    def update(request: Request, call: Call) -> Any:
        values = request["ExpressionAttributeValues"]
        if set(values) & {":new_status", ":new_eventState"} or ":new_workAt" not in values:
            return call(request)
        at = int(values[":new_workAt"]["N"]) + 240 * HOUR
        return call(
            request | {"ExpressionAttributeValues": values | {":new_workAt": {"N": str(at)}}}
        )

    swept = (function, dependency) == ("sweeper", "table")
    return PatchedClient(client, "update_item", update) if swept else client


# Once per order


def _as_if_first(request: Request) -> Any:
    """Return the answer about a marker that names whoever asks."""
    return {"Attributes": {"payId": request["ExpressionAttributeValues"][":new_payId"]}}


def _marking(claim: Callable[[Request, Call, Client], Any]) -> ClientWrapper:
    """The write of an order's marker is *claim*."""

    def wrap(_simulation: Simulation, _function: str, dependency: str, client: Client) -> Client:
        def update(request: Request, call: Call) -> Any:
            if operation_kind("update_item", request) != "claim order":
                return call(request)
            return claim(request, call, client)

        return PatchedClient(client, "update_item", update) if dependency == "table" else client

    return wrap


NO_MARKER = _marking(lambda request, _call, _client: _as_if_first(request))
"""No order is marked."""


def _read_marker(request: Request, client: Client) -> Any:
    """Return the marker that *request* would write, None if there is none."""
    keys = {request["TableName"]: {"Keys": [request["Key"]], "ConsistentRead": True}}
    [found] = client.batch_get_item(RequestItems=keys)["Responses"].values()
    return {"Attributes": found[0]} if found else None


def _read_then_write(request: Request, call: Call, client: Client) -> Any:
    text = "SET #payId = :new_payId REMOVE #expiresAt"
    return _read_marker(request, client) or call(request | {"UpdateExpression": text})


READ_THEN_MARK = _marking(_read_then_write)
"""The marker is read, and written where there was none, without a condition."""


class MarkAfterSuccess:
    """The marker is read before the success, and written after it."""

    def __init__(self) -> None:
        self._due: dict[str, Request] = {}

    def __call__(
        self, _simulation: Simulation, _function: str, dependency: str, client: Client
    ) -> Client:
        """Hold the write of a marker back until its payment has succeeded."""

        def update(request: Request, call: Call) -> Any:
            kind = operation_kind("update_item", request)
            if kind == "claim order":
                self._due[request["ExpressionAttributeValues"][":new_payId"]["S"]] = request
                return _read_marker(request, client) or _as_if_first(request)
            response = call(request)
            pay_id = request["Key"]["pk"]["S"].partition("#")[2]
            if kind == "succeed" and pay_id in self._due:
                call(self._due.pop(pay_id))
            return response

        return PatchedClient(client, "update_item", update) if dependency == "table" else client


def release_any_marker(
    _simulation: Simulation, function: str, dependency: str, client: Client
) -> Client:
    """`forget` deletes the marker of the order, whichever payment it names."""

    def delete(request: Request, call: Call) -> Any:
        if request["ConditionExpression"] != HELD:
            return call(request)
        used = {"ConditionExpression": "attribute_exists(#payId)", "ExpressionAttributeValues": {}}
        return call(request | used)

    here = (function, dependency) == ("operator", "table")
    return PatchedClient(client, "delete_item", delete) if here else client
