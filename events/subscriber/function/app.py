"""Does what a paid order is owed, once, however often its PaymentSucceeded arrives.

There are two effects here, because there are two ways to have one only once:

* `activate` writes to a database of our own. The claim of the event and the activation are one
  transaction, so there is never one without the other: exactly once, as long as claims are kept.
* `send_receipt` reaches outside, where no transaction of ours reaches. powertools Idempotency keeps
  it from being repeated, but for the gaps that the README names.
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
RECEIPTS_TOPIC = os.environ["RECEIPTS_TOPIC"]

# A copy of an event may come after 400 days in the archive, 1 day of the rule's own tries, 14 days
# in our queue and, once moved there from the DLQ, 14 more: 429 days. Whoever sends one again by
# hand may do so later still, so ten years; a record has some 300 bytes.
TEN_YEARS = 10 * 365 * 24 * 3600

# Botocore waits a minute for an answer, which is longer than the function may run.
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
    """Nothing may be done for this event; the text says why, and quotes nothing from it."""


def handler(event: dict[str, Any], context: Any) -> Any:
    """Take each message of a batch; name those that failed, which SQS then delivers again."""
    once.register_lambda_context(context)
    return process_partial_response(event, take, batches, context)


def take(record: SQSRecord) -> None:
    """Activate the order and send its receipt, unless that was done before."""
    try:
        event = read(record.body)
        activated = activate(event)
        # Also for an event that came before: it may have broken off right here.
        send_receipt(event=event)
    except Exception as error:
        # The text of other errors may quote what a customer wrote.
        why = str(error) if isinstance(error, Refused) else type(error).__name__
        logger.error("failed", extra={"messageId": record.message_id, "why": why})  # noqa: TRY400  as said above
        raise
    result = "activated" if activated else "activated before"
    logger.info(result, extra={"payId": event["data"]["payId"]})


def read(body: str) -> dict[str, Any]:
    """The `detail` of the event in a message; raises Refused where it is not one of ours."""
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

    Put your own effect into the transaction: up to 98 more writes, with conditions of their own.
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
            # Two payments for one order: somebody has to give one back. The alarm on the DLQ calls.
            raise Refused("the order was activated by another payment") from None
        raise  # a copy is being worked on at this moment, or a throttle: it comes again
    return True


def order_of(data: dict[str, Any]) -> str:
    """What is activated only once: the order, or the payment where no order was registered."""
    order = data.get("orderId")
    return f"ORDER#{order}" if order else f"PAYMENT#{data['partnerCode']}#{data['payId']}"


def new(table: str, item: dict[str, Any]) -> dict[str, Any]:
    """A write of *item* that fails if *table* has one with its key."""
    condition = "attribute_not_exists(pk)"
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": condition}}


@idempotent_function(  # type: ignore[untyped-decorator]  # powertools does not type it
    data_keyword_argument="event", config=once, persistence_store=receipts, key_prefix="receipt"
)
def send_receipt(*, event: dict[str, Any]) -> None:
    """Ask whoever listens to the topic for a receipt: mail, an HTTP call, anything outside."""
    names = ("payId", "orderId", "amount", "currency")
    receipt = {name: event["data"][name] for name in names if name in event["data"]}
    sns.publish(TopicArn=RECEIPTS_TOPIC, Message=json.dumps(receipt))
