"""Reads all payments of the table."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from payresult.aws.items import key, order_key, to_item

if TYPE_CHECKING:
    from payresult_cli.stack import Stack

SCAN_COST = "the whole table, which costs half a read request unit per 4 KB, whatever is found."
"""For the help of each command that scans (AWS, Scan: eventually consistent)."""

_NAME = re.compile(r"#(\w+)")
_deserialize = TypeDeserializer().deserialize


def scan_payments(
    stack: "Stack", attributes: Sequence[str], condition: str = "", **values: Any
) -> Iterator[dict[str, Any]]:
    """Yield *attributes* ("reply.payAmount" too) of each payment that meets *condition*.

    The order is undefined. The condition names ``#attribute`` and ``:value``. One page is in
    memory at a time.
    """
    paths = [".".join(f"#{name}" for name in each.split(".")) for each in attributes]
    projection = ", ".join(paths)
    own = "begins_with(#pk, :pk) AND NOT begins_with(#pk, :order)"
    filtered = f"{own} AND {condition}" if condition else own
    names = _NAME.findall(f"{projection} {filtered}")
    values |= {"pk": key(stack.partner_code, ""), "order": order_key(stack.partner_code, "")}
    pages = (
        stack.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=stack.table_name,
            ProjectionExpression=projection,
            FilterExpression=filtered,
            ExpressionAttributeNames={f"#{name}": name for name in names},
            ExpressionAttributeValues=to_item({f":{n}": v for n, v in values.items()}),
        )
    )
    for page in pages:
        for item in page["Items"]:
            yield {name: _deserialize(value) for name, value in item.items()}
