"""The services are tested on a table in memory, as ``test_memory_table`` holds it to moto."""

import pytest

from tests.support.tables import MemoryTable, Table
from tests.support.world import World


@pytest.fixture
def table() -> Table:
    """A table in memory; ``test_updates`` tests the expressions on moto."""
    return MemoryTable()


@pytest.fixture
def world(table: Table) -> World:
    """The whole system on the table."""
    return World(table)


@pytest.fixture
def other(table: Table) -> World:
    """The same with a queue and a bus of its own: a concurrent caller on the same table."""
    return World(table)
