"""C14, the controls of the state machine and the sweeper: see ``broken_designs``."""

import json
import re
from collections.abc import Callable, Collection
from typing import Any

from payresult.aws.orders import HELD
from tests.fault_injection.broken_designs import Call, Item, both, broken, edited, reading
from tests.support.fake_aws import Request, operation_kind
from tests.support.fake_gateway import DAY
from tests.support.memory_table import client_error
from tests.support.simulation import START, ClientWrapper


def without_condition(name: str, *functions: str) -> ClientWrapper:
    """Writes of *functions* do not demand that attributes, *name*, are as they were read."""
    clause = rf"\((#(?:{name}) = :read_(?:{name})|attribute_not_exists\(#(?:{name})\))\)"

    @broken("table", "update_item", *functions)
    def update(request: Request, call: Call) -> Any:
        text = re.sub(f"{clause} AND | AND {clause}", "", request["ConditionExpression"])
        return call(edited(request, ConditionExpression=text))

    return update


def without_attribute(names: Collection[str], *functions: str) -> ClientWrapper:
    """Writes of *functions* do not set the attributes *names*."""

    @broken("table", "update_item", *functions)
    def update(request: Request, call: Call) -> Any:
        text = request["UpdateExpression"]
        for name in names:
            text = re.sub(rf", #{name} = :new_{name}\b|#{name} = :new_{name}, ", "", text)
        return call(edited(request, UpdateExpression=text))

    return update


no_attention = without_attribute(("attention", "attentionSince"), "checks")
keep_time = without_attribute(("giveUpAt",), "operator")
accept_anything = without_condition("reply", "operator")
amend_anything = without_condition("status", "api")
no_claim = without_condition("lastCheckedAt", "api")
nobody_waits = without_attribute(("attention", "attentionSince"), "checks", "api")
no_epoch = without_condition("giveUpAt|acceptedPayAmount|acceptedAbsent", "api", "checks")


def _last_change(at: int) -> ClientWrapper:
    """The status of each payment is read as if it changed last *at* that time."""

    def change(item: Item) -> Item:
        entries = [{"M": each["M"] | {"at": {"N": str(at)}}} for each in item["history"]["L"]]
        return item | {"history": {"L": entries}}

    return reading(change)


never_restart, always_restart = _last_change(START + 3650 * DAY), _last_change(0)


@reading
def forget_accepted(item: Item) -> Item:
    """A payment that has succeeded is read without what an operator accepted."""
    accepted = {"acceptedPayAmount", "acceptedAbsent"} if "event" in item else set()
    return {name: value for name, value in item.items() if name not in accepted}


@reading
def forget_trouble(item: Item) -> Item:
    """The trouble of the last check is not read: each try is the first one."""
    return {name: value for name, value in item.items() if name != "lastError"}


@broken("table", "update_item")
def endless_history(request: Request, call: Call) -> Any:
    """Each write keeps the whole history."""
    new = request["ExpressionAttributeValues"].get(":new_history", {"L": []})["L"]
    if len(new) < 2:
        return call(request)
    appended = "#history = list_append(#history, :new_history)"
    text = re.sub(r"#history = :new_history\b", appended, request["UpdateExpression"])
    values = request["ExpressionAttributeValues"] | {":new_history": {"L": new[-1:]}}
    return call(request | {"UpdateExpression": text, "ExpressionAttributeValues": values})


@broken("table", "update_item", "sweeper")
def no_giving_up(request: Request, call: Call) -> Any:
    """The sweeper gives nothing up."""
    if {"S": "UNRESOLVED"} in request["ExpressionAttributeValues"].values():
        raise client_error("ConditionalCheckFailedException")
    return call(request)


@broken("queue", "send_message_batch", "sweeper")
def no_check_at_the_end(request: Request, call: Call) -> Any:
    """The sweeper does not send the check that is due at ``giveUpAt``."""
    return {} if call.simulation.now >= START + 9 * DAY else call(request)


@broken("queue", "send_message_batch")
def no_step(request: Request, call: Call) -> Any:
    """A follow-up is a message like an order's: it registers what is not stored."""
    entries = []
    for entry in request["Entries"]:
        body = json.loads(entry["MessageBody"])
        body.pop("step", None)
        entries.append(entry | {"MessageBody": json.dumps(body)})
    return call(request | {"Entries": entries})


def claim_all_first() -> ClientWrapper:
    """The sweeper claims all that is due before it sends any of it."""
    delayed: list[tuple[Request, Call]] = []

    @broken("queue", "send_message_batch", "sweeper")
    def send(request: Request, call: Call) -> Any:
        delayed.append((request, call))
        return {}

    @broken("table", "query", "sweeper")
    def query(request: Request, call: Call) -> Any:
        while delayed:
            entries, send_now = delayed.pop(0)
            send_now(entries)
        return call(request)

    return both(send, query)


@broken("table", "update_item", "sweeper")
def claim_for_long(request: Request, call: Call) -> Any:
    """A claimed check is not sent again for ten days."""
    values = request["ExpressionAttributeValues"]
    if set(values) & {":new_status", ":new_eventState"} or ":new_workAt" not in values:
        return call(request)
    later = {":new_workAt": {"N": str(int(values[":new_workAt"]["N"]) + 10 * DAY)}}
    return call(request | {"ExpressionAttributeValues": values | later})


# Once per order


def _as_if_first(request: Request) -> Any:
    """Return the answer about a marker that names whoever asks."""
    return {"Attributes": {"payId": request["ExpressionAttributeValues"][":new_payId"]}}


def _read_marker(request: Request, call: Call) -> Any:
    """Return the marker that *request* would write, None if there is none."""
    keys = {request["TableName"]: {"Keys": [request["Key"]], "ConsistentRead": True}}
    read = {"RequestItems": keys}
    response = call.simulation.call(call.function, "table", "batch_get_item", read)
    [found] = response["Responses"].values()
    return {"Attributes": found[0]} if found else None


def _marking(claim: Callable[[Request, Call], Any]) -> ClientWrapper:
    """The write of an order's marker is *claim*."""

    @broken("table", "update_item")
    def update(request: Request, call: Call) -> Any:
        marks = operation_kind("update_item", request) == "claim order"
        return claim(request, call) if marks else call(request)

    return update


no_marker = _marking(lambda request, _call: _as_if_first(request))
"""No order is marked."""


@_marking
def read_then_mark(request: Request, call: Call) -> Any:
    """The marker is read, and written where there was none, without a condition."""
    text = "SET #payId = :new_payId REMOVE #expiresAt"
    return _read_marker(request, call) or call(request | {"UpdateExpression": text})


def mark_after_success() -> ClientWrapper:
    """The marker is read before the success, and written after it."""
    due: dict[str, Request] = {}

    @broken("table", "update_item")
    def update(request: Request, call: Call) -> Any:
        kind = operation_kind("update_item", request)
        if kind == "claim order":
            due[request["ExpressionAttributeValues"][":new_payId"]["S"]] = request
            return _read_marker(request, call) or _as_if_first(request)
        response = call(request)
        pay_id = request["Key"]["pk"]["S"].partition("#")[2]
        if kind == "succeed" and pay_id in due:
            call(due.pop(pay_id))
        return response

    return update


@broken("table", "delete_item", "operator")
def release_any_marker(request: Request, call: Call) -> Any:
    """`forget` deletes the marker of the order, whichever payment it names."""
    if request["ConditionExpression"] != HELD:
        return call(request)
    used = {"ConditionExpression": "attribute_exists(#payId)", "ExpressionAttributeValues": {}}
    return call(request | used)
