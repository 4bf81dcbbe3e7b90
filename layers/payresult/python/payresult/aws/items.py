"""A payment as an item of the table: attribute names, and the conversion both ways. Pure."""

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from payresult.domain.payment import CheckError, Payment, Registration, Status, StatusChange
from payresult.domain.reply import Reply, stored_text
from payresult.errors import UnreadableItem

SCHEMA_VERSION = 1
SHARD_COUNT = 8
"""Partitions of the index ``work``: 8 x 1,000 writes a second (the limit of one partition), far
more than the sweeper can follow."""

Item = Mapping[str, Any]
"""An item in DynamoDB JSON."""

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def key(partner_code: str, pay_id: str) -> str:
    """Return the primary key of a payment; "#" occurs in neither part."""
    return f"{partner_code}#{pay_id}"


def order_key(partner_code: str, order_id: str) -> str:
    """Return the primary key of an order's marker.

    No payment has it: a payId has no "#" (``schemas.fields.PAY_ID``). An orderId has at most 128
    visible ASCII characters, so the key has at most 167 bytes of the 2,048 that DynamoDB allows
    (AWS, "Quotas in Amazon DynamoDB", partition key).
    """
    return key(partner_code, f"order#{order_id}")


def shard(kind: str, pay_id: str) -> str:
    """Return the partition of the index for a CHECK or an EVENT of *pay_id*."""
    return f"{kind}#{crc32(pay_id.encode()) % SHARD_COUNT}"


def attention(partner_code: str, kind: str) -> str:
    """Return the partition of the index for payments that wait for a person.

    *kind* is UNRESOLVED, REVIEW or DUPLICATE.
    """
    return f"{partner_code}#{kind}"


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values* (str, int, lists and mappings of such) in DynamoDB JSON."""
    return {name: _serialize(value) for name, value in values.items()}


def registration_values(registration: Registration) -> dict[str, str | None]:
    """Return the registered fields by attribute, None where nothing is registered."""
    return {
        "orderId": registration.order_id,
        "expectedAmount": registration.expected_amount,
        "currency": registration.currency,
    }


def reply_value(reply: Reply) -> dict[str, str]:
    """Return what is stored of *reply*: its fields as received, long ones truncated."""
    return {name: stored_text(value) for name, value in reply.fields.items()}


def accepted_values(payment: Payment) -> dict[str, Any]:
    """Return what an operator accepted by attribute, None where nothing was."""
    return {
        "acceptedPayAmount": payment.accepted_amount,
        "acceptedAbsent": payment.accepted_absent or None,
    }


def check_error_value(error: CheckError) -> dict[str, Any]:
    """Return what is stored of a check that brought no reply."""
    known = {
        "kind": error.kind,
        "at": error.at,
        "tries": error.tries,
        "since": error.since,
        "how": error.how,
        "httpStatus": error.http_status,
    }
    return {name: value for name, value in known.items() if value is not None}


def status_change_value(change: StatusChange) -> dict[str, Any]:
    """Return one entry of the history."""
    known = {
        "at": change.at,
        "from": change.from_status and change.from_status.value,
        "to": change.to_status.value,
        "way": change.trigger,
        "payRst": change.pay_rst and stored_text(change.pay_rst),
        "reason": change.reason,
        "amountFrom": change.amount_from,
        "amountTo": change.amount_to,
    }
    return {name: value for name, value in known.items() if value is not None}


def to_payment(item: Item) -> Payment:
    """Return the payment that *item* (DynamoDB JSON) holds.

    Raises UnreadableItem for an item of another schema version, or one that lacks something.
    """
    try:
        value = {name: _deserialize(attribute) for name, attribute in item.items()}
        if value.get("schemaVersion") == SCHEMA_VERSION:
            return _payment(value)
        rule = f"schemaVersion is not {SCHEMA_VERSION}"
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        rule = f"{type(error).__name__} {error}"
    raise UnreadableItem(f"{item['pk']['S']}: {rule}")


def _payment(value: dict[str, Any]) -> Payment:
    return Payment(
        partner_code=value["partnerCode"],
        pay_id=value["payId"],
        status=Status(value["status"]),
        registration=Registration(
            value.get("orderId"), value.get("expectedAmount"), value.get("currency")
        ),
        created_at=int(value["createdAt"]),
        give_up_at=int(value["giveUpAt"]),
        checks=int(value.get("checks", 0)),
        attempt=int(value.get("attempt", 0)),
        step=int(value.get("step", 0)),
        reply=value.get("reply", {}),
        last_checked_at=_whole(value.get("lastCheckedAt")),
        next_check_at=_whole(value.get("nextCheckAt")),
        last_error=_check_error(value.get("lastError")),
        history=tuple(_status_change(entry) for entry in value.get("history", ())),
        event_id=value.get("eventId"),
        event=value.get("event"),
        event_state=value.get("eventState"),
        event_sent_at=_whole(value.get("eventSentAt")),
        work_shard=value.get("workShard"),
        work_at=_whole(value.get("workAt")),
        last_answered_at=_whole(value.get("lastAnsweredAt")),
        last_unanswered_at=_whole(value.get("lastUnansweredAt")),
        accepted_amount=value.get("acceptedPayAmount"),
        accepted_absent=bool(value.get("acceptedAbsent")),
        attention=value.get("attention"),
        attention_since=_whole(value.get("attentionSince")),
        expires_at=_whole(value.get("expiresAt")),
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _check_error(value: dict[str, Any] | None) -> CheckError | None:
    if value is None:
        return None
    at = int(value["at"])
    return CheckError(
        kind=value["kind"],
        at=at,
        tries=int(value["tries"]),
        since=int(value.get("since", at)),
        how=value.get("how"),
        http_status=_whole(value.get("httpStatus")),
    )


def _status_change(value: dict[str, Any]) -> StatusChange:
    from_status = value.get("from")
    return StatusChange(
        at=int(value["at"]),
        from_status=Status(from_status) if from_status else None,
        to_status=Status(value["to"]),
        trigger=value["way"],
        pay_rst=value.get("payRst"),
        reason=value.get("reason"),
        amount_from=value.get("amountFrom"),
        amount_to=value.get("amountTo"),
    )
