"""Support: runs the commands in the template's texts, without an AWS account."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import boto3
import click
from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]  # it has none
from moto import mock_aws

from tests.support.template import FUNCTIONS

PLACES = re.compile(r"\$\{(?P<name>[A-Za-z:]+)(\.(?P<attribute>[A-Za-z]+))?\}")
AN_HOUR_AGO = "$(($(date +%s)-3600))000"


def filled(text: str, stack: str = "payresult") -> str:
    """Return *text* with the values that CloudFormation inserts, for a stack called *stack*."""

    def value(place: re.Match[str]) -> str:
        name, attribute = place["name"], place["attribute"]
        if name == "AWS::StackName":
            return stack
        if name.removesuffix("Logs") in FUNCTIONS:
            return f"/aws/lambda/{stack}-{name.removesuffix('Logs').lower()}"
        return f"arn:aws:x:eu-central-1:123456789012:{stack}-{name}" if attribute else name

    return PLACES.sub(value, text)


class Cloud:
    """A simulated account with the log groups that the commands read."""

    @classmethod
    @contextmanager
    def made(cls) -> "Iterator[Cloud]":
        """Yield an account."""
        with mock_aws():
            for name in FUNCTIONS:
                group = filled(f"${{{name}Logs}}")
                boto3.client("logs").create_log_group(logGroupName=group)
            yield cls()

    def run(self, command: str) -> None:
        """Run an `aws` command; for `cli/payresult`, only parse the command line."""
        program, *arguments = shlex.split(command.replace(AN_HOUR_AGO, "1795341600000"))
        if program == "aws":
            assert create_clidriver().main(arguments) == 0
            return
        assert program == "cli/payresult"
        group: click.Group = import_module("payresult_cli.app").payresult
        name, *rest = arguments
        found = group.get_command(click.Context(group), name)
        assert found, name
        found.make_context(name, rest)
