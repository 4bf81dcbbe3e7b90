"""The services are tested on a table in memory."""

import pytest

from tests.support.tables import MemoryTable, Table


@pytest.fixture
def table() -> Table:
    """A table in memory; ``test_updates`` tests the expressions on moto."""
    return MemoryTable()
