"""P1, contract of `payresult follow`: each payId of a file that is not followed is sent once."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from payresult.domain.payment import CheckMessage, Registration, Status
from payresult.errors import GatewayUnavailable
from payresult.schemas.requests import parse_message
from tests.support.factories import HOUR, MINUTE, NOW, PAY_ID, SECOND, reply
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine, Handler
from tests.unit.cli.conftest import PAY_IDS, resume_file, sent_pay_ids

ENDED = ("paid-0", "paid-1", "paid-2")


def intercept_after(cli: CommandLine, batches: int, handler: Handler) -> None:
    """Let *batches* of messages through to SQS and give those after them to *handler*."""
    count = 0

    def count_batches(call: Any, **arguments: Any) -> Any:
        nonlocal count
        count += 1
        return call(**arguments) if count <= batches else handler(call, **arguments)

    cli.intercept("send_message_batch", count_batches)


def ended_payments(cli: CommandLine) -> World:
    """Bring ENDED to FAILED, EXPIRED and UNRESOLVED, and three more to other statuses.

    paid-3 is PENDING, paid-4 SUCCEEDED, paid-5 in REVIEW.
    """
    world = World(cli.table, delays=(60,))
    answers = {"paid-0": "fail", "paid-4": "success", "paid-5": "success"}
    world.says = lambda pay_id: reply(answers.get(pay_id, "wait"), payId=pay_id, payAmount="$5")
    for pay_id in ("paid-0", "paid-1", "paid-4"):
        world.order(pay_id)
    world.order("paid-5", expectedAmount="19.99")
    world.run(3 * MINUTE)
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    world.order("paid-2")
    world.run(SECOND)
    world.table.change("paid-2", giveUpAt=world.now)
    world.run(2 * HOUR)
    world.register("paid-3")
    statuses = [world.table.payment(f"paid-{number}").status for number in range(6)]
    assert [*statuses] == ["FAILED", "EXPIRED", "UNRESOLVED", "PENDING", "SUCCEEDED", "REVIEW"]
    cli.now = world.now
    return world


@pytest.mark.parametrize(("options", "user_input"), [(["--yes"], None), ([], "y\n")])
def test_each_is_sent(
    cli: CommandLine, file: Path, options: list[str], user_input: str | None
) -> None:
    """The message that an order service would send."""
    result = cli.run("follow", file, *options, user_input=user_input)
    assert result.code == 0
    assert "25 payIds: 25 to send" in result.out
    assert "25 sent to the queue" in result.out
    messages = [parse_message(body) for body in cli.take_messages()]
    assert messages == [CheckMessage(pay_id) for pay_id in PAY_IDS]


def test_columns_register_the_payment(cli: CommandLine, file: Path) -> None:
    """In any order, with a byte order mark, empty lines and empty values."""
    text = (
        '\ufeffcurrency,payId,expectedAmount,orderId\r\nUSD,p-1,19.99,A-17\r\n\r\n,p-2,,"A-18"\r\n'
    )
    file.write_text(text, encoding="utf-8")
    assert cli.run("follow", file, "--yes").code == 0
    assert [parse_message(body) for body in cli.take_messages()] == [
        CheckMessage("p-1", Registration("A-17", "19.99", "USD")),
        CheckMessage("p-2", Registration("A-18")),
    ]


def test_repeated_line_is_sent_once(cli: CommandLine, file: Path) -> None:
    """It is not counted either."""
    file.write_text("p-1\np-2\np-1\n", encoding="utf-8")
    assert "2 payIds: 2 to send" in cli.run("follow", file, "--yes").out
    assert len(cli.take_messages()) == 2


def test_followed_payment_is_not_sent(cli: CommandLine, file: Path) -> None:
    """A paid one is not either. One that ended starts again, one in REVIEW is checked once."""
    world = ended_payments(cli)
    before = world.now
    result = cli.run("follow", file, "--yes")
    assert result.out == (
        "25 payIds: 23 to send, 3 of them ended without a success: their checks start again,"
        " 1 of them in REVIEW: the gateway is asked once, 1 followed already, 1 paid already\n"
        "23 sent to the queue\n"
    )
    messages = cli.take_messages()
    sent = [json.loads(body)["payId"] for body in messages]
    assert sorted(sent) == sorted({*PAY_IDS} - {"paid-3", "paid-4"})
    world.says = lambda pay_id: reply("wait", payId=pay_id)
    world.asked.clear()
    world.now = before + MINUTE
    for body in messages:
        world.queue.put(body)
    world.run(SECOND)
    for pay_id in ENDED:
        assert world.table.payment(pay_id).status is Status.PENDING
    assert [pay_id for pay_id, _ in world.asked].count("paid-5") == 1
    assert world.table.payment("paid-5").status is Status.REVIEW


def test_counts_are_one_object(cli: CommandLine, file: Path) -> None:
    """With --json; all of them, also those that are 0."""
    ended_payments(cli)
    counts = {"new": 19, "startAgain": 3, "oneCheck": 1, "followedAlready": 1, "paidAlready": 1}
    assert cli.run("follow", file, "--yes", "--json").records == [
        {"payIds": 25} | counts | {"sentBefore": 0, "refused": 0},
        {"sent": 23},
    ]


def test_all_that_is_unresolved_is_followed_again(cli: CommandLine) -> None:
    """By the index; the messages take them out of it, so that a second run sends nothing."""
    world = ended_payments(cli)
    result = cli.run("follow", "--attention", "UNRESOLVED", "--yes")
    assert result.code == 0
    assert result.out.startswith("1 payId: 1 to send, 1 of them ended without a success")
    [body] = cli.take_messages()
    assert json.loads(body) == {"payId": "paid-2"}
    world.queue.put(body)
    world.run(SECOND)
    assert cli.run("follow", "--attention", "UNRESOLVED").out == "0 payIds: 0 to send\n"


def test_payment_that_changed_after_the_index_was_read_is_not_followed(cli: CommandLine) -> None:
    """It is erased, or followed again, by somebody else: the index lags behind the table."""
    world = ended_payments(cli)
    world.table.change("paid-3", attention="P000818#UNRESOLVED", attentionSince=NOW)
    entries: Any = []

    def lag(call: Any, **arguments: Any) -> Any:
        response = call(**arguments)
        entries.extend(response["Items"])
        world.table.delete("paid-2")
        return response

    cli.intercept("query", lag)
    result = cli.run("follow", "--attention", "UNRESOLVED", "--yes")
    assert len(entries) == 2
    assert (result.code, result.out) == (0, "2 payIds: 0 to send, 1 followed already\n")
    assert cli.take_messages() == []


def test_unreadable_unresolved_payment_is_named(cli: CommandLine) -> None:
    """Exit code 1, with nothing to send and with something."""
    ended_payments(cli)
    cli.table.change("paid-2", schemaVersion=2)
    result = cli.run("follow", "--attention", "UNRESOLVED", "--yes")
    assert result.code == 1
    assert "paid-2: " in result.err


def test_line_that_adds_a_field_is_sent(cli: CommandLine, world: World, file: Path) -> None:
    """A line that repeats it is not."""
    world.register("p-1", expected_amount="19.99")
    world.register("p-2", expected_amount="19.99")
    file.write_text("payId,expectedAmount,orderId\np-1,19.99,\np-2,19.99,A-2\n")
    cli.run("follow", file, "--yes")
    assert sent_pay_ids(cli) == ["p-2"]


def test_line_that_contradicts_is_not_sent(cli: CommandLine, world: World, file: Path) -> None:
    """It would end in the dead-letter queue. The first ten are named; exit code 1."""
    for number in range(12):
        world.register(f"p-{number}", expected_amount="19.99")
    lines = "".join(f"p-{number},18.00\n" for number in range(13))
    file.write_text("payId,expectedAmount\n" + lines)
    result = cli.run("follow", file, "--yes")
    assert result.code == 1
    assert "p-0: expectedAmount: contradicts what is known of p-0" in result.err
    assert "and 2 more" in result.err
    assert len(cli.take_messages()) == 1


def test_line_that_an_earlier_read_rejected_is_named(
    cli: CommandLine, world: World, file: Path
) -> None:
    """Payments are read a hundred at a time."""
    world.register("p-0", expected_amount="19.99")
    file.write_text("payId,expectedAmount\n" + "".join(f"p-{n},18.00\n" for n in range(101)))
    result = cli.run("follow", file, "--dry-run")
    assert "100 to send, 1 refused" in result.out
    assert "p-0: expectedAmount: contradicts" in result.err


def test_dry_run_and_no_send_nothing(cli: CommandLine, file: Path) -> None:
    """And write no resume file."""
    assert cli.run("follow", file, "--dry-run").code == 0
    assert cli.run("follow", file, user_input="n\n").code == 1
    assert cli.run("follow", file, user_input="").code == 2
    assert cli.take_messages() == []
    assert not resume_file(file).exists()


def test_follow_resumes_after_an_interrupt(cli: CommandLine, file: Path) -> None:
    """Ctrl-C during a batch: the batch is finished, and none of it is sent again."""

    def interrupt(call: Any, **arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return call(**arguments)

    intercept_after(cli, 1, interrupt)
    result = cli.run("follow", file, "--yes")
    assert result.code == 130
    assert "run the same command to continue" in result.err
    assert "20 sent to the queue" in result.out
    assert resume_file(file).exists()
    cli.stop_intercepting()
    result = cli.run("follow", file, "--yes")
    assert result.code == 0
    assert "5 to send, 20 sent within the last hour" in result.out
    assert sent_pay_ids(cli) == PAY_IDS
    assert cli.delays == [2 * number for number in range(25)]  # after those, not beside them


def test_follow_resumes_after_an_error(cli: CommandLine, file: Path) -> None:
    """The permission is withdrawn between two batches: one line, exit code 2."""

    def deny(_call: Any, **_arguments: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessageBatch")

    intercept_after(cli, 2, deny)
    result = cli.run("follow", file, "--yes")
    assert result.code == 2
    assert result.err.splitlines()[-1].startswith("payresult: these credentials may not call SendM")
    cli.stop_intercepting()
    cli.run("follow", file, "--yes")
    assert sent_pay_ids(cli) == PAY_IDS


def test_messages_that_sqs_rejects_are_sent_by_the_next_run(cli: CommandLine, file: Path) -> None:
    """No other message is sent again."""

    def reject_last(call: Any, **arguments: Any) -> Any:
        last = arguments["Entries"].pop()
        return call(**arguments) | {"Failed": [{"Id": last["Id"]}]}

    cli.intercept("send_message_batch", reject_last)
    result = cli.run("follow", file, "--yes")
    assert result.code == 1
    assert "SQS rejected 3 messages" in result.err
    cli.stop_intercepting()
    assert cli.run("follow", file, "--yes").code == 0
    sent = sent_pay_ids(cli)
    assert sorted(sent) == sorted(PAY_IDS)
    assert sent[-3:] == ["paid-9", "paid-19", "paid-24"]


INVALID = [
    # the whole file is read before anything is sent
    ("".join(f"p-{n}\n" for n in range(10_000)) + "no good\n", "line 10001 is invalid: payId:"),
    ("payId,orderId\n", "contains no payId"),
    ("p-1\ntwo words\n", "line 2 is invalid: payId:"),
    ("p-1\np-2,x\n", "line 2 has 2 values, expected 1"),
    ("payId,amount\np-1,19.99\n", "line 2 is invalid: amount: is not a known field"),
    ("payId,expectedAmount\np-1,$5\n", "line 2 is invalid: expectedAmount: must be"),
    ("payId,step\np-1,3\n", "line 2 is invalid: step: is not a known field"),
    ("payId,orderId\n,A\n", "line 2 is invalid: payId:"),
    ("orderId,expectedAmount\nA,1.00\n", "line 1 must name the columns payId"),
    ("payId,orderId\np-1,A\np-1,B\n", "line 3 contradicts an earlier line about p-1"),
]


@pytest.mark.parametrize(("text", "expected"), INVALID, ids=range(len(INVALID)))
def test_invalid_file_is_rejected(cli: CommandLine, file: Path, text: str, expected: str) -> None:
    """One line, exit code 2, nothing sent."""
    file.write_text(text, encoding="utf-8")
    result = cli.run("follow", file, "--yes")
    assert (result.code, result.out) == (2, "")
    assert expected in result.err
    assert len(result.err.splitlines()) == 1
    assert cli.take_messages() == []


def test_unreadable_item_is_named_and_not_sent(cli: CommandLine, world: World, file: Path) -> None:
    """The other payments of the file are sent."""
    world.register(PAY_ID)
    cli.table.change(schemaVersion=2)
    file.write_text(f"{PAY_ID}\np-2\n")
    result = cli.run("follow", file, "--yes")
    assert result.code == 1
    assert "schemaVersion" in result.err
    assert len(cli.take_messages()) == 1


def test_messages_are_spread_by_their_delay(cli: CommandLine, file: Path) -> None:
    """By default one each two seconds, all sent at once; the first is not delayed."""
    result = cli.run("follow", file, "--yes")
    assert cli.delays == [2 * number for number in range(25)]
    assert cli.now == NOW
    assert "0.5 a second: the last one is checked in 50 s" in result.err


def test_rate_is_as_given(cli: CommandLine, file: Path) -> None:
    """Also a part of one a second, or many."""
    cli.run("follow", file, "--rate", "10", "--yes")
    assert cli.delays == [number // 10 for number in range(25)]


def test_bulk_of_over_fifteen_minutes_is_sent_as_time_goes_on(cli: CommandLine, file: Path) -> None:
    """SQS delays by 900 s at most. Each minute says how far it is."""
    result = cli.run("follow", file, "--rate", "0.01", "--yes")
    assert result.code == 0
    assert "the last one is checked in 41 min" in result.err
    assert max(cli.delays) <= 900
    assert cli.now - NOW == 24 * 100 * SECOND - 900 * SECOND
    assert "20 of 25 sent\n" in result.err
    assert len(cli.take_messages()) == 25


def test_what_was_missed_in_a_pause_is_not_sent_at_once(cli: CommandLine, file: Path) -> None:
    """A command that was suspended goes on at its rate, with the batch that was next."""

    def suspend(call: Any, **arguments: Any) -> Any:
        cli.now += 8 * HOUR if cli.now == NOW else 0
        return call(**arguments)

    cli.intercept("send_message_batch", suspend)
    assert cli.run("follow", file, "--yes").code == 0
    assert cli.delays[20:] == [2, 4, 6, 8, 10]


def test_a_terminal_shows_a_bar_instead(
    cli: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a line a minute would break it."""
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    result = cli.run("follow", file, "--rate", "0.01", "--yes")
    assert "sending" in result.err
    assert "25/25" in result.err
    assert " of 25 sent" not in result.err


def test_a_pause_ends_with_ctrl_c(cli: CommandLine, file: Path) -> None:
    """What was sent is kept; the rest is not sent."""

    def stop(call: Any, **arguments: Any) -> Any:
        if cli.now > NOW:
            os.kill(os.getpid(), signal.SIGINT)
        return call(**arguments)

    cli.intercept("send_message_batch", stop)
    result = cli.run("follow", file, "--rate", "0.01", "--yes")
    assert result.code == 130
    assert "10 sent to the queue" in result.out or "20 sent to the queue" in result.out
    assert "stopped" in result.err
