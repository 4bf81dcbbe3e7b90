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

from tests.support.tables import create_table
from tests.support.template import FUNCTIONS

PLACES = re.compile(r"\$\{(?P<name>[A-Za-z:]+)(\.(?P<attribute>[A-Za-z]+))?\}")
AGO = re.compile(r"\$\(\(\$\(date \+%s\)-\d+\)\)000")
NOT_IN_MOTO = {
    "get-function-recursion-config",
    "put-function-recursion-config",
    "get-account-settings",
}
"""Operations of which only the arguments are checked: the AWS CLI answers with a sample."""


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
    """A simulated account with the table and the log groups that the commands read."""

    @classmethod
    @contextmanager
    def made(cls) -> "Iterator[Cloud]":
        """Yield an account."""
        with mock_aws():
            for name in FUNCTIONS:
                group = filled(f"${{{name}Logs}}")
                boto3.client("logs").create_log_group(logGroupName=group)
            create_table(boto3.client("dynamodb"), filled("${Table}"))
            yield cls()

    def run(self, command: str) -> None:
        """Run an `aws` command; for `cli/payresult`, only parse the command line."""
        program, *arguments = shlex.split(AGO.sub("1795341600000", command))
        if program == "aws":
            arguments += ["--generate-cli-skeleton", "output"] if NOT_IN_MOTO & {*arguments} else []
            assert create_clidriver().main(arguments) == 0
            return
        assert program == "cli/payresult"
        group: click.Group = import_module("payresult_cli.app").payresult
        name, *rest = arguments
        found = group.get_command(click.Context(group), name)
        assert found, name
        found.make_context(name, rest)
