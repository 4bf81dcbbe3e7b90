"""Activates a paid order and sends its receipt, once, however often its PaymentSucceeded arrives.

The two effects show two ways to act once:

* `activate` writes to its own database. The claim of the event and the activation are one
  transaction, so either both exist or neither: exactly once, as long as claims are kept.
* `send_receipt` calls another system, outside of any transaction here. powertools Idempotency
  prevents repetition, except in the cases that the README lists.

An order that was paid twice is activated once: `note_refund` notes its second payment for a person.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import fastjsonschema
from aws_lambda_powertools import Logger
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
from botocore.config import Config

ENVIRONMENT = os.environ["ENVIRONMENT"]
CLAIMS = os.environ["CLAIMS_TABLE"]
ACTIVATIONS = os.environ["ACTIVATIONS_TABLE"]
REFUNDS = os.environ["REFUNDS_TABLE"]
RECEIPTS_TOPIC = os.environ["RECEIPTS_TOPIC"]

# A copy of an event may arrive after 400 days in the archive, 1 day of the rule's own retries, 14
# days in the queue and, once moved there from the DLQ, 14 more: 429 days. An operator may send one
# again even later, so records are kept for ten years; a record has some 300 bytes.
TEN_YEARS = 10 * 365 * 24 * 3600

# By default botocore waits a minute for an answer, which is longer than the function may run.
PATIENCE = Config(connect_timeout=2, read_timeout=5)

logger = Logger()
batches = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
dynamodb = boto3.resource("dynamodb", config=PATIENCE).meta.client
sns = boto3.client("sns", config=PATIENCE)
fits = fastjsonschema.compile(json.loads(Path(__file__).with_name("schema.json").read_text()))
receipts = DynamoDBPersistenceLayer(os.environ["RECEIPTS_TABLE"], boto_config=PATIENCE)
once = IdempotencyConfig(
    event_key_jmespath="metadata.idempotencyKey",
    raise_on_no_idempotency_key=True,
    expires_after_seconds=TEN_YEARS,
    hash_function="sha256",
)


class Refused(Exception):
    """The event must not be acted on; the text says why, and quotes nothing from it."""


def handler(event: dict[str, Any], context: Any) -> Any:
    """Process each message of a batch; return those that failed, which SQS delivers again."""
    once.register_lambda_context(context)
    return process_partial_response(event, take, batches, context)


def take(record: SQSRecord) -> None:
    """Act on the event in a message; log what was done, or why nothing was."""
    try:
        event = read(record.body)
        result = act_on(event)
    except Exception as error:
        # The text of other errors may quote a customer's text.
        why = str(error) if isinstance(error, Refused) else type(error).__name__
        logger.error("failed", extra={"messageId": record.message_id, "why": why})  # noqa: TRY400 - see above
        raise
    logger.info(result, extra={"payId": event["data"]["payId"]})


def act_on(event: dict[str, Any]) -> str:
    """Activate the order and send its receipt; note the second payment of an order only.

    Returns what was done, or that it was done before.
    """
    if "duplicateOf" in event["data"]:
        return "refund noted" if note_refund(event) else "refund noted before"
    activated = activate(event)
    # Also for an event that was claimed before: that run may have ended before the receipt.
    send_receipt(event=event)
    return "activated" if activated else "activated before"


def read(body: str) -> dict[str, Any]:
    """Return the `detail` of the event in a message; raise Refused if it is not for us."""
    try:
        detail: dict[str, Any] = json.loads(body)["detail"]
        fits(detail)
    except fastjsonschema.JsonSchemaValueException as error:
        raise Refused(f"{error.name} breaks the rule {error.rule}") from None
    except (LookupError, TypeError, ValueError):
        raise Refused("not an event from EventBridge") from None
    if detail["metadata"]["environment"] != ENVIRONMENT:
        raise Refused("an event of another environment")
    return detail


def activate(event: dict[str, Any]) -> bool:
    """Claim the event and write the activation, both or neither; False if it was claimed before.

    Add your own effect to the transaction: up to 98 more writes, with conditions of their own.
    """
    metadata, data = event["metadata"], event["data"]
    claim = {"pk": metadata["idempotencyKey"], "eventId": metadata["eventId"]}
    activation = {
        "pk": order_of(data),
        "payId": data["payId"],
        "eventId": metadata["eventId"],
        "activatedAt": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    activation |= {name: data[name] for name in ("orderId",) if name in data}
    try:
        writes: Any = [new(CLAIMS, claim), new(ACTIVATIONS, activation)]
        dynamodb.transact_write_items(TransactItems=writes)
    except dynamodb.exceptions.TransactionCanceledException as error:
        reasons = [reason["Code"] for reason in error.response["CancellationReasons"]]
        if reasons[0] == "ConditionalCheckFailed":
            return False
        if reasons[1] == "ConditionalCheckFailed":
            # payresult does not know it as the second one: the order was paid before payresult
            # marked orders, or by another partnerCode. The alarm on the DLQ calls a person.
            raise Refused("the order was activated by another payment") from None
        raise  # a copy is being processed now, or a throttle: SQS delivers it again
    return True


def note_refund(event: dict[str, Any]) -> bool:
    """Note that a payment of an order is to be refunded; False if it was noted before.

    A person decides which one: `cli/payresult explain` says whether the order has another event.
    """
    names = ("payId", "orderId", "duplicateOf", "amount", "currency")
    refund = {"pk": event["metadata"]["idempotencyKey"]}
    refund |= {name: event["data"][name] for name in names if name in event["data"]}
    try:
        dynamodb.put_item(**new(REFUNDS, refund)["Put"])
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def order_of(data: dict[str, Any]) -> str:
    """Return the key that is activated once: the order, or the payment if it has no order."""
    order = data.get("orderId")
    return f"ORDER#{order}" if order else f"PAYMENT#{data['partnerCode']}#{data['payId']}"


def new(table: str, item: dict[str, Any]) -> dict[str, Any]:
    """Return a write of *item* that fails if *table* already has its key."""
    condition = "attribute_not_exists(pk)"
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": condition}}


@idempotent_function(  # type: ignore[untyped-decorator]  # powertools does not type it
    data_keyword_argument="event", config=once, persistence_store=receipts, key_prefix="receipt"
)
def send_receipt(*, event: dict[str, Any]) -> None:
    """Request the receipt by the topic, for any system outside: mail, an HTTP call."""
    names = ("payId", "orderId", "amount", "currency")
    receipt = {name: event["data"][name] for name in names if name in event["data"]}
    sns.publish(TopicArn=RECEIPTS_TOPIC, Message=json.dumps(receipt))
