"""The responses of the stubs. ``new-…`` is a payId without an item, ``…-paid`` one that is paid.

The stubs are stateless: the same call always gets the same response.
"""

import time
from collections.abc import Callable
from typing import Any

from tests.support.expressions import Scope, parse_update

NOW = int(time.time() * 1000)
HOUR = 3_600_000


def gateway(_target: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return the documented reply of the gateway."""
    return {
        "orderPeriod": "1",
        "packageType": "2",
        "partnerCode": request["partnerCode"],
        "payAmount": "$19.99",
        "payId": request["payId"],
        "payResultDate": "2020-09-17 18:11:10",
        "payRst": "success" if request["payId"].endswith("-paid") else "processing",
        "servicePlanShowName": "Singapore 2G 30-Days",
    }


def aws(target: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return the response to a call of *target*, such as DynamoDB_20120810.GetItem."""
    return _RESPONSES[target.rpartition(".")[2]](request)


def _item(key: dict[str, Any]) -> dict[str, Any] | None:
    """Return a payment in the fast phase after its first check, None for a new payId."""
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


def _get_item(request: dict[str, Any]) -> dict[str, Any]:
    item = _item(request["Key"])
    return {} if item is None else {"Item": item}


def _batch_get_item(request: dict[str, Any]) -> dict[str, Any]:
    [(table, wanted)] = request["RequestItems"].items()
    found = [item for key in wanted["Keys"] if (item := _item(key))]
    return {"Responses": {table: found}, "UnprocessedKeys": {}}


def _update_item(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("ReturnValues") != "ALL_NEW":
        return {}
    item = _item(request["Key"]) or request["Key"]
    scope = Scope(item, request["ExpressionAttributeNames"], request["ExpressionAttributeValues"])
    parse_update(request["UpdateExpression"])(scope, item)
    return {"Attributes": item}


def _send_message_batch(request: dict[str, Any]) -> dict[str, Any]:
    sent = [{"Id": it["Id"], "MessageId": it["Id"]} for it in request["Entries"]]
    return {"Successful": sent, "Failed": []}


_RESPONSES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "GetItem": _get_item,
    "BatchGetItem": _batch_get_item,
    "PutItem": lambda _: {},
    "UpdateItem": _update_item,
    "Query": lambda _: {"Items": [], "Count": 0, "ScannedCount": 0},
    "SendMessageBatch": _send_message_batch,
    "PutEvents": lambda request: {
        "FailedEntryCount": 0,
        "Entries": [{"EventId": str(number)} for number, _ in enumerate(request["Entries"])],
    },
}
