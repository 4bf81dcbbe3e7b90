"""`payresult explain`: the reason and the next step, for each way a payment comes to its status."""

from typing import Any

import pytest

from payresult.errors import GatewayUnavailable, InvalidReply
from tests.support.factories import DAY, HOUR, MINUTE, PAY_ID, SECOND, reply
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine


@pytest.fixture
def world(table: Table) -> World:
    """The layer on the same table, with the delays of the stack that the CLI works on."""
    return World(table, delays=(5, 10, 20))


def explain(cli: CommandLine, world: World) -> dict[str, list[str]]:
    """Return the lines about PAY_ID by heading; the first line is under ""."""
    cli.now = world.now
    result = cli.run("explain", PAY_ID)
    assert (result.code, result.err) == (0, "")
    sections: dict[str, list[str]] = {"": []}
    heading = ""
    for line in filter(None, result.out.splitlines()):
        if line.startswith("  ") or not sections[""]:
            sections[heading].append(line.strip())
        else:
            heading = line
            sections[heading] = []
    return sections


def test_unknown_payment(cli: CommandLine) -> None:
    """What to do about it, and exit code 1."""
    result = cli.run("explain", "nobody-1")
    assert result.code == 1
    assert "nobody-1 is not in the table" in result.out
    assert "payresult check nobody-1 " in result.out
    assert cli.run("explain", "nobody-1", "--json").records == [
        {"payId": "nobody-1", "stored": False}
    ]


def test_registered_payment_without_a_check(cli: CommandLine, world: World) -> None:
    """If its message is lost, the sweeper sends another."""
    world.register(expected_amount="19.99", order_id="A-17")
    world.now += 10 * SECOND

    sections = explain(cli, world)

    assert sections[""] == [f"{PAY_ID}  PENDING  (order A-17, 19.99 registered)"]
    assert sections["Why"] == ["Registered at 2026-11-22 10:00:00Z (10 s ago), not checked yet."]
    [line] = sections["Next"]
    assert line == (
        "A check was due at 2026-11-22 10:00:00Z (10 s ago); if its message is lost, the sweeper"
        " sends another at 2026-11-22 10:15:00Z (in 14 min)."
    )
    assert sections["History"] == ["2026-11-22 10:00:00Z  PENDING, by api"]
    assert "Last answer" not in sections
    assert "Event" not in sections


def test_pending_payment_with_an_unknown_pay_rst(cli: CommandLine, world: World) -> None:
    """Its next check is a message in the queue."""
    world.says = lambda _: reply("processing\x1b[2J")
    world.order()
    world.run(0)

    sections = explain(cli, world)

    assert sections["Why"] == [
        'The gateway\'s last answer is payRst "processing\\x1b[2J".',
        'Only "success" means paid; payresult does not know what this value means.',
    ]
    assert sections["Next"] == [
        "The next check is due at 2026-11-22 10:00:05Z (in 5 s), by a delayed message in the queue."
    ]
    assert sections["Checks"] == [
        "gateway asked 1 time, last at 2026-11-22 10:00:00Z (0 s ago)",
        "1 of at most 4 answered checks used",
    ]
    assert "payRst               processing\\x1b[2J" in sections["Last answer"]


def test_late_check_is_sent_by_the_sweeper(cli: CommandLine, table: Table) -> None:
    """SQS delays a message by at most 15 minutes."""
    world = World(table, delays=(3600,))
    world.order()
    world.run(0)

    assert explain(cli, world)["Next"] == [
        "The next check is due at 2026-11-22 11:00:00Z (in 60 min), sent by the sweeper."
    ]
    world.now += HOUR + 5 * SECOND
    [line] = explain(cli, world)["Next"]
    assert line == (
        "A check was due at 2026-11-22 11:00:00Z (5 s ago); the sweeper, which runs every minute,"
        " sends it."
    )


def test_unavailable_gateway_is_a_reason(cli: CommandLine, world: World) -> None:
    """With the number of checks in a row that it did not answer."""
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    world.order()
    world.run(4 * SECOND)
    first, second = explain(cli, world)["Why"]
    assert first == "The gateway has not given a valid answer yet."
    assert second == (
        "The gateway did not answer the last check, the latest at 2026-11-22 10:00:00Z (4 s ago);"
        " the status is kept."
    )

    world.run(2 * MINUTE)

    assert "The gateway did not answer the last 5 checks" in explain(cli, world)["Why"][1]


def test_invalid_answer_is_a_reason(cli: CommandLine, world: World) -> None:
    """With its HTTP status, if that is what was wrong."""
    world.says = lambda pay_id: InvalidReply("odd", pay_id=pay_id, http_status=404)
    world.order()
    world.run(0)
    assert explain(cli, world)["Why"][-1] == (
        "The gateway's answer to the last check, at 2026-11-22 10:00:00Z (0 s ago),"
        " was invalid (HTTP 404)."
    )


def test_unresolved_payment_with_all_checks_used(cli: CommandLine, world: World) -> None:
    """No check is planned."""
    world.order()
    world.run(DAY)

    sections = explain(cli, world)

    assert sections[""] == [f"{PAY_ID}  UNRESOLVED  (no amount registered)"]
    assert sections["Why"][0].startswith("It was followed for ")
    assert "all its checks are used" in sections["Why"][0]
    assert sections["Next"] == [
        "Nothing happens automatically: no check is planned.",
        "Ask the gateway's operator; `payresult follow` restarts the checks.",
    ]


def test_unresolved_payment_at_its_deadline(cli: CommandLine, world: World) -> None:
    """The gateway was down until then, so checks remained."""
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    world.order()
    world.run(HOUR)
    world.table.change(giveUpAt=world.now)
    world.run(HOUR)

    assert "its time is over" in explain(cli, world)["Why"][0]


