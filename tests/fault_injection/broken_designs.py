"""C14: designs known to be wrong. Each must be caught by the campaigns that pass ours.

Each is a wrapper around the clients of our own design, so that everything else stays as it is.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.fault_injection.expressions import placeholders
from tests.fault_injection.fake_aws import Request, kind_of
from tests.fault_injection.fake_gateway import HOUR, Answer
from tests.fault_injection.functions import Client
from tests.fault_injection.simulation import Stage

Call = Callable[[Request], Any]


class Changed:
    """A client of which one operation is done another way; *how* gets the request and the call."""

    def __init__(self, client: Client, operation: str, how: Callable[[Request, Call], Any]) -> None:
        self._client = client
        self._operation = operation
        self._how = how

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._client, name)
        if name != self._operation:
            return call
        return lambda **request: self._how(request, lambda changed: call(**changed))


def emit_on_transition(stage: Stage, role: str, edge: str, client: Client) -> Client:
    """No outbox: who makes a payment SUCCEEDED puts the event on the bus, right afterwards."""

    def update(request: Request, call: Call) -> Any:
        if kind_of("update_item", request) != "succeed":
            return call(request)
        text = request["UpdateExpression"]
        for name in ("workShard", "workAt"):
            text = text.replace(f", #{name} = :new_{name}", "")
        text = text.replace("REMOVE ", "REMOVE #workShard, #workAt, ")
        values = request["ExpressionAttributeValues"]
        detail = values[":new_event"]["S"]
        sent = values | {":new_eventState": {"S": "SENT"}}
        answer = call(_edited(request, UpdateExpression=text, ExpressionAttributeValues=sent))
        stage.call(role, "bus", "put_events", {"Entries": [{"Detail": detail}]})
        return answer

    return Changed(client, "update_item", update) if edge == "table" else client


def ignore_failed_entries(_stage: Stage, _role: str, edge: str, client: Client) -> Client:
    """PutEvents answered 200, so all is well: FailedEntryCount is not looked at."""

    def put(request: Request, call: Call) -> Any:
        call(request)
        return {"Entries": [{"EventId": "x"} for _ in request["Entries"]]}

    return Changed(client, "put_events", put) if edge == "bus" else client


def random_ids(_stage: Stage, _role: str, edge: str, client: Client) -> Client:
    """Each sending of an event has an id of its own."""

    def put(request: Request, call: Call) -> Any:
        entries = []
        for entry in request["Entries"]:
            detail = json.loads(entry["Detail"])
            detail["metadata"]["eventId"] = str(uuid4())
            entries.append(entry | {"Detail": json.dumps(detail)})
        return call(request | {"Entries": entries})

    return Changed(client, "put_events", put) if edge == "bus" else client


class RecordBeforeSend:
    """A check is recorded first, and only then the message of the next one is sent."""

    def __init__(self) -> None:
        self._held: defaultdict[str, list[Request]] = defaultdict(list)

    def __call__(self, stage: Stage, role: str, edge: str, client: Client) -> Client:
        """Hold back what the queue is given until the table was written."""
        if (role, edge) == ("checks", "queue"):
            return self._holding(client)
        return self._sending(stage, client) if (role, edge) == ("checks", "table") else client

    def _holding(self, client: Client) -> Client:
        def send(request: Request, _call: Call) -> Any:
            for entry in request["Entries"]:
                self._held[json.loads(entry["MessageBody"])["payId"]] = [entry]
            return {}

        return Changed(client, "send_message_batch", send)

    def _sending(self, stage: Stage, client: Client) -> Client:
        def update(request: Request, call: Call) -> Any:
            answer = call(request)
            pay_id = request["Key"]["pk"]["S"].partition("#")[2]
            if held := self._held.pop(pay_id, []):
                stage.call("checks", "queue", "send_message_batch", {"Entries": held})
            return answer

        return Changed(client, "update_item", update)


def no_fence(_stage: Stage, role: str, edge: str, client: Client) -> Client:
    """Whatever message comes is followed, however often, and goes on."""
    if role != "checks" or edge != "table":
        return client

    def read(request: Request, call: Call) -> Any:
        answer = call(request)
        return answer | {
            "Responses": {
                table: [item | {"step": {"N": "0"}} for item in items]
                for table, items in answer["Responses"].items()
            }
        }

    def update(request: Request, call: Call) -> Any:
        condition = re.sub(r"\(#step < :step\) AND ", "", request["ConditionExpression"])
        return call(_edited(request, ConditionExpression=condition))

    return Changed(Changed(client, "batch_get_item", read), "update_item", update)


class FrozenAnswers:
    """The query is wrapped in an idempotency that keeps an answer for an hour, its default."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Answer]] = {}

    def __call__(self, stage: Stage, _role: str, edge: str, client: Client) -> Client:
        """Ask only where no answer is kept."""

        def query(request: Request, call: Call) -> Answer:
            until, answer = self._kept.get(request["pay_id"], (0, None))
            if answer is None or until <= stage.now:
                answer = call(request)
                self._kept[request["pay_id"]] = stage.now + HOUR, answer
            return answer

        return Changed(client, "query", query) if edge == "gateway" else client


def unconditional(_stage: Stage, _role: str, edge: str, client: Client) -> Client:
    """The last success wins: nobody looks whether there was one."""

    def update(request: Request, call: Call) -> Any:
        if kind_of("update_item", request) == "succeed":
            anything = "attribute_exists(#payId) OR attribute_not_exists(#payId)"
            return call(_edited(request, ConditionExpression=anything))
        return call(request)

    return Changed(client, "update_item", update) if edge == "table" else client


def credulous(_stage: Stage, _role: str, edge: str, client: Client) -> Client:
    """An answer is taken to be about the payment asked for."""

    def query(request: Request, call: Call) -> Answer:
        answer: Answer = call(request)
        body = answer.body.replace(b'"other"', json.dumps(request["pay_id"]).encode())
        return answer._replace(body=body)

    return Changed(client, "query", query) if edge == "gateway" else client


def no_second_way(_stage: Stage, role: str, edge: str, client: Client) -> Client:
    """The stream delivers, so nobody else looks for events that were not sent."""

    def query(request: Request, call: Call) -> Any:
        shard: str = request["ExpressionAttributeValues"][":shard"]["S"]
        return {"Items": []} if shard.startswith("EVENT") else call(request)

    return Changed(client, "query", query) if (role, edge) == ("sweeper", "table") else client


def no_watchdog(_stage: Stage, role: str, edge: str, client: Client) -> Client:
    """The queue delivers, so nobody looks for checks whose message is lost."""

    def query(request: Request, call: Call) -> Any:
        shard: str = request["ExpressionAttributeValues"][":shard"]["S"]
        return {"Items": []} if shard.startswith("CHECK") else call(request)

    return Changed(client, "query", query) if (role, edge) == ("sweeper", "table") else client


def _edited(request: Request, **parts: Any) -> Request:
    """Return *request* with *parts* replaced, and without what no expression speaks of then."""
    edited = request | parts
    spoken_of = placeholders(edited["UpdateExpression"] + edited["ConditionExpression"])
    for part in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        edited[part] = {key: it for key, it in edited[part].items() if key in spoken_of}
    return edited
