"""The typical handler: the same task, written with the usual features of the libraries.

One function for all triggers: a resolver with validation for HTTP, parser and batch processing
for SQS, idempotency around the query, boto3's resource and a client, a session of requests. It
has no Tracer, which would make it slower: the X-Ray SDK is not in the lock files. It does not
schedule further checks of unpaid payments, as payresult does.
"""

import hashlib
import json
import os
import time
from typing import Any

import boto3
import requests
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.parser import BaseModel, parse
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
app = APIGatewayHttpResolver(enable_validation=True)
processor = BatchProcessor(event_type=EventType.SQS)
persistence = DynamoDBPersistenceLayer(table_name="idempotency")
config = IdempotencyConfig(event_key_jmespath="[payId, step]", expires_after_seconds=60)
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
events = boto3.client("events")
session = requests.Session()


class Order(BaseModel):
    """A message of the queue."""

    payId: str  # noqa: N815 - as in the message
    step: int = 1


class Result(BaseModel):
    """The reply of the gateway."""

    payId: str  # noqa: N815 - as in the response
    partnerCode: str  # noqa: N815 - as above
    payRst: str  # noqa: N815 - as above
    payAmount: str | None = None  # noqa: N815 - as above


@app.get("/payments/<pay_id>")
def get_payment(pay_id: str) -> Result:
    """Query the gateway, and return the result."""
    return query(pay_id)


@idempotent_function(  # type: ignore[untyped-decorator]  # as powertools declares it
    data_keyword_argument="order", persistence_store=persistence, config=config
)
def check(order: dict[str, Any]) -> str:
    """Query the gateway, store the result, and send the event of a success."""
    result = query(order["payId"])
    table.update_item(
        Key={"pk": f"P000818#{order['payId']}"},
        UpdateExpression="SET #status = :status, #step = :step",
        ExpressionAttributeNames={"#status": "status", "#step": "step"},
        ExpressionAttributeValues={":status": result.payRst, ":step": order["step"]},
    )
    if result.payRst == "success":
        detail = result.model_dump_json()
        events.put_events(Entries=[{"Source": "typical", "DetailType": "Paid", "Detail": detail}])
    metrics.add_metric(name="Checked", unit=MetricUnit.Count, value=1)
    logger.info("checked", payId=order["payId"], payRst=result.payRst)
    return result.payRst


def query(pay_id: str) -> Result:
    """Query the gateway."""
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
    return parse(event=response.json(), model=Result)


def handle_record(record: SQSRecord) -> None:
    """Check the payment of one record."""
    check(order=parse(event=record.json_body, model=Order).model_dump())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Handle a batch of SQS or an HTTP request."""
    if "Records" in event:
        config.register_lambda_context(context)
        return process_partial_response(
            event=event, record_handler=handle_record, processor=processor, context=context
        )
    return app.resolve(event, context)
