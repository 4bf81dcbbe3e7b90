"""The table of payments for tests: on moto as template.yaml describes it, or in memory."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from boto3.dynamodb.types import TypeDeserializer
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from payresult.aws import items
from payresult.aws.dynamodb import PaymentRepository
from payresult.domain.payment import Payment
from tests.support.factories import PARTNER, PAY_ID
from tests.support.memory_table import NEVER, InMemoryDynamoDB
from tests.support.template import properties

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CREATED = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def create_table(client: "DynamoDBClient", name: str, **more: Any) -> None:
    """Create a table as template.yaml describes it, with the parameters *more*."""
    described = properties("Table")
    client.create_table(TableName=name, **{part: described[part] for part in _CREATED}, **more)


class Table:
    """The table called *name*; ``payments`` is the PaymentRepository on it."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        create_table(client, name)
        self.client = client
        self.name = name
        self.payments = PaymentRepository(client, name, PARTNER)

    def item(self, pay_id: str = PAY_ID) -> dict[str, Any]:
        """Return the item of *pay_id* in plain values, {} if there is none."""
        pk = f"{PARTNER}#{pay_id}"
        return next((item for item in self.scan() if item["pk"] == pk), {})

    def payment(self, pay_id: str = PAY_ID) -> Payment:
        """Return the stored payment."""
        stored = self.payments.get_many([pay_id])[pay_id]
        assert isinstance(stored, Payment)
        return stored

    def put(self, item: dict[str, Any]) -> None:
        """Store *item*, given in plain values, in place of the stored one."""
        self.client.put_item(TableName=self.name, Item=items.to_item(item))

    def change(self, pay_id: str = PAY_ID, /, **attributes: Any) -> None:
        """Set *attributes* of an item without any condition; None removes one."""
        changed = self.item(pay_id) | attributes
        self.put({name: value for name, value in changed.items() if value is not None})

    def delete(self, pay_id: str = PAY_ID) -> None:
        """Delete the item of *pay_id*."""
        self.client.delete_item(TableName=self.name, Key={"pk": {"S": f"{PARTNER}#{pay_id}"}})

    def scan(self) -> list[dict[str, Any]]:
        """Return all items in plain values, from moto's own store: its Scan is slow."""
        tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][self.client.meta.region_name].tables
        found = [item.to_json()["Attributes"] for item in tables[self.name].all_items()]
        return [_values(item) for item in found]

    def next_due(self) -> int:
        """Return the smallest ``workAt``, NEVER if there is none."""
        return min((item["workAt"] for item in self.scan() if "workAt" in item), default=NEVER)


class MemoryTable(Table):
    """The same in memory, for tests that do not test the expressions themselves.

    ``tests/fault_injection/test_memory_table.py`` compares it with moto, which is 20 times slower.
    """

    def __init__(self) -> None:
        self._memory = InMemoryDynamoDB(lambda _: None)
        self.client = cast("DynamoDBClient", self._memory)
        self.name = "payments"
        self.payments = PaymentRepository(self.client, self.name, PARTNER)

    def put(self, item: dict[str, Any]) -> None:
        """Store *item*, given in plain values, in place of the stored one."""
        self._memory.put(items.to_item(item))

    def delete(self, pay_id: str = PAY_ID) -> None:
        """Delete the item of *pay_id*."""
        self._memory.delete(f"{PARTNER}#{pay_id}")

    def scan(self) -> list[dict[str, Any]]:
        """Return all items in plain values."""
        return [_values(item) for item in list(self._memory.items.values())]

    def next_due(self) -> int:
        """Return the smallest ``workAt``, NEVER if there is none."""
        return self._memory.next_due()


def _values(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(TypeDeserializer().deserialize(item[name])) for name in item}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
