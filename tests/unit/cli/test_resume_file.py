"""`payresult_cli.resume_file`: what `follow` sent within the hour is not sent again."""

from pathlib import Path

import pytest

from tests.support.factories import HOUR, SECOND
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


def test_a_second_follow_sends_nothing_while_the_messages_wait(
    bench: CommandLine, file: Path
) -> None:
    """The table knows none of them yet; after an hour unread they are sent again."""
    bench.run("follow", file, "--yes")
    file.write_text("\n".join([*IDS, "p-new"]))
    bench.now += HOUR - SECOND
    assert "1 to send, 0 followed already, 25 sent within" in bench.run("follow", file, "--yes").out

    bench.now += SECOND
    ran = bench.run("follow", file, "--yes")

    assert "25 to send, 0 followed already, 1 sent within the hour" in ran.out
    assert len(bench.messages()) == 51


def test_the_journal_goes_once_the_table_has_all(bench: CommandLine, file: Path) -> None:
    """It has served its time."""
    bench.run("follow", file, "--yes")
    world = World(bench.table)
    for pay_id in IDS:
        world.order(pay_id)
    world.run(0)

    ran = bench.run("follow", file)

    assert ran.code == 0
    assert "0 to send, 25 followed already, 0 sent within the hour" in ran.out
    assert not journal(file).exists()


def test_a_file_that_is_no_journal_is_not_taken_for_one(bench: CommandLine, file: Path) -> None:
    """Somebody's own file of that name, say; an empty one too."""
    for text in ("https://sqs.invalid/checks\nsomething else\n", ""):
        journal(file).write_text(text)
        ran = bench.run("follow", file, "--yes")
        assert ran.code == 2
        assert "is not what follow writes: delete it" in ran.err


def test_a_journal_of_another_stack_is_not_taken_for_this_one(
    bench: CommandLine, file: Path
) -> None:
    """What the test stack follows, production does not."""
    journal(file).write_text(f"https://sqs.invalid/other\n{bench.now} {{}}\n")
    ran = bench.run("follow", file, "--yes")
    assert ran.code == 2
    assert "belongs to a follow on another stack" in ran.err
    assert bench.messages() == []
    bench.now += HOUR
    assert bench.run("follow", file, "--yes").code == 0


def test_where_no_journal_can_be_kept_nothing_is_sent(bench: CommandLine, file: Path) -> None:
    """The folder is read-only, or here: what the link points to cannot be."""
    journal(file).symlink_to("nowhere/at-all")
    ran = bench.run("follow", file, "--yes")
    assert ran.code == 2
    assert "No such file or directory" in ran.err
    assert bench.messages() == []
