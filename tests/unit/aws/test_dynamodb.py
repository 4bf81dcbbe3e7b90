"""Reading the table, and what a write answers; the writes themselves are in test_writes."""

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
        fresh = new_payment(PARTNER, pay_id, Registration(), at)
        table.payments.write(pay_id, updates.create(fresh, "queue"))


def test_reads_those_that_are_stored(table: Table) -> None:
    """By payId; the others are absent."""
    create(table, "a", "b")
    found = table.payments.get_many(["a", "x", "b", "a"])
    assert sorted(found) == ["a", "b"]
    assert all(isinstance(each, Payment) for each in found.values())


class Listens:
    """DynamoDB that notes what a batch read asks for."""

    def __init__(self, table: Table) -> None:
        self.asked: list[Any] = []
        self._table = table
        self.store = PaymentRepository(cast("DynamoDBClient", self), table.name, PARTNER)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803 - AWS
        """Note it, and answer."""
        self.asked.append(RequestItems[self._table.name])
        return self._table.client.batch_get_item(RequestItems=RequestItems)


def test_reads_more_than_one_batch(table: Table) -> None:
    """DynamoDB takes 100 keys at a time."""
    create(table, "0", "104")
    listens = Listens(table)
    found = listens.store.get_many(str(number) for number in range(105))
    assert sorted(found) == ["0", "104"]
    assert [len(asked["Keys"]) for asked in listens.asked] == [100, 5]


def test_reads_nothing_when_nothing_is_asked(table: Table) -> None:
    """Without a call, which DynamoDB would refuse."""
    assert table.payments.get_many([]) == {}


def test_a_bad_item_does_not_keep_back_its_neighbours(table: Table) -> None:
    """It stands there as what it is, and raises only for who wants just it."""
    create(table, "a", "b")
    table.change("a", schemaVersion=2)
    found = table.payments.get_many(["a", "b"])
    assert isinstance(found["a"], UnreadableItem)
    assert isinstance(found["b"], Payment)
    with pytest.raises(UnreadableItem):
        require_readable(found["a"])
    assert require_readable(found["b"]) is found["b"]
    assert require_readable(None) is None


def test_payments_of_another_partner_are_not_ours(table: Table) -> None:
    """Two stacks of ours may share nothing, but a wrong parameter must not mix them up."""
    create(table, PAY_ID)
    table.change(payId=PAY_ID)
    other = PaymentRepository(table.client, table.name, "P000819")
    assert other.get_many([PAY_ID]) == {}
    assert other.due("CHECK", NOW + 60 * MINUTE, 10) == []


def test_a_write_returns_the_payment_after_it(table: Table) -> None:
    """As it lies there now."""
    create(table, PAY_ID)
    read = require_readable(table.payments.get_many([PAY_ID])[PAY_ID])
    assert read is not None
    after = table.payments.write(PAY_ID, updates.claim_live(read, NOW + 1))
    assert after == table.payments.get_many([PAY_ID])[PAY_ID]
    assert after.last_checked_at == NOW + 1


def test_a_refused_write_tells_what_is_there(table: Table) -> None:
    """So that the caller can decide again without another read."""
    create(table, PAY_ID)
    with pytest.raises(PaymentChanged) as stale:
        table.payments.write(PAY_ID, updates.claim_live(payment(last_checked_at=5), NOW))
    assert stale.value.current == table.payments.get_many([PAY_ID])[PAY_ID]
    assert str(stale.value) == "the payment changed after it was read"


def test_a_write_refused_by_an_unreadable_item_says_so(table: Table) -> None:
    """A later version of us wrote it: leave it alone."""
    create(table, PAY_ID)
    table.change(schemaVersion=2)
    with pytest.raises(UnreadableItem):
        table.payments.write(PAY_ID, updates.claim_live(payment(last_checked_at=5), NOW))


