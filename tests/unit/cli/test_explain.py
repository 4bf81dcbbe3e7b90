"""`payresult explain`: why a payment is where it is, for each way it can have come there."""

from typing import Any

import pytest

from payresult.errors import GatewayUnavailable, InvalidReply
from tests.support.factories import DAY, HOUR, MINUTE, PAY_ID, SECOND, reply
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

DELAYS = (5, 10, 20)


@pytest.fixture
def bench(table: Table) -> CommandLine:
    """A system to run commands on."""
    return CommandLine(table)


@pytest.fixture
def world(table: Table) -> World:
    """What follows payments on the same table."""
    return World(table, delays=DELAYS)


def explain(bench: CommandLine, world: World) -> dict[str, list[str]]:
    """Return the page about PAY_ID by its headings; the first line is under ""."""
    bench.now = world.now
    ran = bench.run("explain", PAY_ID)
    assert (ran.code, ran.err) == (0, "")
    page: dict[str, list[str]] = {"": []}
    heading = ""
    for line in filter(None, ran.out.splitlines()):
        if line.startswith("  ") or not page[""]:
            page[heading].append(line.strip())
        else:
            heading = line
            page[heading] = []
    return page


def test_a_payment_that_nobody_knows_is_said_to_be_so(bench: CommandLine) -> None:
    """With what to do, and exit code 1."""
    ran = bench.run("explain", "nobody-1")
    assert ran.code == 1
    assert "nobody-1 is not in the table" in ran.out
    assert "payresult check nobody-1 " in ran.out
    assert bench.run("explain", "nobody-1", "--json").records == [
        {"payId": "nobody-1", "stored": False}
    ]


def test_a_payment_that_was_just_registered_waits_for_its_first_check(
    bench: CommandLine, world: World
) -> None:
    """Whose message may be lost: then the watchdog sends another."""
    world.register(expected_amount="19.99", order_id="A-17")
    world.now += 10 * SECOND

    page = explain(bench, world)

    assert page[""] == [f"{PAY_ID}  PENDING  (order A-17, 19.99 registered)"]
    assert page["Why"] == ["Registered 2026-11-22 10:00:00Z (10 s ago), and not checked yet."]
    [said] = page["Next"]
    assert said == (
        "A check was due 2026-11-22 10:00:00Z (10 s ago); if its message is lost, the sweeper"
        " sends another 2026-11-22 10:15:00Z (in 14 min)."
    )
    assert page["History"] == ["2026-11-22 10:00:00Z  PENDING, by api"]
    assert "Last answer" not in page
    assert "Event" not in page


def test_a_pending_payment_is_followed_by_a_message_that_waits(
    bench: CommandLine, world: World
) -> None:
    """Its answer has no meaning that anybody told us."""
    world.says = lambda _: reply("processing\x1b[2J")
    world.order()
    world.run(0)

    page = explain(bench, world)

    assert page["Why"] == [
        'The gateway\'s last answer is payRst "processing\\x1b[2J".',
        'Only "success" means paid; what this value means, nobody told payresult.',
    ]
    assert page["Next"] == [
        "The next check is due 2026-11-22 10:00:05Z (in 5 s), by a message that waits in the queue."
    ]
    assert page["Checks"] == [
        "asked 1 time, the last 2026-11-22 10:00:00Z (0 s ago)",
        "1 of the 4 answers are used up that following it may take",
    ]
    assert "payRst               processing\\x1b[2J" in page["Last answer"]


def test_a_check_far_off_is_sent_by_the_sweeper(bench: CommandLine, table: Table) -> None:
    """SQS holds nothing back for longer than 15 minutes."""
    world = World(table, delays=(3600,))
    world.order()
    world.run(0)

    page = explain(bench, world)

    assert page["Next"] == [
        "The next check is due 2026-11-22 11:00:00Z (in 60 min), sent by the sweeper."
    ]
    world.now += HOUR + 5 * SECOND
    [said] = explain(bench, world)["Next"]
    assert said == (
        "A check was due 2026-11-22 11:00:00Z (5 s ago); the sweeper, which runs every minute,"
        " sends it."
    )


def test_a_gateway_that_does_not_answer_is_named_as_the_reason(
    bench: CommandLine, world: World
) -> None:
    """With how often in a row; the status stays."""
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    world.order()
    world.run(4 * SECOND)
    first, second = explain(bench, world)["Why"]
    assert first == "The gateway has not told anything about it yet."
    assert second == (
        "The gateway did not answer the last check, the latest 2026-11-22 10:00:00Z (4 s ago);"
        " that changes no status."
    )

    world.run(2 * MINUTE)

    assert "The gateway did not answer the last 5 checks" in explain(bench, world)["Why"][1]


def test_an_answer_without_a_meaning_is_named_as_the_reason(
    bench: CommandLine, world: World
) -> None:
    """With its HTTP status, if that was it."""
    world.says = lambda pay_id: InvalidReply("odd", pay_id=pay_id, http_status=404)
    world.order()
    world.run(0)
    assert explain(bench, world)["Why"][-1] == (
        "The gateway's answer (HTTP 404) to the last check had no meaning,"
        " 2026-11-22 10:00:00Z (0 s ago)."
    )


def test_an_unresolved_payment_waits_for_somebody(bench: CommandLine, world: World) -> None:
    """It used up its answers; nothing happens by itself."""
    world.order()
    world.run(DAY)

    page = explain(bench, world)

    assert page[""] == [f"{PAY_ID}  UNRESOLVED  (no amount registered)"]
    assert page["Why"][0].startswith("It was followed for ")
    assert "used up all its checks" in page["Why"][0]
    assert page["Next"] == [
        "Nothing by itself: no check is planned any more.",
        "Ask the gateway's operator; `payresult follow` follows it anew.",
    ]


