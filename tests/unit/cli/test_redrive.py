"""`payresult redrive`: dead letters go back to the checks queue, and none is lost."""

import json
from typing import Any

from botocore.exceptions import ClientError

from tests.support.factories import PAY_ID
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

VALID = json.dumps({"payId": PAY_ID, "expectedAmount": "19.99"})
INVALID = '{"payId": "two words"}'


def dead_letters(cli: CommandLine) -> list[str]:
    """Take the messages off the dead-letter queue and return their bodies."""
    return cli.take_messages(cli.dead_letter_queue_url)


def test_empty_queue(cli: CommandLine) -> None:
    """No question; exit code 0."""
    result = cli.run("redrive", "--yes")
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("0 messages")


def test_dry_run_shows_each_message_with_its_problem(cli: CommandLine) -> None:
    """All messages stay in the queue and visible."""
    ids = cli.send_dead_letters(VALID, INVALID, '{"payIds": ["a", "b"]}', "no\x1bJSON")

    result = cli.run("redrive", "--dry-run", "--json")

    assert result.code == 0
    assert [record["messageId"] for record in result.records] == ids
    problems = [record.get("problem", "") for record in result.records]
    assert [problem.split(":")[0] for problem in problems] == ["", "payId", "", "body"]
    assert "4 messages: 2 would fail again, 2 to send back" in result.err
    assert cli.take_messages() == []
    text = cli.run("redrive", "--dry-run").out
    assert "can be processed now" in text
    assert "would fail again: payId:" in text
    assert "no\\x1bJSON" in text


def test_valid_messages_go_back_and_the_others_stay(cli: CommandLine) -> None:
    """With body and attributes unchanged. Exit code 1, since some stay."""
    cli.send_dead_letters(VALID, INVALID, trace="a-1")

    result = cli.run("redrive", "--yes")

    assert result.code == 1
    assert "1 sent back to the queue" in result.out
    [message] = cli.sqs.receive_message(QueueUrl=cli.queue_url, MessageAttributeNames=["All"])[
        "Messages"
    ]
    assert message["Body"] == VALID
    assert message["MessageAttributes"]["trace"]["StringValue"] == "a-1"
    assert dead_letters(cli) == [INVALID]


def test_all_sends_invalid_messages_too(cli: CommandLine) -> None:
    """After a deployment that accepts them; here more than one batch of ten."""
    cli.send_dead_letters(*(f'{{"payId": "two words {n}"}}' for n in range(12)))
    result = cli.run("redrive", "--all", "--yes")
    assert result.code == 0
    assert len(cli.take_messages()) == 12
    assert dead_letters(cli) == []


def test_message_goes_back_with_a_new_body(cli: CommandLine) -> None:
    """The other messages keep theirs."""
    message_id, _ = cli.send_dead_letters(INVALID, "no JSON")
    new_body = '{"payId": "two-words"}'

    result = cli.run("redrive", "--replace-body", message_id, new_body, "--yes")

    assert result.code == 1
    assert cli.take_messages() == [new_body]
    assert dead_letters(cli) == ["no JSON"]


def test_invalid_new_body_is_rejected(cli: CommandLine) -> None:
    """Before a message is received."""
    [message_id] = cli.send_dead_letters(INVALID)
    result = cli.run("redrive", "--replace-body", message_id, INVALID, "--yes")
    assert (result.code, result.out) == (2, "")
    assert "the new body is invalid too: payId:" in result.err
    assert dead_letters(cli) == [INVALID]


def test_new_body_for_an_unknown_message_changes_nothing(cli: CommandLine) -> None:
    """The messages that were received are visible again."""
    cli.send_dead_letters(VALID)
    result = cli.run("redrive", "--replace-body", "nix", VALID, "--yes")
    assert result.code == 2
    assert "no such message among the 1 that were read" in result.err
    assert cli.take_messages() == []
    assert dead_letters(cli) == [VALID]


def test_message_that_contradicts_the_registration_has_a_problem(
    cli: CommandLine, world: World
) -> None:
    """The message by itself is valid."""
    world.register(PAY_ID, expected_amount="18.00")
    cli.send_dead_letters(VALID)
    [record, *_] = cli.run("redrive", "--dry-run", "--json").records
    assert "contradicts what is known" in record["problem"]


def test_no_leaves_all_messages_visible(cli: CommandLine) -> None:
    """Exit code 1."""
    cli.send_dead_letters(VALID)
    result = cli.run("redrive", user_input="n\n")
    assert result.code == 1
    assert dead_letters(cli) == [VALID]


def test_limit_is_the_number_of_messages_received(cli: CommandLine) -> None:
    """The others stay for the next call."""
    cli.send_dead_letters(*(f'{{"payId": "p-{n}"}}' for n in range(15)))
    assert cli.run("redrive", "--limit", "12", "--yes").code == 0
    assert len(cli.take_messages()) == 12
    assert len(dead_letters(cli)) == 3


def test_message_that_sqs_rejects_stays(cli: CommandLine) -> None:
    """It is deleted only after it was sent."""
    cli.send_dead_letters(VALID)
    cli.intercept("send_message_batch", lambda _call, **_: {"Failed": [{"Id": "0"}]})
    result = cli.run("redrive", "--yes")
    assert result.code == 1
    assert dead_letters(cli) == [VALID]


def test_error_between_send_and_delete_duplicates_the_message(cli: CommandLine) -> None:
    """It is not lost. One line, exit code 2."""

    def deny(_call: Any, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "DeleteMessageBatch")

    cli.send_dead_letters(VALID)
    cli.intercept("delete_message_batch", deny)
    result = cli.run("redrive", "--yes")
    assert result.code == 2
    assert "may not call DeleteMessageBatch" in result.err
    assert cli.take_messages() == [VALID]
    assert dead_letters(cli) == [VALID]
