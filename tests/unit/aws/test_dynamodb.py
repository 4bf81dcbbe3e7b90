"""Contract with DynamoDB: reads, and the result of a write. ``test_updates`` has the writes."""

from typing import TYPE_CHECKING, Any, Literal, cast

import pytest
from botocore.exceptions import ClientError

from payresult.aws import indexes, updates
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
        self.queries: list[Any] = []
        self._table = table
        self.payments = PaymentRepository(cast("DynamoDBClient", self), table.name, PARTNER)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803 - AWS
        """Record the request, and answer it."""
        self.requests.append(RequestItems[self._table.name])
        return self._table.client.batch_get_item(RequestItems=RequestItems)

    def query(self, **request: Any) -> Any:
        """Record the request, and answer it."""
        self.queries.append(request)
        return self._table.client.query(**request)


def test_get_many_reads_100_keys_at_a_time(table: Table) -> None:
    """DynamoDB accepts no more in one call. A decision needs what was written just before."""
    create(table, "0", "104")
    client = RecordsReads(table)
    found = client.payments.get_many(str(number) for number in range(105))
    assert sorted(found) == ["0", "104"]
    assert [len(request["Keys"]) for request in client.requests] == [100, 5]
    assert all(request["ConsistentRead"] is True for request in client.requests)


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
    assert [(it.pay_ids, it.others) for it in other.indexes.due("CHECK", NOW + 60 * MINUTE)] == [
        ([], 1)
    ]


def test_a_refused_write_to_an_unreadable_item_raises_unreadable_item(table: Table) -> None:
    """A later version wrote the item."""
    create(table, PAY_ID)
    table.change(schemaVersion=2)
    with pytest.raises(UnreadableItem):
        table.payments.write(PAY_ID, updates.claim_live(payment(last_checked_at=5), NOW))


def test_try_write_says_whether_it_wrote(table: Table) -> None:
    """Once: the condition of the second claim does not hold."""
    create(table, PAY_ID)
    claim = updates.claim_due(table.payment(), NOW)
    assert table.payments.try_write(PAY_ID, claim)
    assert table.item()["workAt"] > NOW
    assert not table.payments.try_write(PAY_ID, claim)


def test_other_errors_of_dynamodb_pass_through(table: Table) -> None:
    """SQS and the stream retry what they interrupt."""
    elsewhere = PaymentRepository(table.client, "no-such-table", PARTNER)
    new = updates.create(payment(), "api")
    for call in (elsewhere.write, elsewhere.try_write):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            call(PAY_ID, new)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        elsewhere.get_many("a")


def due(table: Table, kind: Literal["CHECK", "EVENT"], now: int) -> list[str]:
    """Return what is due, all pieces together."""
    return [pay_id for piece in table.payments.indexes.due(kind, now) for pay_id in piece.pay_ids]


def test_due_yields_what_is_due_and_nothing_else(table: Table) -> None:
    """Checks and events apart, in all shards; an item is due at ``workAt`` itself."""
    create(table, *"abcdefghijklmnop")
    table.change("a", workShard="EVENT#1")
    table.change("b", workAt=None, workShard=None)
    table.change("c", workAt=NOW + 15 * MINUTE + 1)
    assert due(table, "CHECK", NOW + 15 * MINUTE - 1) == []
    assert sorted(due(table, "CHECK", NOW + 15 * MINUTE)) == list("defghijklmnop")
    assert due(table, "EVENT", NOW + 15 * MINUTE) == ["a"]


