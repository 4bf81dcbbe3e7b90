"""Reading the whole table, a page at a time."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from payresult.aws.items import key, to_item

if TYPE_CHECKING:
    from payresult_cli.stack import Stack

COST = "Reads the whole table: half a read request unit for each 4 KB in it, whatever is found."
"""For the help of each command that does so (AWS, Scan: eventually consistent)."""

_NAME = re.compile(r"#(\w+)")
_value = TypeDeserializer().deserialize


def scan(
    system: "Stack", attributes: Sequence[str], condition: str = "", **values: Any
) -> Iterator[dict[str, Any]]:
    """Yield *attributes* ("reply.payAmount" too) of each payment for which *condition* holds.

    In no order; a condition speaks of ``#attribute`` and ``:value``. One page is held at a time.
    """
    paths = [".".join(f"#{name}" for name in each.split(".")) for each in attributes]
    projection = ", ".join(paths)
    own = "begins_with(#pk, :pk)"
    wanted = f"{own} AND {condition}" if condition else own
    pages = (
        system.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=system.table,
            ProjectionExpression=projection,
            FilterExpression=wanted,
            ExpressionAttributeNames={f"#{n}": n for n in _NAME.findall(f"{projection} {wanted}")},
            ExpressionAttributeValues=to_item(
                {":pk": key(system.partner_code, "")} | {f":{n}": v for n, v in values.items()}
            ),
        )
    )
    for page in pages:
        for item in page["Items"]:
            yield {name: _value(value) for name, value in item.items()}
