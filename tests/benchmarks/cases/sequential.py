"""The sequential script: queries one payment after the other, with requests and boto3."""

import hashlib
import json
import os
import time
from typing import Any

import boto3
import requests

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
session = requests.Session()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Query each payId of the list, and store the paid ones."""
    return {"results": [check(pay_id) for pay_id in event["payIds"]]}


def check(pay_id: str) -> Any:
    """Query the gateway, and store the result if it is paid."""
    params = {
        "partnerCode": os.environ["PARTNER_CODE"],
        "payId": pay_id,
        "tradeTime": str(int(time.time() * 1000)),
        "tradeType": "resultQuery",
        "version": "3.0",
    }
    text = json.dumps(params, sort_keys=True, separators=(",", ":")).encode()
    params["sign"] = hashlib.md5(text, usedforsecurity=False).hexdigest()
    url = os.environ["GATEWAY_BASE_URL"] + "/resultQuery"
    response = session.post(url, json=params, timeout=5)
    response.raise_for_status()
    result = response.json()
    if result["payRst"] == "success":
        table.update_item(
            Key={"pk": f"P000818#{pay_id}"},
            UpdateExpression="SET #status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": "SUCCEEDED"},
        )
    return result
