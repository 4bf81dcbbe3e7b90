"""Contract of the in-memory table: it responds as moto does, so campaigns may run on it."""

from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.fault_injection.races import race
from tests.fault_injection.results import Run
from tests.support.expressions import parse_condition, parse_update
from tests.support.fake_aws import Call
from tests.support.fake_gateway import DAY, SECOND, random_scenarios, script_for
from tests.support.memory_table import INDEXES, InMemoryDynamoDB, ItemChange, client_error
from tests.support.simulation import START, Simulation
from tests.support.tables import create_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ComparedTable(InMemoryDynamoDB):
    """The in-memory table; each call is made on moto too, and the responses must be equal.

    ``compared`` counts the writes, ``failed`` those whose condition failed.
    """

    def __init__(self, on_change: Callable[[ItemChange], None], moto: "DynamoDBClient") -> None:
        super().__init__(on_change)
        self._moto: Any = moto
        self.compared = 0
        self.failed = 0

    def update_item(self, **request: Any) -> dict[str, Any]:
        """Compare the new item, or the old one where the condition fails."""
        expected = _result(self._moto.update_item, request)
        found = _result(super().update_item, request)
        assert found == expected
        self.compared += 1
        self.failed += found[0] is not None
        if found[0] is not None:
            raise client_error(str(found[0]), found[1])
        returned: dict[str, Any] = found[1]
        return returned

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """Compare the items found."""
        response = super().batch_get_item(**request)
        expected = self._moto.batch_get_item(**request)
        found = response["Responses"]["payments"]
        assert _by_key(expected["Responses"]["payments"]) == _by_key(found)
        return response

    def query(self, **request: Any) -> dict[str, Any]:
        """Compare the keys found, in order."""
        response = super().query(**request)
        expected = self._moto.query(**request)
        keys = [item["pk"]["S"] for item in expected.get("Items", [])]
        assert keys == [item["pk"]["S"] for item in response.get("Items", [])]
        assert expected["Count"] == response["Count"]
        assert expected.get("LastEvaluatedKey") == response.get("LastEvaluatedKey")
        return response


def _result(call: Callable[..., Any], request: dict[str, Any]) -> tuple[str | None, Any]:
    try:
        response = call(**request)
        return None, {name: response[name] for name in ("Attributes",) if name in response}
    except ClientError as error:
        return error.response["Error"]["Code"], error.response.get("Item")


