"""Contract of the acceptance run: it leaves the stack as it was, wherever it is stopped."""

import time
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError

from acceptance.deployment import Refused, beside, parameters_changed, update
from acceptance.faults import mapping_disabled
from acceptance.target import Target
from sandbox.audit import AuditQueueReader

BEFORE = {"EnvironmentName": "acceptance", "CheckDelays": "5,10"}


class CloudFormation:
    """One stack. An update takes until somebody waits; ``stopped_at`` is a wait with Ctrl-C."""

    def __init__(self, parameters: dict[str, str], stopped_at: int = 0) -> None:
        self.parameters = dict(parameters)
        self.status = "UPDATE_COMPLETE"
        self._stopped_at = stopped_at

    def describe_stacks(self, **_: Any) -> Any:
        """Return the stack, which has no outputs."""
        given = [{"ParameterKey": k, "ParameterValue": v} for k, v in self.parameters.items()]
        stack: dict[str, Any] = {"StackStatus": self.status}
        return {"Stacks": [stack | ({"Parameters": given} if given else {})]}

    def update_stack(self, **request: Any) -> None:
        """Change parameters."""
        changed = {
            each["ParameterKey"]: each["ParameterValue"]
            for each in request["Parameters"]
            if "ParameterValue" in each
        }
        if self.status != "UPDATE_COMPLETE" or changed.items() <= self.parameters.items():
            raise ClientError({"Error": {"Code": "ValidationError"}}, "UpdateStack")
        self.parameters |= changed
        self.status = "UPDATE_IN_PROGRESS"

    def get_waiter(self, _name: str) -> "CloudFormation":
        """Return what waits for the end of an update."""
        return self

    def wait(self, **_: Any) -> None:
        """Wait, or be stopped."""
        self._stopped_at -= 1
        if self._stopped_at == 0:
            raise KeyboardInterrupt
        self.sleep()

    def sleep(self, _seconds: float = 0) -> None:
        """Let time pass."""
        self.status = "UPDATE_COMPLETE"


@pytest.mark.parametrize("stopped_at", [1, 2])
def test_a_stop_during_an_update_leaves_the_parameters_as_they_were(
    monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    """During the first update, and during the deployment under load."""
    stack: Any = CloudFormation(BEFORE, stopped_at)
    monkeypatch.setattr(time, "sleep", stack.sleep)
    with (
        pytest.raises(KeyboardInterrupt),
        parameters_changed(stack, "payresult", CheckDelays="2,2"),
    ):
        update(stack, "payresult", CheckDelays="3,2")
    assert (stack.parameters, stack.status) == (BEFORE, "UPDATE_COMPLETE")


def test_an_error_before_the_update_is_the_one_that_is_shown() -> None:
    """There is nothing to set back, and CloudFormation refuses an update that changes nothing."""

    class Denied(CloudFormation):
        def update_stack(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "UpdateStack")

    stack: Any = Denied(BEFORE)
    with (
        pytest.raises(ClientError, match="AccessDenied") as raised,
        parameters_changed(stack, "payresult", CheckDelays="2,2"),
    ):
        pass
    assert raised.value.__context__ is None


@pytest.mark.parametrize("parameters", [{}, BEFORE])
def test_a_stack_of_something_else_is_refused(parameters: dict[str, str]) -> None:
    """Also one with an EnvironmentName, as a subscriber has."""
    stack: Any = CloudFormation(parameters)
    with pytest.raises(Refused, match="'other' is none of payresult"), beside(stack, "other"):
        pass


class Mapping:
    """Lambda with one event source mapping; the first wait for a state is stopped by Ctrl-C."""

    def __init__(self) -> None:
        self.states = ["Enabled"]
        self._stopped = False

    def list_event_source_mappings(self, **_: Any) -> Any:
        """Return the mapping."""
        return {"EventSourceMappings": [{"UUID": "u-1"}]}

    def update_event_source_mapping(self, **request: Any) -> None:
        """Begin to switch it, which ends after the state was asked for."""
        if len(self.states) > 1:
            raise ClientError({"Error": {"Code": "ResourceInUse"}}, "UpdateEventSourceMapping")
        self.states = ["Enabling", "Enabled"] if request["Enabled"] else ["Disabling", "Disabled"]

    def get_event_source_mapping(self, **_: Any) -> Any:
        """Return its state."""
        if not self._stopped:
            self._stopped = True
            raise KeyboardInterrupt
        return {"State": self.states.pop(0) if len(self.states) > 1 else self.states[0]}


def test_a_stop_while_the_stream_is_being_disabled_enables_it() -> None:
    """After the disabling has ended: until then Lambda refuses it."""
    client = Mapping()
    target = Target(
        boto3.Session(), {"lambda": client}, "payresult", {}, cast("AuditQueueReader", None), "1"
    )
    with pytest.raises(KeyboardInterrupt), mapping_disabled(target, "publisher"):
        pass
    assert client.states == ["Enabled"]
