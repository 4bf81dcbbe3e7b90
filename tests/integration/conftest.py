"""The deployed system, started once for all tests of this folder that ask for it."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from sandbox.audit import Audit
from sandbox.client import Client
from sandbox.environment import Sandbox, running
from sandbox.gateway import SimulatedGateway

DELAYS = (1, 1, 1, 1)
"""Five checks, a second apart: a payment that is never paid is given up before one tires of it."""

VISIBILITY_SECONDS = 30
"""Longer than a check takes on the busiest machine: a second delivery would be a second check."""


class System(NamedTuple):
    """The running system, its gateway, hands to use it and eyes on its events."""

    sandbox: Sandbox
    gateway: SimulatedGateway
    visitor: Client
    audit: Audit


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The real template on the emulator, with the simulated gateway; ended with the session."""
    folder = tmp_path_factory.mktemp("sandbox")
    with running(folder, port=0, delays=DELAYS) as sandbox:
        assert sandbox.gateway
        sandbox.hide_messages(VISIBILITY_SECONDS)
        queue = sandbox.stack["AuditQueueUrl"]
        with Audit(sandbox.account.client("sqs"), queue) as audit:
            yield System(sandbox, sandbox.gateway, Client(sandbox), audit)
