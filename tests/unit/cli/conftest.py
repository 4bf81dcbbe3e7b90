"""Fixtures of the CLI's tests: the command line on a table, and the layer on the same table."""

from pathlib import Path

import pytest

from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine
from tests.unit.cli.follow_files import PAY_IDS


@pytest.fixture
def cli(table: Table) -> CommandLine:
    """The command line on an empty table."""
    return CommandLine(table)


@pytest.fixture
def world(table: Table) -> World:
    """The layer on the same table."""
    return World(table)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file for `follow` with 25 payIds."""
    path = tmp_path / "orders.txt"
    path.write_text("\n".join(PAY_IDS) + "\n", encoding="utf-8")
    return path
