"""The events that the handlers are invoked with."""

import json
from typing import Any


def check_messages(count: int, *, paid: int = 0) -> dict[str, Any]:
    """Return a batch of the checks queue for second checks; the first *paid* payments are paid."""
    suffixes = ["-paid"] * paid + [""] * (count - paid)
    return {"Records": [_record(f"known-{number}{end}") for number, end in enumerate(suffixes)]}


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


def get_request(pay_id: str) -> dict[str, Any]:
    """Return a GET of one payment."""
    route = "GET /payments/{payId}"
    return {"version": "2.0", "routeKey": route, "pathParameters": {"payId": pay_id}}


def query_request(count: int) -> dict[str, Any]:
    """Return a POST that looks up *count* payments which nobody registered; every fifth is paid."""
    names = [
        f"new-{number}-paid" if number % 5 == 0 else f"new-{number}" for number in range(count)
    ]
    body = json.dumps({"payIds": names})
    return {"version": "2.0", "routeKey": "POST /payments/query", "body": body}


def stream_records() -> dict[str, Any]:
    """Return a record of the table's stream without an event."""
    image = {"payId": {"S": "known-1"}, "status": {"S": "PENDING"}}
    change = {"SequenceNumber": "1", "NewImage": image}
    record = {"eventID": "e-1", "eventName": "INSERT", "dynamodb": change}
    return {"Records": [record]}
