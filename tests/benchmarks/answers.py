"""What the stubs answer. A payId says its fate: ``new-…`` is in no table, ``…-paid`` is paid.

They remember nothing: the same call finds the same item every time.
"""

import time
from collections.abc import Callable
from typing import Any

from tests.fault_injection.expressions import Scope, update

NOW = int(time.time() * 1000)
HOUR = 3_600_000


def gateway(_target: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Answer as the provider's page does."""
    return {
        "orderPeriod": "1",
        "packageType": "2",
        "partnerCode": asked["partnerCode"],
        "payAmount": "$19.99",
        "payId": asked["payId"],
        "payResultDate": "2020-09-17 18:11:10",
        "payRst": "success" if asked["payId"].endswith("-paid") else "processing",
        "servicePlanShowName": "Singapore 2G 30-Days",
    }


def aws(target: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Answer one of the calls that payresult, or what it is compared with, makes."""
    return _ANSWERS[target.rpartition(".")[2]](asked)


def _item(key: dict[str, Any]) -> dict[str, Any] | None:
    """A payment in the fast phase, whose first check is done; None if it is in no table."""
    partner_code, _, pay_id = key["pk"]["S"].partition("#")
    if not pay_id or pay_id.startswith("new-"):
        return None
    change = {"at": {"N": str(NOW)}, "to": {"S": "PENDING"}, "way": {"S": "queue"}}
    numbers = {"rank": 10, "checks": 1, "attempt": 1, "step": 1, "schemaVersion": 1}
    times = {"createdAt": 0, "lastCheckedAt": 0, "nextCheckAt": 0, "workAt": 1, "giveUpAt": 99}
    return {
        "pk": key["pk"],
        "partnerCode": {"S": partner_code},
        "payId": {"S": pay_id},
        "status": {"S": "PENDING"},
        "workShard": {"S": "CHECK#0"},
        "history": {"L": [{"M": change}]},
        **{name: {"N": str(number)} for name, number in numbers.items()},
        **{name: {"N": str(NOW + hours * HOUR)} for name, hours in times.items()},
    }


def _get_item(asked: dict[str, Any]) -> dict[str, Any]:
    item = _item(asked["Key"])
    return {} if item is None else {"Item": item}


def _batch_get_item(asked: dict[str, Any]) -> dict[str, Any]:
    [(table, wanted)] = asked["RequestItems"].items()
    found = [item for key in wanted["Keys"] if (item := _item(key))]
    return {"Responses": {table: found}, "UnprocessedKeys": {}}


def _update_item(asked: dict[str, Any]) -> dict[str, Any]:
    if asked.get("ReturnValues") != "ALL_NEW":
        return {}
    item = _item(asked["Key"]) or asked["Key"]
    scope = Scope(item, asked["ExpressionAttributeNames"], asked["ExpressionAttributeValues"])
    update(asked["UpdateExpression"])(scope, item)
    return {"Attributes": item}


def _send_message_batch(asked: dict[str, Any]) -> dict[str, Any]:
    sent = [{"Id": it["Id"], "MessageId": it["Id"]} for it in asked["Entries"]]
    return {"Successful": sent, "Failed": []}


_ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "GetItem": _get_item,
    "BatchGetItem": _batch_get_item,
    "PutItem": lambda _: {},
    "UpdateItem": _update_item,
    "Query": lambda _: {"Items": [], "Count": 0, "ScannedCount": 0},
    "SendMessageBatch": _send_message_batch,
    "PutEvents": lambda asked: {
        "FailedEntryCount": 0,
        "Entries": [{"EventId": str(number)} for number, _ in enumerate(asked["Entries"])],
    },
}
