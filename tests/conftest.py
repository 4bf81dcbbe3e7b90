"""What every test stands on: no AWS account, no network, and handlers loaded afresh."""

import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from types import ModuleType
from unittest import mock

import moto  # noqa: F401 - before any boto3 client: one that is older would reach for the real AWS
import pytest
from hypothesis import settings

from tests.support.template import deployed_environment

LoadApp = Callable[..., ModuleType]

UNIT = Path(__file__).parent / "unit"
LOOPBACK = ["127.0.0.0/8", "::1", "localhost"]

# A developer's own account, proxies and region are none of a test's business.
FOREIGN = (
    *("AWS_", "POWERTOOLS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    *("SSLKEYLOGFILE", "REQUESTS_CA_BUNDLE"),
)
AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

# The same examples in every run, and no verdict by the clock.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Clean the environment before the first module of ours is imported."""
    for name in list(os.environ):
        if name.upper().startswith(FOREIGN):
            del os.environ[name]
    os.environ.update(AWS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests open no socket at all; the others talk to this machine only."""
    if seed := os.environ.get("PYTEST_SHUFFLE"):
        _shuffle(items, seed)
    for item in items:
        if UNIT in item.path.parents:
            item.add_marker(pytest.mark.disable_socket)
        else:
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))


def _shuffle(items: list[pytest.Item], seed: str) -> None:
    """Shuffle the files and the tests of each file, the same way in each worker of xdist.

    A file stays together, so that its fixtures are set up once.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    rng = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    order = list(files.values())
    rng.shuffle(order)
    for tests in order:
        rng.shuffle(tests)
    items[:] = [item for tests in order for item in tests]


@pytest.fixture(autouse=True)
def own_environ() -> Iterator[None]:
    """Give each test an environment of its own: what it sets is gone after it."""
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture
def function_environ() -> dict[str, str]:
    """The variables that template.yaml gives to each function, as a deployment fills them in."""
    return deployed_environment(GatewayBaseUrl="https://gateway.invalid/payment")


@pytest.fixture
def load_app(function_environ: dict[str, str]) -> Iterator[LoadApp]:
    """Return ``load(name, environ)``: ``functions/<name>/app.py``, imported as a cold start does.

    *environ* adds to the variables of a function, or replaces them.
    """
    loaded: set[str] = set()

    def load(name: str, environ: Mapping[str, str] | None = None) -> ModuleType:
        os.environ.update(function_environ | dict(environ or {}))
        module = f"functions.{name}.app"
        loaded.add(module)
        sys.modules.pop(module, None)
        return importlib.import_module(module)

    yield load
    gc.unfreeze()  # what a function keeps for good would pile up here
    for module in loaded:
        sys.modules.pop(module, None)
