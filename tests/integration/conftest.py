"""One deployed system for the files of a process, and one of its own for each of OWN."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import boto3
import pytest

from payresult_cli.context import Dependencies
from payresult_cli.stack import Stack, find_sandbox, find_stack
from sandbox.audit import AuditQueueReader
from sandbox.client import Client
from sandbox.credentials import Credentials
from sandbox.environment import Sandbox, start_sandbox, write_outputs
from sandbox.gateway import SimulatedGateway
from sandbox.waiting import wait_for
from tests.support.commands import CommandResult, run

RunCli = Callable[..., CommandResult]

DELAYS = (1, 1, 1, 1)
"""Five checks, a second apart, so that a payment that is never paid ends soon."""

ORDER = {"orderId": "A-17", "expectedAmount": "19.99", "currency": "USD"}

OWN = {"test_doctor", "test_forwarding", "test_page", "test_page_calls"}
"""The files that judge the system as a whole: what waits, failed, is newest, each event."""

VISIBILITY_SECONDS = 30
"""Longer than a check takes on the busiest machine: a second delivery would be a second check."""

SHORT_VISIBILITY_SECONDS = 1
"""For tests that wait until a message has been received five times."""


class System(NamedTuple):
    """The running system, its gateway, a client, and the reader of its events."""

    sandbox: Sandbox
    gateway: SimulatedGateway
    client: Client
    audit: AuditQueueReader

    @contextmanager
    def stream_off(self) -> Iterator[None]:
        """The publisher gets no records of the table's stream."""
        self.client.switch_stream(on=False)
        try:
            yield
        finally:
            self.client.switch_stream(on=True)

    @contextmanager
    def queue_off(self) -> Iterator[None]:
        """The checks function gets no messages."""
        self.client.switch_queue(on=False)
        try:
            yield
        finally:
            self.client.switch_queue(on=True)

    @contextmanager
    def short_visibility(self) -> Iterator[None]:
        """A message that failed is delivered again after SHORT_VISIBILITY_SECONDS."""
        self.sandbox.set_visibility_timeout(SHORT_VISIBILITY_SECONDS)
        try:
            yield
        finally:
            self.sandbox.set_visibility_timeout(VISIBILITY_SECONDS)


def long_lived() -> set[threading.Thread]:
    """The threads that run now, without those of single connections.

    A connection that begins now may be one to another system of this process, which goes on.
    """
    return {each for each in threading.enumerate() if "process_request_thread" not in each.name}


@contextmanager
def deployed(folder: Path) -> Iterator[System]:
    """template.yaml on the emulator, with the simulated gateway; its threads end with it."""
    before = long_lived()
    with start_sandbox(folder, port=0, delays=DELAYS) as sandbox:
        assert sandbox.gateway
        sandbox.set_visibility_timeout(VISIBILITY_SECONDS)
        queue = sandbox.stack["AuditQueueUrl"]
        with AuditQueueReader(sandbox.credentials.client("sqs"), queue) as audit:
            own = long_lived() - before
            yield System(sandbox, sandbox.gateway, Client(sandbox), audit)
    wait_for("the end of its threads", lambda: not own & set(threading.enumerate()), 10)


@pytest.fixture(scope="session")
def shared_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The system of all files but OWN: a start takes longer than most files."""
    with deployed(tmp_path_factory.mktemp("sandbox")) as system:
        yield system


@pytest.fixture(scope="module")
def system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """The deployed system, without events and dead letters of the files before; see OWN.

    No two files use the same payId.
    """
    if request.path.stem in OWN:
        with deployed(tmp_path_factory.mktemp("own")) as system:
            yield system
        return
    system = request.getfixturevalue("shared_system")
    sqs = system.sandbox.credentials.client("sqs")
    for queue in ("DeadLetterQueueUrl", "AuditQueueUrl"):
        sqs.purge_queue(QueueUrl=system.sandbox.stack[queue])
    yield system


@pytest.fixture
def cli(system: System, tmp_path: Path) -> RunCli:
    """Return ``cli(command, ...)``, which runs a command with --sandbox on the system."""
    outputs = tmp_path / "outputs.json"
    write_outputs(system.sandbox, outputs)

    def load_stack(_name: str, *, sandbox: bool) -> Stack:
        assert sandbox
        return find_sandbox(outputs)

    def run_command(command: str, *arguments: object) -> CommandResult:
        return run(
            command, "--sandbox", *arguments, dependencies=Dependencies(load_stack=load_stack)
        )

    return run_command


def run_as(user: Credentials, api_url: str | None, *command: str) -> CommandResult:
    """Run a command on the stack that it names, with the credentials of *user*."""
    session = boto3.Session(user.access_key_id, user.secret_access_key, None, "eu-central-1")

    def load_stack(name: str, *, sandbox: bool) -> Stack:
        assert not sandbox
        return find_stack(session, name, user.endpoint, api_url)

    return run(*command, dependencies=Dependencies(load_stack=load_stack))
