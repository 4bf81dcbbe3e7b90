"""Contract with DynamoDB: reads, and the result of a write. ``test_updates`` has the writes."""

from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository, require_readable
from payresult.domain.payment import Payment, Registration
from payresult.domain.registration import new_payment
from payresult.errors import PaymentChanged, ReadIncomplete, UnreadableItem
from tests.support.factories import MINUTE, NOW, PARTNER, PAY_ID, payment
from tests.support.tables import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def create(table: Table, *pay_ids: str, at: int = NOW) -> None:
    """Store a new payment for each of *pay_ids*."""
    for pay_id in pay_ids:
        new = new_payment(PARTNER, pay_id, Registration(), at)
        table.payments.write(pay_id, updates.create(new, "queue"))


def test_get_many_returns_the_stored_payments(table: Table) -> None:
    """By payId; a payId that is not stored is absent."""
    create(table, "a", "b")
    found = table.payments.get_many(["a", "x", "b", "a"])
    assert sorted(found) == ["a", "b"]
    assert all(isinstance(each, Payment) for each in found.values())


class RecordsReads:
    """DynamoDB that records the batch reads."""

    def __init__(self, table: Table) -> None:
        self.requests: list[Any] = []
        self._table = table
        self.payments = PaymentRepository(cast("DynamoDBClient", self), table.name, PARTNER)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803 - AWS
        """Record the request, and answer it."""
        self.requests.append(RequestItems[self._table.name])
        return self._table.client.batch_get_item(RequestItems=RequestItems)


def test_get_many_reads_100_keys_at_a_time(table: Table) -> None:
    """DynamoDB accepts no more in one call."""
    create(table, "0", "104")
    client = RecordsReads(table)
    found = client.payments.get_many(str(number) for number in range(105))
    assert sorted(found) == ["0", "104"]
    assert [len(request["Keys"]) for request in client.requests] == [100, 5]


def test_get_many_of_nothing_makes_no_call(table: Table) -> None:
    """DynamoDB would refuse an empty request."""
    assert table.payments.get_many([]) == {}


def test_an_unreadable_item_does_not_stop_the_others(table: Table) -> None:
    """It is returned as an UnreadableItem; only ``require_readable`` raises it."""
    create(table, "a", "b")
    table.change("a", schemaVersion=2)
    found = table.payments.get_many(["a", "b"])
    assert isinstance(found["a"], UnreadableItem)
    assert isinstance(found["b"], Payment)
    with pytest.raises(UnreadableItem):
        require_readable(found["a"])
    assert require_readable(found["b"]) is found["b"]
    assert require_readable(None) is None


@pytest.mark.parametrize("partner_code", ["P000819", "P00081"])
def test_payments_of_another_partner_code_are_not_returned(table: Table, partner_code: str) -> None:
    """A wrong parameter must not mix up two stacks, nor a code that another one begins with."""
    create(table, PAY_ID)
    table.change(payId=PAY_ID)
    other = PaymentRepository(table.client, table.name, partner_code)
    assert other.get_many([PAY_ID]) == {}
    assert other.due("CHECK", NOW + 60 * MINUTE, 10) == []


def test_a_write_returns_the_payment_after_it(table: Table) -> None:
    """As it is stored then."""
    create(table, PAY_ID)
    read = require_readable(table.payments.get_many([PAY_ID])[PAY_ID])
    assert read is not None
    after = table.payments.write(PAY_ID, updates.claim_live(read, NOW + 1))
    assert after == table.payments.get_many([PAY_ID])[PAY_ID]
    assert after.last_checked_at == NOW + 1


def test_payment_changed_has_the_stored_payment(table: Table) -> None:
    """So that the caller can decide again without another read."""
    create(table, PAY_ID)
    with pytest.raises(PaymentChanged) as changed:
        table.payments.write(PAY_ID, updates.claim_live(payment(last_checked_at=5), NOW))
    assert changed.value.current == table.payments.get_many([PAY_ID])[PAY_ID]
    assert str(changed.value) == "the payment changed after it was read"


def test_a_refused_write_to_an_unreadable_item_raises_unreadable_item(table: Table) -> None:
    """A later version wrote the item."""
    create(table, PAY_ID)
    table.change(schemaVersion=2)
    with pytest.raises(UnreadableItem):
        table.payments.write(PAY_ID, updates.claim_live(payment(last_checked_at=5), NOW))


