"""What the handlers are invoked with."""

import json
from typing import Any


def follow_ups(count: int, *, paid: int = 0) -> dict[str, Any]:
    """A batch of the checks queue, of which the first *paid* are paid by now."""
    fates = ["-paid"] * paid + [""] * (count - paid)
    return {"Records": [_record(f"known-{number}{fate}") for number, fate in enumerate(fates)]}


def _record(pay_id: str) -> dict[str, Any]:
    return {
        "messageId": f"message of {pay_id}",
        "receiptHandle": "handle",
        "body": json.dumps({"payId": pay_id, "step": 2}),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795341600000",
            "SenderId": "AIDACKCEVSQ6C2EXAMPLE",
            "ApproximateFirstReceiveTimestamp": "1795341600015",
        },
        "messageAttributes": {},
        "md5OfBody": "1a138deba85034290cd34f89e4f1fdfb",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:checks",
        "awsRegion": "eu-central-1",
    }


def a_get(pay_id: str) -> dict[str, Any]:
    """An app's GET."""
    route = "GET /payments/{payId}"
    return {"version": "2.0", "routeKey": route, "pathParameters": {"payId": pay_id}}


def a_query(pay_ids: list[str]) -> dict[str, Any]:
    """An app's question about many."""
    body = json.dumps({"payIds": pay_ids})
    return {"version": "2.0", "routeKey": "POST /payments/query", "body": body}


def a_change() -> dict[str, Any]:
    """A record of the table's stream that no event belongs to."""
    image = {"payId": {"S": "known-1"}, "status": {"S": "PENDING"}}
    change = {"SequenceNumber": "1", "NewImage": image}
    record = {"eventID": "e-1", "eventName": "INSERT", "dynamodb": change}
    return {"Records": [record]}


def pay_ids(count: int) -> list[str]:
    """PayIds that nobody registered; every fifth is paid."""
    return [f"new-{number}-paid" if number % 5 == 0 else f"new-{number}" for number in range(count)]