def test_failed_payment(cli: CommandLine, world: World) -> None:
    """The deployment configures which values mean a failure."""
    world.says = lambda _: reply("fail")
    world.order()
    world.run(0)

    assert explain(cli, world)["Why"] == [
        'The gateway answered payRst "fail" at 2026-11-22 10:00:00Z (0 s ago),',
        "which is one of this deployment's FailedPayRstValues.",
    ]


def test_payment_in_review_before_and_after_accept(cli: CommandLine, world: World) -> None:
    """Both amounts and the command; then what the operator accepted."""
    world.says = lambda _: reply(payAmount="$18.00")
    world.order(expectedAmount="19.99", currency="USD")
    world.run(0)

    sections = explain(cli, world)
    assert sections["Why"] == [
        "The gateway reports it as paid with $18.00, but 19.99 USD is registered.",
        "It waits for an operator's decision since 2026-11-22 10:00:00Z (0 s ago).",
    ]
    assert sections["Next"][-1] == "Accept what was paid with `payresult accept`, or refund it."

    cli.run("accept", PAY_ID, "--amount", "18.00", "--reason", "coupon 5", "--yes")

    sections = explain(cli, world)
    assert sections["Why"] == [
        "The gateway reports it as paid with $18.00, and an operator accepted this."
    ]
    assert (
        sections["Next"][-1]
        == "If the gateway gives the same answer again, the payment becomes SUCCEEDED."
    )
    assert sections["History"][-1] == (
        "2026-11-22 10:00:00Z  REVIEW, by operator: 19.99 USD -> 18.00 USD accepted: coupon 5"
    )


def test_paid_payment_and_its_event(cli: CommandLine, world: World) -> None:
    """Not sent yet, sent, and to be sent again."""
    world.says = lambda _: reply(payAmount="$19.99")
    world.order(expectedAmount="19.99")
    world.run(0)
    sections = explain(cli, world)
    assert sections["Why"] == [
        "The gateway reported it as paid ($19.99) at 2026-11-22 10:00:00Z (0 s ago).",
        "This is the registered amount: 19.99.",
    ]
    assert sections["Next"][0].startswith("Its event is waiting to be sent")
    assert sections["Event"][1] == "not sent yet"

    world.outbox.publish([PAY_ID])
    sections = explain(cli, world)
    assert sections["Next"] == [
        "Nothing: it is settled, and its event was sent at 2026-11-22 10:00:00Z (0 s ago)."
    ]

    cli.run("republish", PAY_ID, "--yes")
    sections = explain(cli, world)
    assert sections["Event"][1] == "sent at 2026-11-22 10:00:00Z (0 s ago), and to be sent again"
    assert sections["History"][-1] == (
        "2026-11-22 10:00:00Z  SUCCEEDED, by operator: event to be sent again"
    )


def test_paid_payment_without_a_registered_amount(cli: CommandLine, world: World) -> None:
    """Nothing was compared."""
    world.says = lambda _: reply()
    world.order()
    world.run(0)
    assert explain(cli, world)["Why"][1] == "No amount was registered, so none was compared."


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"workAt": None, "workShard": None}, "tell the maintainers"),
        ({"history": []}, "has not given a valid answer"),
    ],
)
def test_item_that_was_edited_by_hand(
    cli: CommandLine, world: World, change: dict[str, Any], expected: str
) -> None:
    """It is explained as far as possible."""
    world.says = lambda pay_id: InvalidReply("odd", pay_id=pay_id)
    world.order()
    world.run(0)
    world.table.change(**change)
    sections = explain(cli, world)
    assert expected in " ".join(sections["Why"] + sections["Next"])


def test_event_that_is_neither_pending_nor_sent(cli: CommandLine, world: World) -> None:
    """Only a change by hand leads to this."""
    world.says = lambda _: reply()
    world.order()
    world.run(0)
    world.table.change(eventState=None)
    assert explain(cli, world)["Next"][0].endswith("tell the maintainers.")


def test_unreadable_item_is_one_line(cli: CommandLine, table: Table, world: World) -> None:
    """A later version may have written it. Exit code 2."""
    world.order()
    world.run(0)
    table.change(schemaVersion=2)
    result = cli.run("explain", PAY_ID)
    assert (result.code, result.out) == (2, "")
    assert "schemaVersion is not 1" in result.err


def test_json_is_one_object(cli: CommandLine, world: World) -> None:
    """The payment as the API shows it, with why, next, history and event."""
    world.says = lambda _: reply(payAmount="$19.99")
    world.order(expectedAmount="19.99")
    world.run(0)

    [record] = cli.run("explain", PAY_ID, "--json").records

    assert record["status"] == "SUCCEEDED"
    assert record["history"][-1] == {
        "at": "2026-11-22T10:00:00.123Z",
        "from": "PENDING",
        "to": "SUCCEEDED",
        "way": "queue",
        "payRst": "success",
    }
    assert record["event"]["data"]["payId"] == PAY_ID
    assert (record["eventState"], record["answeredChecks"]) == ("PENDING", 1)
    assert isinstance(record["why"], list)
    assert isinstance(record["next"], list)


def test_json_has_the_last_error(cli: CommandLine, world: World) -> None:
    """With the table's attribute names, and an ISO 8601 time."""
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    world.order()
    world.run(0)
    [record] = cli.run("explain", PAY_ID, "--json").records
    assert record["lastError"] == {
        "kind": "unavailable",
        "at": "2026-11-22T10:00:00.123Z",
        "tries": 1,
    }
    assert record["nextCheckAt"] > record["createdAt"]
