"""The table in memory answers as moto does: what campaigns find on it would be found on moto."""

from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.fault_injection.expressions import condition, update
from tests.fault_injection.fake_aws import Call
from tests.fault_injection.fake_gateway import DAY, SECOND, fates, scripted
from tests.fault_injection.memory_table import Image, Memory, refused
from tests.fault_injection.races import race
from tests.fault_injection.simulation import START, Stage
from tests.support.template import properties

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CREATED = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


class Both(Memory):
    """The table in memory, which must do as the one on moto does, call by call."""

    def __init__(self, changed: Callable[[Image], None], moto: "DynamoDBClient") -> None:
        super().__init__(changed)
        self._moto: Any = moto
        self.compared = 0
        self.refused = 0

    def update_item(self, **request: Any) -> dict[str, Any]:
        """Compare the item afterwards, or the one that stood against it."""
        expected = _outcome(self._moto.update_item, request)
        found = _outcome(super().update_item, request)
        assert found == expected
        self.compared += 1
        self.refused += found[0] is not None
        if found[0] is not None:
            raise refused(str(found[0]), found[1])
        return {"Attributes": found[1]}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """Compare the items found."""
        answer = super().batch_get_item(**request)
        expected = self._moto.batch_get_item(**request)
        assert _by_key(expected["Responses"]["payments"]) == _by_key(
            answer["Responses"]["payments"]
        )
        return answer

    def query(self, **request: Any) -> dict[str, Any]:
        """Compare the keys found, in order."""
        answer = super().query(**request)
        expected = self._moto.query(**request)
        keys = [item["pk"]["S"] for item in expected.get("Items", [])]
        assert keys == [item["pk"]["S"] for item in answer.get("Items", [])]
        assert expected["Count"] == answer["Count"]
        return answer


def _outcome(call: Callable[..., Any], request: dict[str, Any]) -> tuple[str | None, Any]:
    try:
        return None, call(**request)["Attributes"]
    except ClientError as error:
        return error.response["Error"]["Code"], error.response.get("Item")


def _by_key(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {item["pk"]["S"]: item for item in items}


@pytest.fixture
def moto_table() -> "Iterator[DynamoDBClient]":
    """The table of the template, on moto."""
    with mock_aws(config={"core": {"mock_credentials": False}}):
        client = boto3.client("dynamodb")
        described = properties("Table")
        client.create_table(TableName="payments", **{part: described[part] for part in CREATED})
        yield client


def test_memory_and_moto_agree_on_every_write_of_a_hard_life(moto_table: "DynamoDBClient") -> None:
    """Crashes, duplicates and sweeps, for days: each kind of write is used."""
    dice = Random(3)  # noqa: S311 - to be repeated, not to be secret
    pay_ids = [f"pay-{number}" for number in range(12)]
    script = scripted(fates(pay_ids, START, dice, noise=0.2), dice)
    stage = Stage(script, dice, table=lambda changed: Both(changed, moto_table))
    kinds: set[str] = set()

    def before(call: Call) -> None:
        kinds.add(call.kind)
        if dice.random() < 0.03:
            stage.crash()

    stage.before = before
    stage.queue.echoes = lambda: [0, 40 * SECOND]
    for pay_id in pay_ids:
        stage.order(pay_id, expectedAmount="19.99")
    stage.run(DAY)
    stage.settle()
    table = stage.table
    assert isinstance(table, Both)
    assert table.compared > 100
    assert {"register", "record", "succeed", "mark", "claim"} <= kinds


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_memory_and_moto_agree_on_what_is_refused(moto_table: "DynamoDBClient", seed: int) -> None:
    """Twelve at a time on one payment: conditions fail, and the item that stood there comes."""
    dice = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    table = race("pay", dice, table=lambda changed: Both(changed, moto_table)).table
    assert isinstance(table, Both)
    assert table.refused > 2


@pytest.mark.parametrize("now", [6, 7, 8])
def test_memory_and_moto_agree_on_what_is_due(moto_table: "DynamoDBClient", now: int) -> None:
    """Also in the very millisecond."""
    table = Both(lambda _: None, moto_table)
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


@pytest.mark.parametrize(
    "text", ["#a > :b", "attribute_exists(#a", "NOT #a = :b", "#a = :b OR", "size(#a) = :b"]
)
def test_a_condition_that_is_not_understood_is_an_error(text: str) -> None:
    """Never a guess: a new expression has to be taught, and compared with moto."""
    with pytest.raises((ValueError, IndexError, KeyError)):
        condition(text)


@pytest.mark.parametrize("text", ["ADD #a :b", "SET #a = :b, ", "SET #a :b", "DELETE #a :b"])
def test_an_update_that_is_not_understood_is_an_error(text: str) -> None:
    """The same."""
    with pytest.raises((ValueError, IndexError)):
        update(text)
