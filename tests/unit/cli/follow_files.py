"""The file that the tests of `follow` use, and what became of it."""

import json
from pathlib import Path

from tests.unit.cli.cli_runner import CommandLine

PAY_IDS = [f"paid-{number}" for number in range(25)]
"""The lines of the fixture ``file``."""


def resume_file(file: Path) -> Path:
    """Return the resume file of *file*."""
    return file.with_name(file.name + ".following")


def sent_pay_ids(cli: CommandLine) -> list[str]:
    """Take the messages off the checks queue and return their payIds."""
    return [json.loads(body)["payId"] for body in cli.take_messages()]
