"""`payresult redrive`: from the dead-letter queue back onto the queue."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.factories import PAY_ID
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

GOOD = json.dumps({"payId": PAY_ID, "expectedAmount": "19.99"})
BAD = '{"payId": "two words"}'


@pytest.fixture
def bench(table: Table) -> CommandLine:
    """A system to run commands on."""
    return CommandLine(table)


def test_an_empty_queue_says_so(bench: CommandLine) -> None:
    """Exit code 0."""
    ran = bench.run("redrive", "--yes")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("0 messages")


def test_each_message_is_shown_with_what_would_become_of_it(bench: CommandLine) -> None:
    """A dry run leaves all of them where they are, and visible."""
    ids = bench.bury(GOOD, BAD, '{"payIds": ["a", "b"]}', "no\x1bJSON")

    ran = bench.run("redrive", "--dry-run", "--json")

    assert ran.code == 0
    assert [record["messageId"] for record in ran.records] == ids
    problems = [record.get("problem", "") for record in ran.records]
    assert [problem.split(":")[0] for problem in problems] == ["", "payId", "", "body"]
    assert "4 messages, 2 would be refused again; 2 to go back" in ran.err
    assert bench.messages() == []
    text = bench.run("redrive", "--dry-run").out
    assert "would be taken now" in text
    assert "refused again: payId:" in text
    assert "no\\x1bJSON" in text


def test_what_would_be_taken_goes_back_and_the_rest_stays(bench: CommandLine) -> None:
    """Word for word, with the attributes that the sender gave it. Exit code 1: some stay."""
    bench.bury(GOOD, BAD, trace="a-1")

    ran = bench.run("redrive", "--yes")

    assert ran.code == 1
    assert "1 put back onto the queue" in ran.out
    [message] = bench.sqs.receive_message(QueueUrl=bench.queue, MessageAttributeNames=["All"])[
        "Messages"
    ]
    assert message["Body"] == GOOD
    assert message["MessageAttributes"]["trace"]["StringValue"] == "a-1"
    assert bench.messages(bench.dead) == [BAD]


def test_all_go_back_where_a_deployment_mended_it(bench: CommandLine) -> None:
    """The operator says so; more than ten go in tens."""
    bench.bury(*(f'{{"payId": "two words {n}"}}' for n in range(12)))
    ran = bench.run("redrive", "--all", "--yes")
    assert ran.code == 0
    assert len(bench.messages()) == 12
    assert bench.messages(bench.dead) == []


def test_a_message_is_mended_and_goes_back(bench: CommandLine) -> None:
    """With the body that the operator gives; the others stay as they are."""
    bad, _ = bench.bury(BAD, "no JSON")
    mended = '{"payId": "two-words"}'

    ran = bench.run("redrive", "--mend", bad, mended, "--yes")

    assert ran.code == 1
    assert bench.messages() == [mended]
    assert bench.messages(bench.dead) == ["no JSON"]


def test_a_mended_body_that_is_wrong_too_is_refused(bench: CommandLine) -> None:
    """Before a message is touched."""
    [bad] = bench.bury(BAD)
    ran = bench.run("redrive", "--mend", bad, BAD, "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert "that is refused too: payId:" in ran.err
    assert bench.messages(bench.dead) == [BAD]


def test_mending_a_message_that_is_not_there_changes_nothing(bench: CommandLine) -> None:
    """And leaves what is there visible."""
    bench.bury(GOOD)
    ran = bench.run("redrive", "--mend", "nix", GOOD, "--yes")
    assert ran.code == 2
    assert "no such message among the 1 looked at" in ran.err
    assert bench.messages() == []
    assert bench.messages(bench.dead) == [GOOD]


def test_a_message_that_contradicts_the_table_would_be_refused_again(bench: CommandLine) -> None:
    """It is well made, and yet it ended here."""
    World(bench.table).register(PAY_ID, expected_amount="18.00")
    bench.bury(GOOD)
    [record, *_] = bench.run("redrive", "--dry-run", "--json").records
    assert "is registered with another value" in record["problem"]


def test_a_no_leaves_all_of_them_visible(bench: CommandLine) -> None:
    """As if nobody had looked."""
    bench.bury(GOOD)
    ran = bench.run("redrive", answers="n\n")
    assert ran.code == 1
    assert bench.messages(bench.dead) == [GOOD]


def test_the_limit_bounds_how_many_are_looked_at(bench: CommandLine) -> None:
    """The others come with the next call."""
    bench.bury(*(f'{{"payId": "p-{n}"}}' for n in range(15)))
    assert bench.run("redrive", "--limit", "12", "--yes").code == 0
    assert len(bench.messages()) == 12
    assert len(bench.messages(bench.dead)) == 3


class Sqs:
    """An SQS client in which one call does something else."""

    def __init__(self, client: Any, name: str, act: Any) -> None:
        self._client = client
        self._name = name
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return self._act if name == self._name else getattr(self._client, name)


def break_call(bench: CommandLine, name: str, act: Any) -> None:
    """Let *act* answer one of the queue's calls."""
    bench.wrap = lambda service, client: Sqs(client, name, act) if service == "sqs" else client


def test_a_message_that_sqs_refuses_stays(bench: CommandLine) -> None:
    """It is deleted only once it is sent."""
    bench.bury(GOOD)
    break_call(bench, "send_message_batch", lambda **_: {"Failed": [{"Id": "0"}]})
    ran = bench.run("redrive", "--yes")
    assert ran.code == 1
    assert bench.messages(bench.dead) == [GOOD]


def test_a_crash_between_send_and_delete_doubles_and_never_loses(bench: CommandLine) -> None:
    """One line, exit code 2."""

    def denied(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "DeleteMessageBatch")

    bench.bury(GOOD)
    break_call(bench, "delete_message_batch", denied)
    ran = bench.run("redrive", "--yes")
    assert ran.code == 2
    assert "may not call DeleteMessageBatch" in ran.err
    assert bench.messages() == [GOOD]
    assert bench.messages(bench.dead) == [GOOD]
