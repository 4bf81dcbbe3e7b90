"""Runs tests against mutants, each in a process forked from one that has imported the libraries.

A mutant is imported in place of its module, so that all other modules use it. No file is changed.
"""

import gc
import os
import resource
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.mutation import plan
from tests.mutation.mutator import Mutant
from tests.mutation.report import KILLED, SURVIVED, TIMEOUT

PROCESSES = 2
MAX_CPU_SECONDS = 30
"""About ten times the CPU time of the slowest tests of a module."""

MAX_SECONDS = 120
"""For a mutant that waits without using CPU time."""

OWN_MODULES = ("payresult", "tests.")
KEPT_MODULES = ("tests.mutation", "tests.support.template")
"""The latter reads a long file, and imports nothing of the layer."""

PROFILE = "mutants"
# One failing example is enough, so hypothesis does not search for the smallest one.
settings.register_profile(
    PROFILE, derandomize=True, deadline=None, database=None, phases=[Phase.explicit, Phase.generate]
)


class _Loader(SourceFileLoader):
    """Loads a module from the code of a mutant."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the finder has checked it
        return self._code


class _Finder(MetaPathFinder):
    """Finds the mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = f"payresult.{mutant.module}"
        self._mutant = mutant

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        path = str(plan.path(self._mutant.module))
        loader = _Loader(fullname, path, self._mutant.code)
        return spec_from_file_location(fullname, path, loader=loader)


def warm_up(modules: Iterable[str]) -> bool:
    """Run the tests on unchanged code, and unload our own modules; return whether they passed.

    The libraries stay imported for the processes of the mutants.
    """
    files = dict.fromkeys(file for module in modules for file in plan.tests(module))
    passed = _pytest(list(files)) == 0
    for name in list(sys.modules):
        if name.startswith(OWN_MODULES) and not name.startswith(KEPT_MODULES):
            del sys.modules[name]
    gc.freeze()  # a collection in a forked process would copy all memory
    return passed


def run(mutants: Iterable[Mutant]) -> Iterator[tuple[Mutant, str]]:
    """Yield the status of each mutant, in the order in which they end."""
    waiting, running = iter(mutants), dict[int, Mutant]()
    while True:
        while len(running) < PROCESSES and (mutant := next(waiting, None)):
            running[_start(mutant)] = mutant
        if not running:
            return
        process, status = os.wait()
        yield running.pop(process), _status(os.waitstatus_to_exitcode(status))


def _status(code: int) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGALRM):
        return TIMEOUT
    return KILLED if code else SURVIVED


def _start(mutant: Mutant) -> int:
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(MAX_SECONDS)
        gc.disable()
        sys.meta_path.insert(0, _Finder(mutant))
        devnull = os.open(os.devnull, os.O_WRONLY)
        for output in (1, 2):
            os.dup2(devnull, output)
        code = _pytest(plan.tests(mutant.module))
    finally:
        os._exit(code)


def _pytest(files: Sequence[str]) -> int:
    options = (
        "-x",
        "-q",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        f"--hypothesis-profile={PROFILE}",
    )
    return int(pytest.main([*options, *files]))
