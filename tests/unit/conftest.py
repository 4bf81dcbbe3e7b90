"""AWS for the unit tests: each test has a table of its own, on moto or in memory."""

import os
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from tests.support.tables import MemoryTable, Table
from tests.support.world import World

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ON_MOTO = ("explain_order", "forget", "list", "reconcile", "republish")
"""Commands that make other calls than the functions do: they delete, or read the whole table."""

_numbers = count(1)


@pytest.fixture(scope="package")
def dynamodb() -> "Iterator[DynamoDBClient]":
    """DynamoDB on moto: no AWS account, no network."""
    with mock_aws(config={"core": {"mock_credentials": False}}):
        yield boto3.client("dynamodb")


@pytest.fixture
def moto_table(dynamodb: "DynamoDBClient") -> Table:
    """An empty table as template.yaml describes it."""
    return Table(dynamodb, f"payments-{next(_numbers)}")


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Table:
    """An empty table: in memory where that is enough (``test_memory_table`` holds it to moto).

    Mutants of the writes are tested in memory, which takes a fifth of the time.
    """
    module = request.module.__name__
    of_aws = ".aws." in module or "aws" in request.fixturenames  # the expressions, or the clients
    of_mutants = "MUTANTS" in os.environ and module.endswith("_updates")
    if of_mutants or not (of_aws or module.endswith(ON_MOTO)):
        return MemoryTable()
    table: Table = request.getfixturevalue("moto_table")
    return table


@pytest.fixture
def world(table: Table) -> World:
    """The whole system on the table."""
    return World(table)


@pytest.fixture
def other(table: Table) -> World:
    """The same with a queue and a bus of its own: a concurrent caller on the same table."""
    return World(table)
