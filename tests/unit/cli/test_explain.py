"""P5, contract of `payresult explain`: why a payment has its status, and what is next."""

from typing import Any

import pytest

from payresult.domain.payment import FailureKind
from payresult.errors import GatewayUnavailable, InvalidReply
from tests.support.factories import DAY, HOUR, MINUTE, PAY_ID, SECOND, reply
from tests.support.tables import Table
from tests.support.world import Said, World
from tests.unit.cli.cli_runner import CommandLine
from tests.unit.cli.conftest import checked


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
    checked(world, reply("processing\x1b[2J"))
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
    checked(world, reply("wait"))
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
    """How it failed, how often in a row, and since when. None of it uses an answered check."""
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id, how="timeout")
    world.order()
    world.run(4 * SECOND)
    assert explain(cli, world)["Why"] == [
        "The gateway has not given a valid answer yet.",
        (
            "The last check, at 2026-11-22 10:00:00Z (4 s ago), failed (no answer in time);"
            " the status is kept."
        ),
        (
            "The gateway did not answer the last query, at 2026-11-22 10:00:00Z (4 s ago):"
            " the API marks its answers as stale."
        ),
    ]
    world.says = lambda pay_id: GatewayUnavailable(
        "down", pay_id=pay_id, how="http", http_status=500
    )
    world.run(2 * MINUTE)
    sections = explain(cli, world)
    assert sections["Why"][1].startswith(
        "The last 5 checks brought no reply, since 2026-11-22 10:00:00Z (2 min ago); the latest, at"
    )
    assert "failed (HTTP 500); the status is kept." in sections["Why"][1]
    assert sections["Checks"][1] == "0 of at most 4 answered checks used"


HOW: list[tuple[FailureKind | None, int | None, str]] = [
    ("timeout", None, "no answer in time"),
    ("connection", None, "no connection, or it broke"),
    ("tls", None, "TLS refused"),
    ("http", 404, "HTTP 404"),
    ("http", None, "an HTTP error"),
    ("not_json", 200, "no JSON"),
    ("not_a_reply", 200, "JSON that is no reply"),
    ("other_payment", 200, "a reply about another payment"),
    (None, 403, "HTTP 403"),
    (None, None, "nothing valid"),
]


@pytest.mark.parametrize(("how", "http_status", "expected"), HOW)
def test_how_the_gateway_failed_is_told(
    cli: CommandLine, world: World, how: FailureKind | None, http_status: int | None, expected: str
) -> None:
    """In words; an earlier version of payresult kept the HTTP status only."""
    error = InvalidReply("odd", pay_id=PAY_ID, how=how or "http", http_status=http_status)
    checked(world, error)
    if how is None:
        stored = world.table.item()["lastError"]
        world.table.change(lastError={name: stored[name] for name in stored if name != "how"})
    assert explain(cli, world)["Why"][1] == (
        f"The last check, at 2026-11-22 10:00:00Z (0 s ago), failed ({expected});"
        " the status is kept."
    )


def test_stored_answer_that_is_stale(cli: CommandLine, world: World) -> None:
    """A caller asked in vain after it; the chain of checks was not concerned."""
    checked(world, reply("wait"))
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    world.now += 4 * SECOND
    world.get()
    assert explain(cli, world)["Why"][-1] == (
        "The gateway did not answer the last query, at 2026-11-22 10:00:04Z (0 s ago):"
        " the API marks its answers as stale."
    )
    [record] = cli.run("explain", PAY_ID, "--json").records
    assert record["stale"] is True


RESTART = "A PUT or a message with its payId starts the checks again"


def test_expired_payment(cli: CommandLine, world: World) -> None:
    """An abandoned checkout: all checks were answered. Nobody has to look at it."""
    world.order()
    world.run(DAY)
    sections = explain(cli, world)
    assert sections[""] == [f"{PAY_ID}  EXPIRED  (no amount registered)"]
    assert sections["Why"][:2] == [
        "The last planned check was answered at 2026-11-22 10:00:35Z (23 h ago),",
        "and no answer was a success: an abandoned checkout ends like this.",
    ]
    assert sections["Next"] == [
        "Nothing happens automatically: no check is planned.",
        f"{RESTART}.",
    ]
    assert sections["Checks"][1] == "4 of at most 4 answered checks used"
    assert "Attention" not in sections


def unresolved(world: World) -> None:
    """Let the time of a payment end while the gateway is down."""
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    world.order()
    world.run(HOUR)
    world.table.change(giveUpAt=world.now)
    world.run(HOUR)


