"""`payresult follow`: a file of payIds is sent to the queue, and nothing twice."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from payresult.domain.payment import CheckMessage, Registration
from payresult.schemas.requests import parse_message
from tests.support.factories import DAY, PAY_ID
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

IDS = [f"paid-{number}" for number in range(25)]


@pytest.fixture
def bench(table: Table) -> CommandLine:
    """A system to run commands on."""
    return CommandLine(table)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of 25 payIds."""
    path = tmp_path / "orders.txt"
    path.write_text("\n".join(IDS) + "\n", encoding="utf-8")
    return path


def journal(file: Path) -> Path:
    """Return where a follow that is not done keeps what it sent."""
    return file.with_name("orders.txt.following")


class Sqs:
    """An SQS client whose SendMessageBatch goes through *act* after *good* calls."""

    def __init__(self, client: Any, good: int, act: Any) -> None:
        self._client = client
        self._good = good
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def send_message_batch(self, **arguments: Any) -> Any:
        """Send, or do what *act* does."""
        self._good -= 1
        call = self._client.send_message_batch
        return call(**arguments) if self._good >= 0 else self._act(call, arguments)


def breaking(bench: CommandLine, good: int, act: Any) -> None:
    """Let the bench's queue take *good* batches, and then *act*."""
    bench.wrap = lambda service, client: Sqs(client, good, act) if service == "sqs" else client


def test_each_pay_id_becomes_a_message(bench: CommandLine, file: Path) -> None:
    """Of its own, as an order service sends it."""
    ran = bench.run("follow", file, "--yes")

    assert ran.code == 0
    assert "25 payIds: 25 to send" in ran.out
    assert "25 put onto the queue" in ran.out
    asked = [parse_message(body) for body in bench.messages()]
    assert asked == [CheckMessage(pay_id) for pay_id in IDS]


def test_a_file_with_columns_registers_too(bench: CommandLine, file: Path) -> None:
    """In any order, with a byte order mark, empty lines and empty values."""
    text = (
        '\ufeffcurrency,payId,expectedAmount,orderId\r\nUSD,p-1,19.99,A-17\r\n\r\n,p-2,,"A-18"\r\n'
    )
    file.write_text(text, encoding="utf-8")

    assert bench.run("follow", file, "--yes").code == 0

    assert [parse_message(body) for body in bench.messages()] == [
        CheckMessage("p-1", Registration("A-17", "19.99", "USD")),
        CheckMessage("p-2", Registration("A-18")),
    ]


def test_a_repeated_line_is_sent_once(bench: CommandLine, file: Path) -> None:
    """As if it were not there."""
    file.write_text("p-1\np-2\np-1\n", encoding="utf-8")
    assert "2 payIds: 2 to send" in bench.run("follow", file, "--yes").out
    assert len(bench.messages()) == 2


def test_what_is_followed_already_is_not_sent(bench: CommandLine, file: Path) -> None:
    """But one that was given up is, for it is followed anew."""
    world = World(bench.table, delays=(5,))
    world.order("paid-3")
    world.run(DAY)
    world.order("paid-4")
    world.run(0)

    ran = bench.run("follow", file, "--yes", "--json")

    assert ran.records == [
        {"inFile": 25, "new": 24, "followedAlready": 1, "sentBefore": 0, "refused": 0},
        {"sent": 24},
    ]
    sent = [json.loads(body)["payId"] for body in bench.messages()]
    assert sent == [pay_id for pay_id in IDS if pay_id != "paid-4"]


def test_a_line_that_adds_to_what_is_known_is_sent(bench: CommandLine, file: Path) -> None:
    """One that says nothing new is not."""
    world = World(bench.table)
    world.register("p-1", expected_amount="19.99")
    world.register("p-2", expected_amount="19.99")
    file.write_text("payId,expectedAmount,orderId\np-1,19.99,\np-2,19.99,A-2\n")

    bench.run("follow", file, "--yes")

    assert [json.loads(body)["payId"] for body in bench.messages()] == ["p-2"]


def test_a_line_that_contradicts_what_is_known_is_named_and_not_sent(
    bench: CommandLine, file: Path
) -> None:
    """It would end in the dead-letter queue; the first ten are named."""
    world = World(bench.table)
    for number in range(12):
        world.register(f"p-{number}", expected_amount="19.99")
    lines = "".join(f"p-{number},18.00\n" for number in range(13))
    file.write_text("payId,expectedAmount\n" + lines)

    ran = bench.run("follow", file, "--yes")

    assert ran.code == 1
    assert "p-0: expectedAmount: p-0 is registered with another value" in ran.err
    assert "and 2 more" in ran.err
    assert len(bench.messages()) == 1


def test_a_dry_run_and_a_no_send_nothing(bench: CommandLine, file: Path) -> None:
    """And leave nothing behind."""
    assert bench.run("follow", file, "--dry-run").code == 0
    assert bench.run("follow", file, answers="n\n").code == 1
    assert bench.run("follow", file, answers="").code == 2
    assert bench.messages() == []
    assert not journal(file).exists()


def test_a_yes_on_the_terminal_sends(bench: CommandLine, file: Path) -> None:
    """The question is asked on stderr, so that stdout is for the answer alone."""
    ran = bench.run("follow", file, answers="y\n")
    assert ran.code == 0
    assert len(bench.messages()) == 25


