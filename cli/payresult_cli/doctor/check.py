"""What a check of `doctor` gets, and what it returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from payresult_cli.errors import CommandError

if TYPE_CHECKING:
    from payresult_cli.context import Context

SERVICES = (
    *("cloudformation", "cloudwatch", "dynamodb", "events"),
    *("lambda", "logs", "sns", "sqs"),
)
NEWER = "deploy a release that has it"
FUNCTIONS = ("Api", "Checks", "Publisher", "Sweeper")
SET_BACK = 'see "What was changed by hand" in docs/operations.md'
"""For what differs from the template: deploying the same template again changes nothing."""


class State(StrEnum):
    """The result of a check."""

    OK = "ok"
    ATTENTION = "attention"
    DENIED = "denied"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check, and in words what was found, and what to do about it."""

    state: State
    text: str


def ok(text: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(State.OK, text)


def attention(text: str) -> Finding:
    """Return a finding that somebody has to do something about."""
    return Finding(State.ATTENTION, text)


class Deployed:
    """The stack that is checked: its names, and the clients that ask AWS about it."""

    def __init__(self, context: "Context") -> None:
        self.context = context
        self.stack = context.stack
        self.now = context.now()
        # Before there are threads: clients are thread-safe, a Session is not (boto3, "Clients").
        self._clients = {service: self.stack.client(service) for service in SERVICES}
        self.repository = self.stack.repository()
        stack = self.client("cloudformation").describe_stacks(StackName=self.stack.name)
        self.description: Mapping[str, Any] = stack["Stacks"][0]
        self._outputs = {
            each["OutputKey"]: each["OutputValue"] for each in self.description["Outputs"]
        }
        self._parameters = {
            each["ParameterKey"]: each.get("ParameterValue", "")
            for each in self.description["Parameters"]
        }

    @property
    def emulated(self) -> bool:
        """True for the sandbox's stack."""
        return self._parameters.get("Emulated") == "true"

    def client(self, service: str) -> Any:
        """Return the client of one of SERVICES."""
        return self._clients[service]

    def output(self, name: str) -> str:
        """Return an output of the stack."""
        return self._named(self._outputs, name)

    def parameter(self, name: str) -> str:
        """Return a parameter of the stack, as it was deployed."""
        return self._named(self._parameters, name)

    def function(self, name: str) -> str:
        """Return the name in Lambda of one of FUNCTIONS."""
        return self.output(f"{name}FunctionName")

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources of the stack by their name in the template.

        Needs cloudformation:ListStackResources.
        """
        arguments = {"StackName": self.stack.name}
        found: dict[str, dict[str, Any]] = {}
        while True:
            page = self.client("cloudformation").list_stack_resources(**arguments)
            found |= {each["LogicalResourceId"]: each for each in page["StackResourceSummaries"]}
            if "NextToken" not in page:
                return found
            arguments["NextToken"] = page["NextToken"]

    def resource(self, name: str) -> str:
        """Return the name of a resource in its service."""
        if name not in self.resources:
            raise CommandError(f"the stack has no {name}: {NEWER}")
        return str(self.resources[name]["PhysicalResourceId"])

    def command(self, arguments: str) -> str:
        """Return the command line that runs this tool with *arguments* on the same stack."""
        where = "--sandbox" if self.context.sandbox else f"--stack {self.stack.name}"
        return f"`cli/payresult {arguments} {where}`"

    @staticmethod
    def _named(values: Mapping[str, str], name: str) -> str:
        if name not in values:
            raise CommandError(f"the stack has no {name}: {NEWER}")
        return values[name]


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, what runs it, and the permissions that it needs.

    ``emulator`` says why the sandbox cannot show this; empty where it can.
    """

    name: str
    run: Callable[[Deployed], Finding]
    permissions: tuple[str, ...]
    emulator: str = ""