def test_unresolved_payment(cli: CommandLine, world: World) -> None:
    """Nobody knows, so it waits for a person; what ends that."""
    unresolved(world)
    sections = explain(cli, world)
    assert sections["Why"][0].startswith("Its time was over at 2026-11-22 12:")
    assert sections["Why"][1] == (
        "and the check at the end brought no answer: nobody knows whether it is paid."
    )
    follow = "`cli/payresult follow --attention UNRESOLVED`"
    assert sections["Next"][-1] == f"{RESTART}, and so does {follow}."
    waiting, *ends = sections["Attention"]
    assert waiting.startswith("UNRESOLVED: it has waited for a person since 2026-11-22 12:")
    assert ends == [
        f"{follow} follows it again;",
        (
            f"`cli/payresult close {PAY_ID} --reason 'refunded'` ends the case."
            " An answer that changes its status ends it too."
        ),
    ]


def test_closed_payment(cli: CommandLine, world: World) -> None:
    """When and why; and when DynamoDB deletes it."""
    unresolved(world)
    cli.now, cli.retention_days = world.now, 30
    cli.run("close", PAY_ID, "--reason", "refunded", "--yes")
    sections = explain(cli, world)
    assert sections["Attention"] == ["Closed at 2026-11-22 12:00:00Z (0 s ago): refunded."]
    assert sections["Next"][-1] == (
        "DynamoDB deletes it within some days from 2026-12-22 12:00:00Z (in 30 d) on"
        " (RetentionDays)."
    )
    assert sections["History"][-1] == (
        "2026-11-22 12:00:00Z  UNRESOLVED, by operator: closed: refunded"
    )
    [record] = cli.run("explain", PAY_ID, "--json").records
    assert record["expiresAt"] == "2026-12-22T12:00:00.000Z"
    assert "attention" not in record


def test_payment_that_was_started_again(cli: CommandLine, world: World) -> None:
    """When, and by what."""
    world.order()
    world.run(DAY)
    world.register()
    sections = explain(cli, world)
    assert sections["Why"][-1] == (
        "Its checks were started again at 2026-11-23 10:00:00Z (0 s ago)."
    )
    assert sections["Checks"][1] == "0 of at most 4 answered checks used"
    assert sections["History"][-1] == "2026-11-23 10:00:00Z  EXPIRED -> PENDING, by api"


def test_duplicate_payment(cli: CommandLine, world: World) -> None:
    """It is paid, and somebody has to refund one of the two."""
    checked(world, reply())
    world.table.change(attention="P000818#DUPLICATE", attentionSince=None)
    sections = explain(cli, world)
    assert sections["Why"][1] == "No amount was registered, so none was compared."
    assert sections["Attention"] == [
        "DUPLICATE: it waits for a person.",
        "Its order was paid with another payId too: refund one, then",
        f"`cli/payresult close {PAY_ID} --reason 'refunded'`.",
    ]


def test_failed_payment(cli: CommandLine, world: World) -> None:
    """The deployment configures which values mean a failure."""
    checked(world, reply("fail"))
    assert explain(cli, world)["Why"] == [
        'The gateway answered payRst "fail" at 2026-11-22 10:00:00Z (0 s ago),',
        "which is one of this deployment's FailedPayRstValues.",
    ]


