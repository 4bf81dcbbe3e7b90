"""P1, contract of `payresult redrive`: dead letters go back to the queue, and none is lost."""

import json
from typing import Any

import pytest
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


TWELVE = [f'{{"payId": "two words {number}"}}' for number in range(12)]


@pytest.mark.parametrize(
    ("letters", "options", "user_input", "code", "sent"),
    [
        pytest.param(TWELVE, ["--all", "--yes"], None, 0, 12, id="all, invalid or not"),
        pytest.param([VALID] * 15, ["--limit", "12", "--yes"], None, 0, 12, id="a limit"),
        pytest.param([VALID], [], "n\n", 1, 0, id="after a no"),
    ],
)
def test_what_is_not_sent_back_stays_and_is_visible(
    cli: CommandLine,
    letters: list[str],
    options: list[str],
    user_input: str | None,
    code: int,
    sent: int,
) -> None:
    """Messages are sent and received in batches of ten."""
    cli.send_dead_letters(*letters)
    assert cli.run("redrive", *options, user_input=user_input).code == code
    assert len(cli.take_messages()) == sent
    assert len(dead_letters(cli)) == len(letters) - sent


def test_message_goes_back_with_a_new_body(cli: CommandLine) -> None:
    """The other messages keep theirs."""
    message_id, _ = cli.send_dead_letters(INVALID, "no JSON")
    new_body = '{"payId": "two-words"}'
    result = cli.run("redrive", "--replace-body", message_id, new_body, "--yes")
    assert result.code == 1
    assert cli.take_messages() == [new_body]
    assert dead_letters(cli) == ["no JSON"]


@pytest.mark.parametrize(
    ("named", "body", "text"),
    [
        (None, INVALID, "the new body is invalid too: payId:"),
        ("nix", VALID, "no such message among the 1 that were read"),
    ],
)
def test_wrong_body_is_refused(cli: CommandLine, named: str | None, body: str, text: str) -> None:
    """It is no message, or for none; what was received is visible again."""
    [message_id] = cli.send_dead_letters(VALID)
    result = cli.run("redrive", "--replace-body", named or message_id, body, "--yes")
    assert (result.code, cli.take_messages()) == (2, [])
    assert text in result.err
    assert dead_letters(cli) == [VALID]


def test_message_that_contradicts_the_registration(cli: CommandLine, world: World) -> None:
    """The message by itself is valid."""
    world.register(PAY_ID, expected_amount="18.00")
    cli.send_dead_letters(VALID)
    [record, *_] = cli.run("redrive", "--dry-run", "--json").records
    assert "contradicts what is known" in record["problem"]


def test_message_that_sqs_rejects_stays(cli: CommandLine) -> None:
    """Also where it takes another one of the same call. It is deleted only after it was sent."""
    other = json.dumps({"payId": "other"})

    def reject_the_other(call: Any, **arguments: Any) -> Any:
        entries = arguments.pop("Entries")
        taken = [entry for entry in entries if entry["MessageBody"] != other]
        rejected = [{"Id": entry["Id"]} for entry in entries if entry not in taken]
        return call(Entries=taken, **arguments) | {"Failed": rejected}

    cli.send_dead_letters(VALID, other)
    cli.intercept("send_message_batch", reject_the_other)
    result = cli.run("redrive", "--yes")
    assert result.code == 1
    assert cli.take_messages() == [VALID]
    assert dead_letters(cli) == [other]


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


THROTTLED = ClientError({"Error": {"Code": "RequestThrottled"}}, "ReceiveMessage")


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (THROTTLED, 2)])
def test_interrupted_read_leaves_the_messages_visible(
    cli: CommandLine, error: BaseException, code: int
) -> None:
    """For five minutes nobody would see them."""
    calls = 0

    def interrupt(call: Any, **arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise error
        return call(**arguments)

    cli.send_dead_letters(*[VALID] * 12)
    cli.intercept("receive_message", interrupt)
    assert cli.run("redrive", "--yes").code == code
    assert len(dead_letters(cli)) == 12


def test_messages_that_another_reader_has_are_told(cli: CommandLine) -> None:
    """As after a run that was killed; exit code 1, for they stay."""
    cli.send_dead_letters(VALID)
    cli.sqs.receive_message(QueueUrl=cli.dead_letter_queue_url)
    result = cli.run("redrive", "--yes")
    assert result.code == 1
    assert "1 message received by another reader: try again in 5 minutes" in result.err


def test_message_that_is_not_deleted_is_told(cli: CommandLine) -> None:
    """It was sent, and is in both queues now."""
    other = json.dumps({"payId": "other"})

    def delete_the_first(call: Any, **arguments: Any) -> Any:
        first, *others = arguments.pop("Entries")
        failed = {"Failed": [{"Id": entry["Id"]} for entry in others]}
        return call(Entries=[first], **arguments) | failed

    cli.send_dead_letters(VALID, other)
    cli.intercept("delete_message_batch", delete_the_first)
    result = cli.run("redrive", "--yes")
    assert result.code == 1
    assert "1 sent back to the queue" in result.out
    assert "1 not: SQS did not take them, or did not delete them here" in result.err
    assert dead_letters(cli) == [other]


def test_a_terminal_shows_how_many_were_sent_back(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand of them take a while."""
    cli.send_dead_letters(VALID)
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    assert "sending back" in cli.run("redrive", "--yes").err