def test_a_payment_that_outlived_its_time_says_so(bench: CommandLine, world: World) -> None:
    """The gateway was down until the deadline: no answer was used up."""
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    world.order()
    world.run(HOUR)
    world.table.change(giveUpAt=world.now)
    world.run(HOUR)

    assert "used up its time" in explain(bench, world)["Why"][0]


def test_a_failed_payment_names_the_answer_that_means_so(bench: CommandLine, world: World) -> None:
    """Which value means that, the deployment says."""
    world.says = lambda _: reply("fail")
    world.order()
    world.run(0)

    assert explain(bench, world)["Why"] == [
        'The gateway answered payRst "fail" 2026-11-22 10:00:00Z (0 s ago),',
        "which is one of this deployment's FailedPayRstValues.",
    ]


def test_a_payment_in_review_shows_both_amounts_and_how_to_decide(
    bench: CommandLine, world: World
) -> None:
    """And once an operator has decided, what comes of it."""
    world.says = lambda _: reply(payAmount="$18.00")
    world.order(expectedAmount="19.99", currency="USD")
    world.run(0)

    page = explain(bench, world)
    assert page["Why"] == [
        "The gateway reports it as paid, but with $18.00; registered is 19.99 USD.",
        "It waits for somebody's decision, since 2026-11-22 10:00:00Z (0 s ago).",
    ]
    assert page["Next"][-1] == "`payresult accept` accepts what was paid; else refund it."

    bench.run("accept", PAY_ID, "--amount", "18.00", "--reason", "coupon 5", "--yes")

    page = explain(bench, world)
    assert page["Why"] == [
        "The gateway reports it as paid with $18.00, which an operator has accepted."
    ]
    assert page["Next"][-1] == "If the gateway says the same again, the payment SUCCEEDED."
    assert page["History"][-1] == (
        "2026-11-22 10:00:00Z  REVIEW, by operator: 19.99 USD -> 18.00 USD accepted: coupon 5"
    )


def test_a_paid_payment_tells_where_its_event_is(bench: CommandLine, world: World) -> None:
    """First on its way, then on the bus, then on its way again."""
    world.says = lambda _: reply(payAmount="$19.99")
    world.order(expectedAmount="19.99")
    world.run(0)
    page = explain(bench, world)
    assert page["Why"] == [
        "The gateway reported it as paid ($19.99) 2026-11-22 10:00:00Z (0 s ago).",
        "That is what was registered: 19.99.",
    ]
    assert page["Next"][0].startswith("Its event is not on the bus yet")
    assert page["Event"][1] == "not sent yet"

    world.outbox.publish([PAY_ID])
    page = explain(bench, world)
    assert page["Next"] == [
        "Nothing: it is settled, and its event is on the bus since 2026-11-22 10:00:00Z (0 s ago)."
    ]

    bench.run("republish", PAY_ID, "--yes")
    page = explain(bench, world)
    assert page["Event"][1] == "sent 2026-11-22 10:00:00Z (0 s ago), and to be sent again"
    assert page["History"][-1] == (
        "2026-11-22 10:00:00Z  SUCCEEDED, by operator: event to be sent again"
    )


def test_a_paid_payment_without_a_registered_amount_says_that(
    bench: CommandLine, world: World
) -> None:
    """Then nothing was compared."""
    world.says = lambda _: reply()
    world.order()
    world.run(0)
    assert explain(bench, world)["Why"][1] == "No amount was registered to compare with."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"workAt": None, "workShard": None}, "tell the maintainers"),
        ({"history": []}, "has not told anything"),
    ],
)
def test_what_should_not_be_is_explained_as_far_as_it_goes(
    bench: CommandLine, world: World, change: dict[str, Any], said: str
) -> None:
    """A hand was in the table."""
    world.says = lambda pay_id: InvalidReply("odd", pay_id=pay_id)
    world.order()
    world.run(0)
    world.table.change(**change)
    page = explain(bench, world)
    assert said in " ".join(page["Why"] + page["Next"])


def test_an_event_that_is_neither_waiting_nor_sent_is_for_the_maintainers(
    bench: CommandLine, world: World
) -> None:
    """It cannot come to this but by hand."""
    world.says = lambda _: reply()
    world.order()
    world.run(0)
    world.table.change(eventState=None)
    assert explain(bench, world)["Next"][0].endswith("tell the maintainers.")


def test_an_item_that_cannot_be_read_is_one_line(
    bench: CommandLine, table: Table, world: World
) -> None:
    """A later version wrote it, say."""
    world.order()
    world.run(0)
    table.change(schemaVersion=2)
    ran = bench.run("explain", PAY_ID)
    assert (ran.code, ran.out) == (2, "")
    assert "schemaVersion is not 1" in ran.err


def test_machines_get_all_of_it_as_one_object(bench: CommandLine, world: World) -> None:
    """The payment as the API shows it, and beside it why, next, history and event."""
    world.says = lambda _: reply(payAmount="$19.99")
    world.order(expectedAmount="19.99")
    world.run(0)

    [record] = bench.run("explain", PAY_ID, "--json").records

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


def test_machines_are_told_of_trouble(bench: CommandLine, world: World) -> None:
    """In the names of the table, with a time that people read as well."""
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    world.order()
    world.run(0)
    [record] = bench.run("explain", PAY_ID, "--json").records
    assert record["lastError"] == {
        "kind": "unavailable",
        "at": "2026-11-22T10:00:00.123Z",
        "tries": 1,
    }
    assert record["nextCheckAt"] > record["createdAt"]