def test_payment_in_review_before_and_after_accept(cli: CommandLine, world: World) -> None:
    """What was registered and reported; then what was accepted too, when and why."""
    checked(world, reply(payAmount="19,99 €"), expectedAmount="19.99", currency="EUR")
    sections = explain(cli, world)
    first = 'The gateway reports it as paid with "19,99 €", but 19.99 EUR is registered.'
    assert sections["Why"] == [first]
    assert sections["Next"][-1] == (
        f"`cli/payresult check {PAY_ID}`, a PUT or a message with its payId has it checked once."
    )
    assert sections["Attention"] == [
        "REVIEW: it has waited for a person since 2026-11-22 10:00:00Z (0 s ago).",
        "Until the registered amount is reported, or until",
        f"`cli/payresult accept {PAY_ID} --reason 'coupon 5'`",
        f"or `cli/payresult close {PAY_ID} --reason 'refunded'`.",
    ]
    world.run(MINUTE)
    cli.now = world.now
    cli.run("accept", PAY_ID, "--reported", "19,99 €", "--reason", "comma", "--yes")
    sections = explain(cli, world)
    accepted = 'An operator accepted "19,99 €" at 2026-11-22 10:01:00Z (0 s ago): comma.'
    assert sections["Why"] == [first, accepted]
    assert sections["Next"][-1] == (
        "If the gateway reports the same text again, the payment becomes SUCCEEDED."
    )
    assert sections["History"][-1] == (
        '2026-11-22 10:01:00Z  REVIEW, by operator: 19.99 EUR registered, "19,99 €" accepted: comma'
    )
    [record] = cli.run("explain", PAY_ID, "--json").records
    assert (record["expectedAmount"], record["acceptedPayAmount"]) == ("19.99", "19,99 €")
    assert (record["attention"], record["attentionSince"]) == ("REVIEW", "2026-11-22T10:00:00.123Z")
    assert record["person"] == sections["Attention"]
    says = world.says
    world.says = lambda _: reply(payAmount="1,00 €")
    world.run(0)
    world.get()
    assert explain(cli, world)["Why"][1:] == [
        accepted,
        "This is not what the gateway reports now.",
    ]
    world.says = says
    world.run(MINUTE)
    sections = explain(cli, world)
    assert sections[""] == [f"{PAY_ID}  SUCCEEDED  (19.99 EUR registered)"]
    assert sections["Why"][1:] == [
        "19.99 EUR is registered.",
        accepted.replace("0 s ago", "60 s ago"),
    ]
    assert "Attention" not in sections


def test_accepted_payment_without_an_amount(cli: CommandLine, world: World) -> None:
    """The gateway reports success, and no amount. A history by hand loses when and why."""
    checked(world, reply(), expectedAmount="19.99")
    cli.run("accept", PAY_ID, "--reported-absent", "--reason", "known", "--yes")
    sections = explain(cli, world)
    assert sections["Why"][1] == (
        "An operator accepted no amount at 2026-11-22 10:00:00Z (0 s ago): known."
    )
    assert sections["History"][-1].endswith("19.99 registered, no amount accepted: known")
    world.table.change(history=[])
    assert explain(cli, world)["Why"][1] == "An operator accepted no amount."


def test_paid_payment_and_its_event(cli: CommandLine, world: World) -> None:
    """Not sent yet, sent, and to be sent again."""
    checked(world, reply(payAmount="$19.99"), expectedAmount="19.99")
    sections = explain(cli, world)
    assert sections["Why"] == [
        'The gateway reported it as paid ("$19.99") at 2026-11-22 10:00:00Z (0 s ago).',
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


ODD = InvalidReply("odd", pay_id=PAY_ID)


@pytest.mark.parametrize(
    ("answer", "change", "expected"),
    [
        (ODD, {"workAt": None, "workShard": None}, "tell the maintainers"),
        (ODD, {"history": []}, "has not given a valid answer"),
        (reply(), {"eventState": None}, "tell the maintainers."),
    ],
)
def test_edited_item(
    cli: CommandLine, world: World, answer: Said, change: dict[str, Any], expected: str
) -> None:
    """It is explained as far as possible."""
    checked(world, answer)
    world.table.change(**change)
    sections = explain(cli, world)
    assert expected in " ".join(sections["Why"] + sections["Next"])


def test_unreadable_item_is_one_line(cli: CommandLine, table: Table, world: World) -> None:
    """A later version may have written it. Exit code 2."""
    checked(world, reply("wait"))
    table.change(schemaVersion=2)
    result = cli.run("explain", PAY_ID)
    assert (result.code, result.out) == (2, "")
    assert "schemaVersion is not 1" in result.err


def test_json_is_one_object(cli: CommandLine, world: World) -> None:
    """The payment as the API shows it, with why, next, history and event."""
    checked(world, reply(payAmount="$19.99"), expectedAmount="19.99")
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
    checked(world, GatewayUnavailable("down", pay_id=PAY_ID))
    [record] = cli.run("explain", PAY_ID, "--json").records
    assert record["lastError"] == {
        "kind": "unavailable",
        "at": "2026-11-22T10:00:00.123Z",
        "tries": 1,
        "since": "2026-11-22T10:00:00.123Z",
        "how": "connection",
    }
    assert (record["answeredChecks"], record["maxAnsweredChecks"]) == (0, 4)
    assert record["nextCheckAt"] > record["createdAt"]


def test_a_status_has_its_colour_in_a_terminal(
    cli: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in a pipe, and not where NO_COLOR is set."""
    world.register()
    assert "\x1b" not in cli.run("explain", PAY_ID).out
    assert "\x1b[33mPENDING\x1b[0m  (" in cli.run("explain", PAY_ID, color=True).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in cli.run("explain", PAY_ID, color=True).out