def _by_key(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {item["pk"]["S"]: item for item in items}


@pytest.fixture
def moto_table() -> "Iterator[DynamoDBClient]":
    """The table of the template, on moto."""
    with mock_aws(config={"core": {"mock_credentials": False}}):
        client = boto3.client("dynamodb")
        create_table(client, "payments")
        yield client


def test_memory_and_moto_agree_on_every_kind_of_write(moto_table: "DynamoDBClient") -> None:
    """In a run of several days with crashes, duplicates and sweeps."""
    rng = Random(3)  # noqa: S311 - repeatable, not secret
    pay_ids = [f"pay-{number}" for number in range(12)]
    script = script_for(random_scenarios(pay_ids, START, rng, noise=0.2), rng)
    simulation = Simulation(script, rng, table=lambda changed: ComparedTable(changed, moto_table))
    kinds: set[str] = set()

    def crash_sometimes(call: Call) -> None:
        kinds.add(call.kind)
        if rng.random() < 0.03:
            simulation.crash()

    simulation.on_call = crash_sometimes
    simulation.queue.redeliver_after = lambda: [0, 40 * SECOND]
    for pay_id in pay_ids:
        simulation.send_order(pay_id, expectedAmount="19.99", orderId="A-17")
    simulation.run(DAY)
    simulation.run_to_completion()
    table = simulation.dynamodb
    assert isinstance(table, ComparedTable)
    assert table.compared > 100
    assert {"register", "record", "succeed", "mark", "claim", "claim order"} <= kinds


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_memory_and_moto_agree_on_failed_conditions(
    moto_table: "DynamoDBClient", seed: int
) -> None:
    """With twelve concurrent invocations for one payment; the existing item is returned."""
    rng = Random(seed)  # noqa: S311 - repeatable, not secret
    table = race(
        Run(1, rng), "pay", table=lambda changed: ComparedTable(changed, moto_table)
    ).dynamodb
    assert isinstance(table, ComparedTable)
    assert table.failed > 2


@pytest.mark.parametrize("now", [6, 7, 8])
def test_memory_and_moto_agree_on_what_is_due(moto_table: "DynamoDBClient", now: int) -> None:
    """An entry is due from its millisecond on."""
    table = ComparedTable(lambda _: None, moto_table)
    table.update_item(
        TableName="payments",
        Key={"pk": {"S": "p"}},
        UpdateExpression="SET #shard = :shard, #at = :at",
        ConditionExpression="attribute_not_exists(#shard)",
        ExpressionAttributeNames={"#shard": "workShard", "#at": "workAt"},
        ExpressionAttributeValues={":shard": {"S": "CHECK#1"}, ":at": {"N": "7"}},
        ReturnValues="ALL_NEW",
    )
    found = table.query(
        TableName="payments",
        IndexName="work",
        KeyConditionExpression="workShard = :shard AND workAt <= :now",
        ExpressionAttributeValues={":shard": {"S": "CHECK#1"}, ":now": {"N": str(now)}},
        Limit=5,
    )
    assert len(found["Items"]) == (now >= 7)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("index", "condition", "matching"),
    [
        ("work", "workShard = :of AND workAt <= :at", 4),
        ("work", "workShard = :of", 6),
        ("attention", "attention = :of AND attentionSince >= :at", 5),
    ],
)
def test_memory_and_moto_agree_on_pages(
    moto_table: "DynamoDBClient", index: str, condition: str, matching: int, limit: int
) -> None:
    """Of both indexes, with entries of the same time, and one that is deleted between two pages."""
    table = ComparedTable(lambda _: None, moto_table)
    for number, at in enumerate((7, 5, 6, 6, 9, 6)):
        item = {"pk": {"S": f"p{number}"}}
        for hash_key, range_key in INDEXES.values():
            item |= {hash_key: {"S": "one"}, range_key: {"N": str(at)}}
        table.put(item)
        moto_table.put_item(TableName="payments", Item=item)
    values = {":of": {"S": "one"}} | ({":at": {"N": "6"}} if ":at" in condition else {})
    request = {
        "TableName": "payments",
        "IndexName": index,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "Limit": limit,
    }
    page = table.query(**request)
    found = list(page["Items"])
    while start := page.get("LastEvaluatedKey"):
        table.delete(start["pk"]["S"])
        moto_table.delete_item(TableName="payments", Key={"pk": start["pk"]})
        page = table.query(**request, ExclusiveStartKey=start)
        found += page["Items"]
    assert len(found) == matching


@pytest.mark.parametrize(
    "condition", ["pk = :of", "workShard = :of AND workAt < :at", "workAt = :of"]
)
def test_an_unsupported_key_condition_is_an_error(condition: str) -> None:
    """It is never evaluated in a wrong way."""
    values = {name: {"N": "1"} for name in (":of", ":at") if name in condition}
    request = {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
    with pytest.raises(ClientError):
        InMemoryDynamoDB(lambda _: None).query(IndexName="work", **request)


@pytest.mark.parametrize(
    "text", ["#a > :b", "attribute_exists(#a", "NOT #a = :b", "#a = :b OR", "size(#a) = :b"]
)
def test_an_unsupported_condition_is_an_error(text: str) -> None:
    """It is never evaluated in a wrong way."""
    with pytest.raises((ValueError, IndexError, KeyError)):
        parse_condition(text)


@pytest.mark.parametrize("text", ["ADD #a :b", "SET #a = :b, ", "SET #a :b", "DELETE #a :b"])
def test_an_unsupported_update_is_an_error(text: str) -> None:
    """It is never applied in a wrong way."""
    with pytest.raises((ValueError, IndexError)):
        parse_update(text)
