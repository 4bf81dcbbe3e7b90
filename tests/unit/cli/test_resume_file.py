"""Contract of the resume file: what `follow` sent within an hour is not sent again."""

from pathlib import Path

from tests.support.factories import HOUR, SECOND
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine
from tests.unit.cli.conftest import PAY_IDS, resume_file


def test_message_that_waits_in_the_queue_is_not_sent_again(cli: CommandLine, file: Path) -> None:
    """The payment is not in the table yet. After an hour its message is sent again."""
    cli.run("follow", file, "--yes")
    file.write_text("\n".join([*PAY_IDS, "p-new"]))
    cli.now += HOUR - SECOND
    result = cli.run("follow", file, "--yes")
    assert "1 to send, 25 sent within" in result.out
    cli.now += SECOND
    result = cli.run("follow", file, "--yes")
    assert "25 to send, 1 sent within the last hour" in result.out
    assert len(cli.take_messages()) == 51


def test_resume_file_is_deleted_in_the_end(cli: CommandLine, world: World, file: Path) -> None:
    """The table knows them from then on."""
    file.write_text("p-1\np-2\n")
    cli.run("follow", file, "--yes")
    for pay_id in ("p-1", "p-2"):
        world.order(pay_id)
    world.run(0)
    result = cli.run("follow", file)
    assert result.code == 0
    assert "0 to send, 2 followed already" in result.out
    assert not resume_file(file).exists()


def test_file_that_is_no_resume_file_is_rejected(cli: CommandLine, file: Path) -> None:
    """A file of the user's with that name, or an empty one."""
    for text in ("https://sqs.invalid/checks\nsomething else\n", ""):
        resume_file(file).write_text(text)
        result = cli.run("follow", file, "--yes")
        assert result.code == 2
        assert "was not written by follow: delete it" in result.err


def test_resume_file_of_another_stack_is_rejected(cli: CommandLine, file: Path) -> None:
    """The same payments have to be sent on each stack. After an hour it is ignored."""
    resume_file(file).write_text(f"https://sqs.invalid/other\n{cli.now} {{}}\n")
    result = cli.run("follow", file, "--yes")
    assert result.code == 2
    assert "belongs to a follow on another stack" in result.err
    assert cli.take_messages() == []
    cli.now += HOUR
    assert cli.run("follow", file, "--yes").code == 0


def test_nothing_is_sent_if_the_resume_file_cannot_be_written(cli: CommandLine, file: Path) -> None:
    """As in a read-only directory; here it is a link to a directory that does not exist."""
    resume_file(file).symlink_to("nowhere/at-all")
    result = cli.run("follow", file, "--yes")
    assert result.code == 2
    assert "No such file or directory" in result.err
    assert cli.take_messages() == []