def test_due_yields_the_oldest_of_a_shard(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page after page, so that no item waits for ever behind newer ones; the shards take turns."""
    monkeypatch.setattr(indexes, "PAGE", 2)
    for number, pay_id in enumerate("abcde"):
        create(table, pay_id)
        table.change(pay_id, workShard="CHECK#3", workAt=NOW - number)
    for pay_id in "xy":
        create(table, pay_id)
        table.change(pay_id, workShard="CHECK#5", workAt=NOW)
    found = due(table, "CHECK", NOW)
    assert [each for each in found if each < "x"] == list("edcba")
    assert sorted(found[:4]) == ["d", "e", "x", "y"]


def test_due_reads_a_page_only_when_it_is_needed(table: Table) -> None:
    """A sweep that ends early has not read the whole index."""
    create(table, *"abc")
    client = RecordsReads(table)
    pieces = client.payments.indexes.due("CHECK", NOW + 15 * MINUTE)
    assert client.queries == []
    next(pieces)
    assert [request["Limit"] for request in client.queries] == [indexes.PAGE] * 8


def test_pieces_have_at_most_100_entries(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as one BatchGetItem reads; those of other partner codes count."""
    monkeypatch.setattr(indexes, "MAX_KEYS_PER_READ", 3)
    create(table, *"abcd")
    for number in range(3):
        table.put({"pk": f"P000819#{number}", "workShard": "CHECK#1", "workAt": NOW})
    pieces = list(table.payments.indexes.due("CHECK", NOW + 15 * MINUTE))
    assert [len(piece.pay_ids) + piece.others for piece in pieces] == [3, 3, 1]
    assert sum(piece.others for piece in pieces) == 3


def test_count_attention_counts_what_waits_for_a_person(table: Table) -> None:
    """Of this partner code, for any reason, since a time."""
    for number, reason in enumerate(("REVIEW", "UNRESOLVED", "DUPLICATE", "REVIEW")):
        entry = {"attention": f"{PARTNER}#{reason}", "attentionSince": NOW + number}
        table.put({"pk": f"{PARTNER}#{number}"} | entry)
    other = {"attention": "P000819#REVIEW", "attentionSince": NOW}
    table.put({"pk": "P000819#1"} | other)
    table.put({"pk": f"{PARTNER}#dealt-with"})
    assert table.payments.indexes.count_attention() == 4
    assert table.payments.indexes.count_attention(NOW + 2) == 2


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
        assert table.payments.indexes.count_followed() == 14
    finally:
        table.client.meta.events.unregister("after-call.dynamodb.Query", record)
    assert len(answers) == 8
    assert not any("Items" in answer for answer in answers)


class HoldsBack:
    """DynamoDB that answers a batch read one key at a time; the last *never* keys not at all.

    With *throttles* it refuses a read of such keys only, as the real one does. ``pauses`` are
    those that the repository made.
    """

    def __init__(self, table: Table, *, never: int = 0, throttles: bool = False) -> None:
        self._table, self._never, self._throttles = table, never, throttles
        self.calls = 0
        self.pauses: list[float] = []
        client = cast("DynamoDBClient", self)
        self.payments = PaymentRepository(client, table.name, PARTNER, self.pauses.append)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS
        """Answer the first key and return the others unprocessed."""
        self.calls += 1
        [(table, requested)] = RequestItems.items()
        keys = requested["Keys"]
        answer: Any = {"Responses": {}}
        if len(keys) > self._never:
            one = {table: requested | {"Keys": keys[:1]}}
            answer, keys = self._table.client.batch_get_item(RequestItems=one), keys[1:]
        elif self._throttles:
            code = "ProvisionedThroughputExceededException"
            raise ClientError({"Error": {"Code": code}}, "BatchGetItem")
        rest = {table: requested | {"Keys": keys}} if keys else {}
        return {"Responses": answer["Responses"], "UnprocessedKeys": rest}


def test_unprocessed_keys_are_read_again_after_a_pause(table: Table) -> None:
    """DynamoDB returns them when it is busy. The pauses double."""
    create(table, *"abcde")
    read = HoldsBack(table)
    assert sorted(read.payments.get_many("abcde")) == ["a", "b", "c", "d", "e"]
    assert read.calls == 5
    assert read.pauses == [0.05, 0.1, 0.2, 0.4]
    assert list(read.payments.get_many("a")) == ["a"]  # as almost always
    assert (read.calls, len(read.pauses)) == (6, 4)
    assert read.payments.get_many([]) == {}  # DynamoDB would refuse an empty request
    assert read.calls == 6


@pytest.mark.parametrize("throttles", [False, True])
def test_only_the_keys_that_stay_unprocessed_are_not_read(table: Table, *, throttles: bool) -> None:
    """A payment that was not read must not pass for one that is not stored; the others count."""
    create(table, "a", "b", "c")
    read = HoldsBack(table, never=1, throttles=throttles)
    found = read.payments.get_many("abc")
    assert isinstance(found["a"], Payment)
    assert isinstance(found["b"], Payment)
    assert isinstance(found["c"], ReadIncomplete)
    with pytest.raises(ReadIncomplete):
        require_readable(found["c"])
    # where DynamoDB refuses the whole call, botocore has made its pauses already
    assert read.calls == (3 if throttles else 6)
    assert sum(read.pauses) == pytest.approx(0.15 if throttles else 1.55)


def test_forget_erases_a_payment_at_rest(table: Table) -> None:
    """Nothing is planned, and nobody has to look at it."""
    create(table, PAY_ID, "other")
    table.change(workShard=None, workAt=None)
    table.payments.forget(table.payment())
    assert table.item() == {}
    assert table.item("other")


@pytest.mark.parametrize(
    "keeps", [{}, {"workShard": "EVENT#1"}, {"workShard": None, "attention": f"{PARTNER}#REVIEW"}]
)
def test_forget_refuses_what_is_not_at_rest(table: Table, keeps: dict[str, Any]) -> None:
    """The error has the payment as it is now."""
    create(table, PAY_ID)
    table.change(**keeps)
    with pytest.raises(PaymentChanged) as raised:
        table.payments.forget(table.payment())
    assert raised.value.current == table.payment()
    table.delete()
    with pytest.raises(PaymentChanged) as raised:  # nobody is told that something was erased
        table.payments.forget(payment())
    assert raised.value.current is None


def test_a_payment_that_is_not_forgotten_keeps_the_marker_of_its_order(table: Table) -> None:
    """It is published again between the operator's look and the answer "yes"."""
    create(table, PAY_ID)
    table.change(status="SUCCEEDED", orderId="A-17")
    table.payments.orders.claim("A-17", PAY_ID)
    with pytest.raises(PaymentChanged):
        table.payments.forget(table.payment())
    assert table.payments.orders.holder("A-17") == PAY_ID


def test_what_waits_for_a_person_is_read_from_the_index(table: Table) -> None:
    """The oldest first, one reason, this partner only."""
    create(table, "a", "b", "c", "d")
    review = f"{PARTNER}#REVIEW"
    table.change("a", attention=review, attentionSince=NOW + MINUTE)
    table.change("b", attention=review, attentionSince=NOW)
    table.change("c", attention=f"{PARTNER}#UNRESOLVED", attentionSince=NOW)
    table.change("d", attention="OTHER#REVIEW", attentionSince=NOW)
    assert list(table.payments.indexes.waiting("REVIEW")) == [("b", NOW), ("a", NOW + MINUTE)]
    assert list(table.payments.indexes.waiting("DUPLICATE")) == []
