"""P3, once per order: the marker of an order names one payment, whoever asks and how often."""

import re
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.items import key, order_key
from payresult.domain.payment import Payment, Registration, Status
from payresult.errors import ReadIncomplete
from payresult.schemas.fields import CODE, ORDER_ID, PAY_ID
from tests.support.factories import NOW, PARTNER, payment
from tests.support.memory_table import HoldsBack
from tests.support.tables import Table

MARKER = {"pk": f"{PARTNER}#order#A-17", "payId": "p-1"}
LATER = NOW // 1000 + 86_400


def of(pay_id: str, order_id: str | None = "A-17", status: Status = Status.SUCCEEDED) -> Payment:
    """Return a payment of an order that may be deleted LATER."""
    registration = Registration(order_id)
    return replace(payment(status, registration=registration, expires_at=LATER), pay_id=pay_id)


def test_the_first_one_holds_the_order_for_ever(table: Table) -> None:
    """Whoever repeats the claim gets the same answer; the marker has nothing but the payId."""
    orders = table.payments.orders
    claimed = [orders.claim("A-17", pay_id) for pay_id in ("p-1", "p-2", "p-1", "p-3")]
    assert claimed == [None, "p-1", None, "p-1"]
    assert table.scan() == [MARKER]
    assert (orders.holder("A-17"), orders.holder("B-4")) == ("p-1", None)


def test_without_an_order_nothing_is_written(table: Table) -> None:
    """None of the writes, also where there is an order with the id "None"."""
    orders = table.payments.orders
    orders.claim("None", "p-2")
    before = table.scan()
    assert orders.claim(None, "p-1") is None
    orders.expire(of("p-2", None))
    orders.release(of("p-2", None))
    assert table.scan() == before


def test_the_holder_is_the_one_of_the_last_write(table: Table) -> None:
    """By a consistent read: what it says is shown to a person who decides about a refund."""
    client = Mock(wraps=table.client)
    assert PaymentRepository(client, table.name, PARTNER).orders.holder("A-17") is None
    [call] = client.batch_get_item.call_args_list
    assert call.kwargs["RequestItems"][table.name]["ConsistentRead"] is True


def test_the_marker_expires_with_the_last_payment_of_its_order(table: Table) -> None:
    """A further one removes the time that the first one set."""
    orders = table.payments.orders
    orders.claim("A-17", "p-1")
    orders.expire(of("p-1"))
    assert table.scan() == [MARKER | {"expiresAt": LATER}]
    orders.claim("A-17", "p-2")
    assert table.scan() == [MARKER]
    orders.expire(of("p-2"))
    assert table.scan() == [MARKER | {"expiresAt": LATER}]


@pytest.mark.parametrize(
    "other",
    [
        of("p-2", status=Status.EXPIRED),
        replace(of("p-2"), expires_at=None),
        of("p-2", "B-4"),
    ],
)
def test_no_other_payment_lets_it_expire(table: Table, other: Payment) -> None:
    """One that is not paid, one that stays, one of an order without a marker: none is made."""
    orders = table.payments.orders
    orders.claim("A-17", "p-1")
    orders.expire(other)
    assert table.scan() == [MARKER]


def test_only_its_payment_releases_an_order(table: Table) -> None:
    """The next one is the first one then."""
    orders = table.payments.orders
    orders.claim("A-17", "p-1")
    orders.release(of("p-2"))
    orders.release(of("p-1", "B-4"))
    assert table.scan() == [MARKER]
    orders.release(of("p-1"))
    assert table.scan() == []
    assert orders.claim("A-17", "p-2") is None


def test_partner_codes_have_markers_of_their_own(table: Table) -> None:
    """In a table that holds items of another code."""
    other = PaymentRepository(table.client, table.name, "OTHER")
    assert other.orders.claim("A-17", "p-2") is None
    assert table.payments.orders.claim("A-17", "p-1") is None


def test_a_marker_that_was_not_read_is_not_missing(table: Table) -> None:
    """DynamoDB held it back."""
    table.payments.orders.claim("A-17", "p-1")
    held: Any = HoldsBack(table.client, MARKER["pk"])
    with pytest.raises(ReadIncomplete):
        PaymentRepository(held, table.name, PARTNER).orders.holder("A-17")


def test_an_error_of_the_table_is_none_of_the_condition(table: Table) -> None:
    """Only a refused condition says that there is nothing to do."""
    orders = PaymentRepository(table.client, "no-such-table", PARTNER).orders
    for write in (orders.expire, orders.release):
        with pytest.raises(ClientError):
            write(of("p-1"))


def test_the_longest_order_fits_a_key_that_no_payment_has(table: Table) -> None:
    """128 visible ASCII characters, "#" and all; DynamoDB takes 2,048 bytes. No payId has a "#"."""
    longest = "".join(map(chr, range(0x21, 0x7F))).ljust(128, "#")
    assert re.fullmatch(ORDER_ID, longest)
    assert not re.fullmatch(ORDER_ID, f"{longest}x")
    assert len(order_key("P" * 32, longest).encode()) == 167
    orders = table.payments.orders
    assert (orders.claim(longest, "p-1"), orders.holder(longest)) == (None, "p-1")
    assert not re.fullmatch(PAY_ID, "order#A-17")
    assert not re.fullmatch(CODE, f"{PARTNER}#order")
    assert order_key(PARTNER, "A-17") != key(PARTNER, "order")
