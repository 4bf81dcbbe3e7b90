"""P3, contract of `payresult explain`: which payment an order was paid with first."""

from collections.abc import Callable

import pytest

from tests.support.factories import PAY_ID, reply
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

FIRST = f"Before this one its order was found paid with {PAY_ID}."
NO_EVENT = (
    "No event without duplicateOf names this order: subscribers may not have acted on it yet,"
    " so look before you refund."
)


@pytest.fixture
def world(table: Table) -> World:
    """The layer on the same table, where all is paid."""
    made = World(table)
    made.says = lambda pay_id: reply(payId=pay_id)
    return made


def order_of(cli: CommandLine, pay_id: str = "second") -> list[str]:
    """Return the lines about the order."""
    lines = cli.run("explain", pay_id).out.partition("\nOrder\n")[2].splitlines()
    return [line.strip() for line in lines]


def both(world: World) -> None:
    """Let two payments of an order succeed."""
    for pay_id in (PAY_ID, "second"):
        world.order(pay_id, orderId="A-17")
        world.run(0)


def test_first_and_second_payment_of_an_order(cli: CommandLine, world: World) -> None:
    """One is to be refunded."""
    both(world)
    assert order_of(cli, PAY_ID) == [
        "It is the first paid payment of its order; a later one's event says duplicateOf."
    ]
    told = f"{PAY_ID} is SUCCEEDED, and its event has no duplicateOf: refund one of the two."
    assert order_of(cli) == [FIRST, told]
    [record] = cli.run("explain", "second", "--json").records
    expected = {"firstPayId": PAY_ID, "firstStatus": "SUCCEEDED", "hasEvent": True}
    assert (record["order"], record["attention"]) == (expected, "DUPLICATE")
    assert record["event"]["data"]["duplicateOf"] == PAY_ID


@pytest.mark.parametrize(
    ("happens", "line"),
    [
        (lambda table: table.delete(), f"{PAY_ID} is not in the table any more."),
        (
            lambda table: table.change(status="REVIEW", rank=25, event=None, eventId=None),
            f"{PAY_ID} is REVIEW: it has no event.",
        ),
    ],
)
def test_an_order_without_it(
    cli: CommandLine, world: World, happens: Callable[[Table], object], line: str
) -> None:
    """The first payment was erased, or went to REVIEW."""
    both(world)
    happens(world.table)
    assert order_of(cli) == [FIRST, line, NO_EVENT]
    [record] = cli.run("explain", "second", "--json").records
    assert record["order"]["hasEvent"] is False


def test_an_order_that_was_registered_late(cli: CommandLine, world: World) -> None:
    """The first payment's event does not name it; nor does the payment, after a crash."""
    world.order()
    world.run(0)
    world.table.payments.orders.claim("A-17", PAY_ID)
    world.order("second", orderId="A-17")
    world.run(0)
    line = f"{PAY_ID} is SUCCEEDED, and registered with another order or none."
    assert order_of(cli) == [FIRST, line, NO_EVENT]
    both(world)
    line = f"The order of {PAY_ID} was registered after its event was made."
    assert order_of(cli) == [FIRST, line, NO_EVENT]


def test_a_holder_whose_success_was_not_stored(cli: CommandLine, world: World) -> None:
    """A crash, or an amount that was registered after the mark."""
    world.register(order_id="A-17")
    world.table.payments.orders.claim("A-17", PAY_ID)
    [line] = order_of(cli, PAY_ID)
    assert line == (
        "Its order is marked as paid by it, but it is PENDING:"
        " a later payment of the order is a DUPLICATE all the same."
    )


def test_orders_without_a_mark(cli: CommandLine, world: World) -> None:
    """Nothing is said of an unpaid one, nor without an order."""
    world.register(order_id="A-17")
    assert order_of(cli, PAY_ID) == []
    world.order("alone")
    world.run(0)
    assert order_of(cli, "alone") == []
    world.table.client.delete_item(
        TableName=world.table.name, Key={"pk": {"S": "P000818#order#A-17"}}
    )
    told = "No payment is marked as the first of its order: an earlier version stored it."
    assert order_of(cli, PAY_ID) == [told]
