"""AWS for the unit tests: one moto in memory; each test has a table of its own."""

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from tests.support.tables import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_numbers = count(1)


@pytest.fixture(scope="package")
def dynamodb() -> "Iterator[DynamoDBClient]":
    """DynamoDB on moto: no AWS account, no network."""
    with mock_aws(config={"core": {"mock_credentials": False}}):
        yield boto3.client("dynamodb")


@pytest.fixture
def table(dynamodb: "DynamoDBClient") -> Table:
    """An empty table as template.yaml describes it."""
    return Table(dynamodb, f"payments-{next(_numbers)}")
