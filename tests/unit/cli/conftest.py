"""Fixtures of the CLI's tests: the command line on a table, the layer on it, a file to follow."""

import json
from pathlib import Path

import pytest

from payresult.domain.payment import Status
from tests.support.factories import reply
from tests.support.tables import Table
from tests.support.world import Said, World
from tests.unit.cli.cli_runner import CommandLine

PAY_IDS = [f"paid-{number}" for number in range(25)]
"""The lines of the fixture ``file``."""


def resume_file(file: Path) -> Path:
    """Return the resume file of *file*."""
    return file.with_name(file.name + ".following")


def checked(world: World, answer: Said, **registered: str) -> None:
    """Have the payment ordered, with what is *registered*, and checked once."""
    world.says = lambda _: answer
    world.order(**registered)
    world.run(0)


def in_review(world: World, **reported: str) -> None:
    """Bring the payment into REVIEW: 19.99 USD are registered, *reported* is reported."""
    checked(world, reply(**reported), orderId="A-17", expectedAmount="19.99", currency="USD")
    assert world.table.payment().status is Status.REVIEW


def sent_pay_ids(cli: CommandLine) -> list[str]:
    """Take the messages off the checks queue and return their payIds."""
    return [json.loads(body)["payId"] for body in cli.take_messages()]


@pytest.fixture
def cli(table: Table, dynamodb: object) -> CommandLine:
    """The command line on an empty table, with queues on moto."""
    assert dynamodb
    return CommandLine(table)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file for `follow` with 25 payIds."""
    path = tmp_path / "orders.txt"
    path.write_text("\n".join(PAY_IDS) + "\n", encoding="utf-8")
    return path
