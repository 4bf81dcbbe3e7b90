"""What the tests of writes share: a stored payment as attributes, and a write that is refused."""

from typing import Any

import pytest

from payresult.aws.expressions import Update
from payresult.domain.payment import Payment, Status
from payresult.errors import PaymentChanged
from tests.support.factories import DAY, MINUTE, NOW, PARTNER, PAY_ID
from tests.support.tables import Table

SHARD = 2
"""crc32 of PAY_ID, modulo 8."""

REGISTERED = {"orderId": "A-17", "expectedAmount": "19.99", "currency": "USD"}

CREATED: dict[str, Any] = {
    "pk": f"{PARTNER}#{PAY_ID}",
    "partnerCode": PARTNER,
    "payId": PAY_ID,
    "schemaVersion": 1,
    "status": "PENDING",
    "rank": 10,
    "createdAt": NOW,
    "giveUpAt": NOW + 9 * DAY,
    "attempt": 0,
    "step": 0,
    "checks": 0,
    "nextCheckAt": NOW,
    "history": [{"at": NOW, "to": "PENDING", "way": "queue"}],
    "workShard": f"CHECK#{SHARD}",
    "workAt": NOW + 15 * MINUTE,
}
PLANNED = {"nextCheckAt", "workShard", "workAt"}

OTHER_REGISTRATION: list[dict[str, Any]] = [
    {"orderId": "OTHER"},
    {"expectedAmount": "5"},
    {"currency": "EUR"},
]
OTHER_ACCEPTED: list[dict[str, Any]] = [{"acceptedPayAmount": "$5"}, {"acceptedAbsent": True}]


def create(table: Table, **changed: Any) -> Payment:
    """Store a new payment, with attributes *changed* (None removes one), and return it.

    Without ``updates.create``, which has a test of its own: moto is slow to update an item.
    """
    attributes = CREATED | changed
    table.put({name: value for name, value in attributes.items() if value is not None})
    return table.payment()


def of(status: Status) -> dict[str, Any]:
    """Return the two attributes of a status."""
    return {"status": status.value, "rank": status.rank}


def change(at: int, before: Status, after: Status, way: str, **more: str) -> dict[str, Any]:
    """Return an entry of the history."""
    return {"at": at, "from": before.value, "to": after.value, "way": way} | more


def without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return *item* without some of its attributes."""
    return {name: value for name, value in item.items() if name not in names}


def assert_refused(table: Table, update: Update) -> None:
    """Assert that the write is refused, changes nothing, and returns the stored payment."""
    before = table.item()
    with pytest.raises(PaymentChanged) as changed:
        table.payments.write(PAY_ID, update)
    assert table.item() == before
    assert changed.value.current == (table.payment() if before else None)