def test_a_follow_that_is_stopped_goes_on_where_it_stopped(bench: CommandLine, file: Path) -> None:
    """Ctrl-C comes while ten are on their way: they are finished, and never sent again."""

    def interrupted(call: Any, arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return call(**arguments)

    breaking(bench, 1, interrupted)
    ran = bench.run("follow", file, "--yes")
    assert ran.code == 130
    assert "the same command goes on from here" in ran.err
    assert "20 put onto the queue" in ran.out
    assert journal(file).exists()

    bench.wrap = lambda _, client: client
    ran = bench.run("follow", file, "--yes")

    assert ran.code == 0
    assert "5 to send, 0 followed already, 20 sent within the hour" in ran.out
    sent = [json.loads(body)["payId"] for body in bench.messages()]
    assert sent == IDS


def test_a_follow_that_breaks_off_goes_on_where_it_broke(bench: CommandLine, file: Path) -> None:
    """The permission is taken away in the middle: one line, exit code 2."""

    def denied(_call: Any, _arguments: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessageBatch")

    breaking(bench, 2, denied)
    ran = bench.run("follow", file, "--yes")
    assert ran.code == 2
    assert ran.err.splitlines()[-1].startswith("payresult: these credentials may not call SendM")

    bench.wrap = lambda _, client: client
    bench.run("follow", file, "--yes")

    assert [json.loads(body)["payId"] for body in bench.messages()] == IDS


def test_what_sqs_refuses_is_sent_by_the_next_run(bench: CommandLine, file: Path) -> None:
    """And only that."""

    def refusing(call: Any, arguments: Any) -> Any:
        last = arguments["Entries"].pop()
        return call(**arguments) | {"Failed": [{"Id": last["Id"]}]}

    breaking(bench, 0, refusing)
    ran = bench.run("follow", file, "--yes")
    assert ran.code == 1
    assert "SQS refused 3" in ran.err

    bench.wrap = lambda _, client: client
    assert bench.run("follow", file, "--yes").code == 0

    sent = [json.loads(body)["payId"] for body in bench.messages()]
    assert sorted(sent) == sorted(IDS)
    assert sent[-3:] == ["paid-9", "paid-19", "paid-24"]


BAD = [
    ("", "is empty"),
    ("\n\n", "is empty"),
    ("payId,orderId\n", "names no payId"),
    ("p-1\ntwo words\n", "line 2 is no order: payId:"),
    ("p-1\np-2,x\n", "line 2 has 2 values, not 1"),
    ("payId,amount\np-1,19.99\n", "line 2 is no order: amount: is not a known field"),
    ("payId,expectedAmount\np-1,$5\n", "line 2 is no order: expectedAmount: must be"),
    ("payId,step\np-1,3\n", "line 2 is no order: step: is not a known field"),
    ("payId,orderId\n,A\n", "line 2 is no order: payId:"),
    ("orderId,expectedAmount\nA,1.00\n", "line 1 must name the columns payId"),
    ("payId,payId\np-1,p-1\n", "line 1 names a column twice"),
    ("payId,orderId\np-1,A\np-1,B\n", "line 3 says something else about p-1"),
    ('payId\n"p-1\n', "is no CSV"),
    ("payId\n" + "p" * 2000 + "\n", "is no CSV: field larger than field limit"),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_a_bad_file_is_refused_whole_with_the_line(
    bench: CommandLine, file: Path, text: str, said: str
) -> None:
    """Before AWS is asked anything: one line, exit code 2."""
    file.write_text(text, encoding="utf-8")
    ran = bench.run("follow", file, "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1
    assert bench.messages() == []


def test_a_file_in_another_encoding_is_refused(bench: CommandLine, file: Path) -> None:
    """UTF-16, as some spreadsheets write it."""
    file.write_bytes("payId\np-1\n".encode("utf-16"))
    ran = bench.run("follow", file, "--yes")
    assert ran.code == 2
    assert "is not UTF-8 text" in ran.err


def test_a_file_that_is_not_there_is_refused(bench: CommandLine, tmp_path: Path) -> None:
    """Nor a folder."""
    assert "does not exist" in bench.run("follow", tmp_path / "nix", "--yes").err
    assert "is a directory" in bench.run("follow", tmp_path, "--yes").err


def test_a_hundred_thousand_lines_are_read_before_the_last_is_refused(
    bench: CommandLine, file: Path
) -> None:
    """Nothing of it is sent."""
    file.write_text("".join(f"p-{n}\n" for n in range(100_000)) + "no good\n", encoding="utf-8")
    ran = bench.run("follow", file, "--yes")
    assert ran.code == 2
    assert "line 100001" in ran.err
    assert bench.messages() == []


def test_an_item_that_cannot_be_read_is_named_and_not_sent(bench: CommandLine, file: Path) -> None:
    """The others are."""
    World(bench.table).register(PAY_ID)
    bench.table.change(schemaVersion=2)
    file.write_text(f"{PAY_ID}\np-2\n")
    ran = bench.run("follow", file, "--yes")
    assert ran.code == 1
    assert "schemaVersion" in ran.err
    assert len(bench.messages()) == 1