def test_other_errors_of_dynamodb_pass_through(table: Table) -> None:
    """SQS and the stream retry what they interrupt."""
    elsewhere = PaymentRepository(table.client, "no-such-table", PARTNER)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        elsewhere.write(PAY_ID, updates.create(payment(), "api"))


def test_finds_what_is_due_and_only_that(table: Table) -> None:
    """Checks and events apart, in all shards, the time itself included."""
    create(table, *"abcdefghijklmnop")
    table.change("a", workShard="EVENT#1")
    table.change("b", workAt=None, workShard=None)
    table.change("c", workAt=NOW + 15 * MINUTE + 1)
    assert table.payments.due("CHECK", NOW + 15 * MINUTE - 1, 10) == []
    assert sorted(table.payments.due("CHECK", NOW + 15 * MINUTE, 10)) == list("defghijklmnop")
    assert table.payments.due("EVENT", NOW + 15 * MINUTE, 10) == ["a"]


def test_takes_the_oldest_of_a_shard_first(table: Table) -> None:
    """So nothing waits for ever behind newer work."""
    for number, pay_id in enumerate("abc"):
        create(table, pay_id)
        table.change(pay_id, workShard="CHECK#3", workAt=NOW - number)
    assert table.payments.due("CHECK", NOW, 2) == ["c", "b"]


def test_counts_what_is_followed_without_reading_it(table: Table) -> None:
    """All shards of checks, no events, and no item comes over the wire."""
    create(table, *"abcdefghijklmnop")
    table.change("a", workShard="EVENT#1")
    table.change("b", workAt=None, workShard=None)
    answers: list[dict[str, Any]] = []

    def note(parsed: dict[str, Any], **_: Any) -> None:
        answers.append(parsed)

    table.client.meta.events.register("after-call.dynamodb.Query", note)
    try:
        assert table.payments.count_followed() == 14
    finally:
        table.client.meta.events.unregister("after-call.dynamodb.Query", note)
    assert len(answers) == 8
    assert not any("Items" in answer for answer in answers)


class HoldsBack:
    """DynamoDB that answers a batch read one key at a time; the last *never* keys not at all."""

    def __init__(self, client: "DynamoDBClient", never: int = 0) -> None:
        self._client = client
        self._never = never
        self.asked = 0

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS
        """Answer the first key and hold back the others."""
        self.asked += 1
        [(table, asked)] = RequestItems.items()
        keys = asked["Keys"]
        take = 0 if len(keys) <= self._never else 1
        answer: Any = {"Responses": {}}
        if take:
            answer = self._client.batch_get_item(RequestItems={table: asked | {"Keys": keys[:1]}})
        rest = {table: asked | {"Keys": keys[take:]}} if keys[take:] else {}
        return {"Responses": answer["Responses"], "UnprocessedKeys": rest}


def holding_back(table: Table, never: int = 0) -> tuple[PaymentRepository, HoldsBack]:
    """Return a store on such a DynamoDB, and the latter."""
    client = HoldsBack(table.client, never)
    return PaymentRepository(cast("DynamoDBClient", client), table.name, PARTNER), client


def test_asks_again_for_what_dynamodb_held_back(table: Table) -> None:
    """It may, when it is busy: five times at most."""
    create(table, *"abcde")
    store, client = holding_back(table)
    assert sorted(store.get_many("abcde")) == ["a", "b", "c", "d", "e"]
    assert client.asked == 5


def test_half_an_answer_is_none(table: Table) -> None:
    """A payment that could not be read is not one that is not stored."""
    create(table, "a", "b", "c")
    store, client = holding_back(table, never=1)
    with pytest.raises(ReadIncomplete):
        store.get_many("abc")
    assert client.asked == 5


def test_reads_are_consistent(table: Table) -> None:
    """What was just written is decided upon."""
    listens = Listens(table)
    listens.store.get_many(["a"])
    assert [asked["ConsistentRead"] for asked in listens.asked] == [True]
