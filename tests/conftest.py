"""The contract of all tests: no AWS account, no network, and no state left from another test."""

import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby, zip_longest
from pathlib import Path
from random import Random
from types import ModuleType
from unittest import mock

import moto  # noqa: F401 - moto does not patch boto3 clients that exist before its import
import pytest
from aws_lambda_powertools import Metrics
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # it has none

from tests.support.template import AWS, deployed_environment

LoadApp = Callable[..., ModuleType]

TESTS = Path(__file__).parent
UNIT, WAITING = TESTS / "unit", TESTS / "integration"
LOOPBACK = ["127.0.0.0/8", "::1", "localhost"]

CAMPAIGNS = TESTS / "fault_injection" / "test_campaigns.py"
"""The file that takes longest: a third of all. No test of it uses what another one has set up."""

# settings of the developer's own account, proxies and certificates
REMOVED = (
    *("AWS_", "POWERTOOLS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    *("SSLKEYLOGFILE", "REQUESTS_CA_BUNDLE"),
)

# The same examples in every run, and no failure because of a slow machine. Other examples:
# --hypothesis-profile=varied --hypothesis-seed=<number>
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("varied", deadline=None, database=None)
settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Remove the developer's settings before the first of our modules is imported.

    The gateway's socket is imported before a unit test denies sockets: it would inherit from the
    denying class, and deny them to all later tests of the process.
    """
    for name in list(os.environ):
        if name.upper().startswith(REMOVED):
            del os.environ[name]
    os.environ.update(AWS)
    importlib.import_module("payresult.gateway.connection")


class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file goes to one worker; the CAMPAIGNS go one by one to whichever is free, at the end."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return nodeid if file == CAMPAIGNS.relative_to(TESTS.parent).as_posix() else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling | None:
    """Let no worker of ``--dist loadfile`` wait while another one still has a long file."""
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # xdist would start with the files of many short tests
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deny all sockets to unit tests, and all but loopback to the others.

    PYTEST_SHUFFLE=<seed> runs the tests in a random order.
    """
    items[:] = _waiting_beside_computing(items)
    if seed := os.environ.get("PYTEST_SHUFFLE"):
        _shuffle(items, seed)
    for item in items:
        if UNIT in item.path.parents:
            item.add_marker(pytest.mark.disable_socket)
        else:
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))


def _waiting_beside_computing(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return a file of WAITING and one of the others in turn, and the CAMPAIGNS at the end.

    So the workers that wait for a queue leave the processors to those that compute.
    """
    kinds: list[list[list[pytest.Item]]] = [[], [], []]
    for path, tests in groupby(items, lambda item: item.path):
        kinds[2 if path == CAMPAIGNS else WAITING not in path.parents].append([*tests])
    waiting, computing, campaigns = kinds
    none: list[pytest.Item] = []
    pairs = zip_longest(waiting, computing, fillvalue=none)
    return [item for files in (*pairs, campaigns) for tests in files for item in tests]


def _shuffle(items: list[pytest.Item], seed: str) -> None:
    """Shuffle the files and the tests within each file, in the same way in each worker of xdist.

    The tests of a file stay together, so that its fixtures are set up once.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    rng = Random(seed)  # noqa: S311 - repeatable, not secret
    order = list(files.values())
    rng.shuffle(order)
    for tests in order:
        rng.shuffle(tests)
    items[:] = [item for tests in order for item in tests]


def pytest_collection_finish() -> None:
    """Undo what an import of ``payresult.bootstrap`` does for a cold start."""
    _restore_garbage_collector()


@pytest.fixture(autouse=True)
def own_process_state() -> Iterator[None]:
    """Restore the environment, the garbage collector and the metrics of Powertools after a test.

    All Metrics objects of a process share the values that are not written yet.
    """
    with mock.patch.dict(os.environ):
        yield
    _restore_garbage_collector()
    Metrics().clear_metrics()


def _restore_garbage_collector() -> None:
    gc.unfreeze()
    gc.enable()


@pytest.fixture
def function_environ() -> dict[str, str]:
    """Return the environment variables of each function in a deployment of template.yaml."""
    return deployed_environment(GatewayBaseUrl="https://gateway.invalid/payment")


@pytest.fixture
def load_app(function_environ: dict[str, str]) -> Iterator[LoadApp]:
    """Return ``load(name, environ)``, which imports ``functions/<name>/app.py`` as a cold start.

    *environ* adds or replaces variables of the function's environment.
    """
    loaded: set[str] = set()

    def load(name: str, environ: Mapping[str, str] | None = None) -> ModuleType:
        os.environ.update(function_environ | dict(environ or {}))
        module = f"functions.{name}.app"
        loaded.add(module)
        sys.modules.pop(module, None)
        return importlib.import_module(module)

    yield load
    for module in loaded:
        sys.modules.pop(module, None)