def test_other_errors_of_dynamodb_pass_through(table: Table) -> None:
    """SQS and the stream retry what they interrupt."""
    elsewhere = PaymentRepository(table.client, "no-such-table", PARTNER)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        elsewhere.write(PAY_ID, updates.create(payment(), "api"))


def test_due_returns_what_is_due_and_nothing_else(table: Table) -> None:
    """Checks and events apart, in all shards; an item is due at ``workAt`` itself."""
    create(table, *"abcdefghijklmnop")
    table.change("a", workShard="EVENT#1")
    table.change("b", workAt=None, workShard=None)
    table.change("c", workAt=NOW + 15 * MINUTE + 1)
    assert table.payments.due("CHECK", NOW + 15 * MINUTE - 1, 10) == []
    assert sorted(table.payments.due("CHECK", NOW + 15 * MINUTE, 10)) == list("defghijklmnop")
    assert table.payments.due("EVENT", NOW + 15 * MINUTE, 10) == ["a"]


def test_due_returns_the_oldest_of_a_shard_first(table: Table) -> None:
    """So that no item waits for ever behind newer ones."""
    for number, pay_id in enumerate("abc"):
        create(table, pay_id)
        table.change(pay_id, workShard="CHECK#3", workAt=NOW - number)
    assert table.payments.due("CHECK", NOW, 2) == ["c", "b"]


def test_count_followed_returns_no_items(table: Table) -> None:
    """All shards of checks, no events; DynamoDB answers with numbers only."""
    create(table, *"abcdefghijklmnop")
    table.change("a", workShard="EVENT#1")
    table.change("b", workAt=None, workShard=None)
    answers: list[dict[str, Any]] = []

    def record(parsed: dict[str, Any], **_: Any) -> None:
        answers.append(parsed)

    table.client.meta.events.register("after-call.dynamodb.Query", record)
    try:
        assert table.payments.count_followed() == 14
    finally:
        table.client.meta.events.unregister("after-call.dynamodb.Query", record)
    assert len(answers) == 8
    assert not any("Items" in answer for answer in answers)


class Unprocessed:
    """DynamoDB that answers a batch read one key at a time; the last *never* keys not at all."""

    def __init__(self, client: "DynamoDBClient", never: int = 0) -> None:
        self._client = client
        self._never = never
        self.calls = 0

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS
        """Answer the first key and return the others unprocessed."""
        self.calls += 1
        [(table, requested)] = RequestItems.items()
        keys = requested["Keys"]
        take = 0 if len(keys) <= self._never else 1
        answer: Any = {"Responses": {}}
        if take:
            answer = self._client.batch_get_item(
                RequestItems={table: requested | {"Keys": keys[:1]}}
            )
        rest = {table: requested | {"Keys": keys[take:]}} if keys[take:] else {}
        return {"Responses": answer["Responses"], "UnprocessedKeys": rest}


def with_unprocessed(table: Table, never: int = 0) -> tuple[PaymentRepository, Unprocessed]:
    """Return a repository on such a client, and the client."""
    client = Unprocessed(table.client, never)
    return PaymentRepository(cast("DynamoDBClient", client), table.name, PARTNER), client


def test_unprocessed_keys_are_read_again(table: Table) -> None:
    """DynamoDB returns them when it is busy: five attempts at most."""
    create(table, *"abcde")
    payments, client = with_unprocessed(table)
    assert sorted(payments.get_many("abcde")) == ["a", "b", "c", "d", "e"]
    assert client.calls == 5


def test_keys_that_stay_unprocessed_raise_read_incomplete(table: Table) -> None:
    """A payment that was not read must not pass for one that is not stored."""
    create(table, "a", "b", "c")
    payments, client = with_unprocessed(table, never=1)
    with pytest.raises(ReadIncomplete):
        payments.get_many("abc")
    assert client.calls == 5


def test_reads_are_consistent(table: Table) -> None:
    """A decision needs what was written just before."""
    client = RecordsReads(table)
    client.payments.get_many(["a"])
    assert [request["ConsistentRead"] for request in client.requests] == [True]
