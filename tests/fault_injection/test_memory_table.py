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
from tests.support.memory_table import INDEXES, InMemoryDynamoDB, ItemChange
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
        self.compared = self.failed = 0

    def update_item(self, **request: Any) -> dict[str, Any]:
        """Compare the new item, or the old one where the condition fails."""
        self.compared += 1
        try:
            return self._compared("update_item", super().update_item, request)
        except ClientError:
            self.failed += 1
            raise

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """Compare the items found."""
        return self._compared("batch_get_item", super().batch_get_item, request)

    def query(self, **request: Any) -> dict[str, Any]:
        """Compare the keys found, in order."""
        return self._compared("query", super().query, request)

    def _compared(
        self, operation: str, own: Callable[..., Any], request: dict[str, Any]
    ) -> dict[str, Any]:
        found, expected = (_result(each, request) for each in (own, getattr(self._moto, operation)))
        assert _comparable(found) == _comparable(expected)
        if isinstance(found, ClientError):
            raise found
        response: dict[str, Any] = found
        return response


def _result(call: Callable[..., Any], request: dict[str, Any]) -> Any:
    try:
        return call(**request)
    except ClientError as error:
        return error


def _comparable(result: Any) -> Any:
    """Return what must be equal in the results of a call: of a Query the keys, in their order."""
    if isinstance(result, ClientError):
        return result.response["Error"]["Code"], result.response.get("Item")
    if "Count" in result:
        keys = [item["pk"]["S"] for item in result.get("Items", [])]
        return keys, result["Count"], result.get("LastEvaluatedKey")
    items = result.get("Responses", {}).get("payments", [])
    return result.get("Attributes"), {item["pk"]["S"]: item for item in items}


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


def _query(condition: str) -> object:
    values = {name: {"N": "1"} for name in (":of", ":at") if name in condition}
    request = {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
    return InMemoryDynamoDB(lambda _: None).query(IndexName="work", **request)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((_query, text) for text in ("pk = :of", "workShard = :of AND workAt < :at")),
        (_query, "workAt = :of"),
        *((parse_condition, text) for text in ("#a > :b", "attribute_exists(#a", "NOT #a = :b")),
        *((parse_condition, text) for text in ("#a = :b OR", "size(#a) = :b")),
        *((parse_update, text) for text in ("ADD #a :b", "SET #a = :b, ", "SET #a :b")),
        (parse_update, "DELETE #a :b"),
    ],
)
def test_what_is_not_supported_is_an_error(read: Callable[[str], object], text: str) -> None:
    """It is never evaluated in a wrong way."""
    with pytest.raises((ClientError, ValueError, IndexError, KeyError)):
        read(text)
