"""Contract with DynamoDB: what the parts of an UpdateItem mean."""

from payresult.aws.expressions import Update
from tests.support.factories import PARTNER, PAY_ID
from tests.support.tables import Table


def test_attribute_names_may_be_reserved_words(table: Table) -> None:
    """DynamoDB refuses its reserved words where a name is not an alias."""
    table.put({"pk": f"{PARTNER}#{PAY_ID}", "status": "old"})
    update = Update()
    update.require("#status = :old", old="old")
    update.set(name="new")
    update.set_if_absent(year=1)
    update.increment("count")
    update.append("list", {"a": 1})
    update.remove("status")
    key = {"pk": {"S": f"{PARTNER}#{PAY_ID}"}}
    table.client.update_item(TableName=table.name, Key=key, **update.arguments())
    expected = {"name": "new", "year": 1, "count": 1, "list": [{"a": 1}]}
    assert table.item() == {"pk": f"{PARTNER}#{PAY_ID}"} | expected


def test_none_as_read_requires_an_absent_attribute() -> None:
    """To moto a missing attribute equals null, so it cannot test this."""
    update = Update()
    update.require_unchanged(workAt=None)
    arguments = update.arguments()
    assert arguments["ConditionExpression"] == "(attribute_not_exists(#workAt))"
    assert arguments["ExpressionAttributeValues"] == {}


def test_parts_that_are_empty_are_left_out() -> None:
    """DynamoDB refuses an empty clause or condition."""
    update = Update()
    update.remove("a")
    assert update.arguments() == {
        "UpdateExpression": "REMOVE #a",
        "ExpressionAttributeNames": {"#a": "a"},
        "ExpressionAttributeValues": {},
    }
