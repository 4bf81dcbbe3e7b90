"""The services are tested on a table in memory, as ``test_memory_table`` holds it to moto."""

import pytest

from tests.support.tables import MemoryTable, Table


@pytest.fixture
def table() -> Table:
    """An empty one; ``test_updates`` tests the expressions on moto."""
    return MemoryTable()
